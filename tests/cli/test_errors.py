"""Bad input: one line that says what is wrong, the right exit code, and nothing left behind."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest
import synthetic

from realtime.cli.main import main
from realtime.enhance import weights as weights_module

FAILED, USAGE = 1, 2


def error_of(capfd: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr. Read from the file descriptor: libraries in C know no other."""
    out, err = capfd.readouterr()
    assert out == ""
    assert "Traceback" not in err
    lines = err.splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith("realtime: ")
    return lines[0]


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def missing(folder: Path) -> Path:
    return folder / "missing.mp4"


def empty(folder: Path) -> Path:
    (folder / "empty.mp4").write_bytes(b"")
    return folder / "empty.mp4"


def voice_only(folder: Path) -> Path:
    return synthetic.voice_only(folder / "sound.mp4")


def text(folder: Path) -> Path:
    (folder / "text.mp4").write_text("dear diary\n" * 100)
    return folder / "text.mp4"


def zeros(folder: Path) -> Path:
    (folder / "zeros.mp4").write_bytes(bytes(4096))
    return folder / "zeros.mp4"


def text_image(folder: Path) -> Path:
    (folder / "text.png").write_text("dear diary\n" * 100)
    return folder / "text.png"


def empty_image(folder: Path) -> Path:
    (folder / "empty.jpg").write_bytes(b"")
    return folder / "empty.jpg"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (missing, "does not exist"),
        (empty, "empty"),
        (voice_only, "no video"),
        (text, "text.mp4"),
        (zeros, "zeros.mp4"),
        (text_image, "text.png"),
        (empty_image, "empty"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
@pytest.mark.parametrize("command", ["enhance", "preview", "live"])
def test_what_cannot_be_read(
    command: str,
    make: Callable[[Path], Path],
    says: str,
    tmp_path: Path,
    weights: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("realtime.sinks.window.check_display", lambda: None)  # as with a display
    source = make(tmp_path)
    before = names(tmp_path)
    target = tmp_path / f"out{source.suffix}"
    extra = {"enhance": ["-o", str(target)], "preview": [], "live": ["--no-window", "--record", str(target)]}[command]
    assert main([command, str(source), "--weights", str(weights), *extra]) == FAILED
    line = error_of(capfd)
    assert says in line
    assert source.name in line
    assert names(tmp_path) == before


def test_a_file_without_permission(tmp_path: Path, weights: Path, capfd: pytest.CaptureFixture[str]) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    source = synthetic.clip(tmp_path / "a.mp4")
    source.chmod(0)
    assert main(["enhance", str(source), "--weights", str(weights)]) == FAILED
    assert "a.mp4" in error_of(capfd)
    assert names(tmp_path) == {"a.mp4"}


def test_output_equal_to_input(
    clip: Path, tmp_path: Path, weights: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "a.mp4"
    source.write_bytes(clip.read_bytes())
    (tmp_path / "link.mp4").symlink_to(source)
    monkeypatch.setenv("HOME", str(tmp_path))
    for same in (str(source), str(tmp_path / "." / "a.mp4"), str(tmp_path / "link.mp4"), "~/a.mp4"):
        assert main(["enhance", str(source), "-o", same, "--overwrite", "--weights", str(weights)]) == USAGE
        assert "is the input" in error_of(capfd)
        assert source.read_bytes() == clip.read_bytes()
    assert names(tmp_path) == {"a.mp4", "link.mp4"}


def test_an_output_folder_that_does_not_exist(
    clip: Path, tmp_path: Path, weights: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "nowhere" / "out.mp4"
    assert main(["enhance", str(clip), "-o", str(target), "--weights", str(weights)]) == FAILED
    assert "nowhere does not exist" in error_of(capfd)
    assert main(["live", str(clip), "--no-window", "--record", str(target), "--weights", str(weights)]) == FAILED
    assert "nowhere does not exist" in error_of(capfd)
    assert list(tmp_path.iterdir()) == []


def test_an_output_folder_that_cannot_be_written(
    clip: Path, weights: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if os.geteuid() == 0:
        # Not even root makes a file in there.
        folder = Path("/proc/self")
        if not folder.is_dir():
            pytest.skip("root may write everywhere")
    else:
        folder = tmp_path / "locked"
        folder.mkdir(mode=0o500)
    assert main(["enhance", str(clip), "-o", str(folder / "out.mp4"), "--weights", str(weights)]) == FAILED
    assert "cannot be written" in error_of(capfd)


def test_an_output_folder_that_is_a_file(
    clip: Path, tmp_path: Path, weights: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("")
    inputs = [str(clip), str(synthetic.image(tmp_path / "b.png"))]
    assert main(["enhance", *inputs, "-o", str(tmp_path / "taken"), "--weights", str(weights)]) == FAILED
    assert "taken is a file; several inputs need a folder" in error_of(capfd)


def test_an_output_that_exists(clip: Path, tmp_path: Path, weights: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out.mp4").write_bytes(b"older")
    assert main(["enhance", str(clip), "-o", str(tmp_path / "out.mp4"), "--weights", str(weights)]) == FAILED
    assert "--overwrite" in error_of(capfd)
    assert (tmp_path / "out.mp4").read_bytes() == b"older"
    assert names(tmp_path) == {"out.mp4"}


def test_an_output_without_a_format(
    clip: Path, tmp_path: Path, weights: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["enhance", str(clip), "-o", str(tmp_path / "out.xyz"), "--weights", str(weights)]) == USAGE
    assert "known are" in error_of(capfd)


@pytest.mark.parametrize("camera", ["97", "/dev/video97"])
def test_a_camera_that_is_not_there(camera: str, weights: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["live", camera, "--no-window", "--weights", str(weights)]) == FAILED
    assert "not there" in error_of(capfd)


def test_a_network_camera_that_is_not_there(weights: Path, capfd: pytest.CaptureFixture[str]) -> None:
    # Nothing listens on the discard port; the password must not be shown.
    address = "http://me:secret@127.0.0.1:9/stream"
    assert main(["live", address, "--no-window", "--weights", str(weights)]) == FAILED
    assert "secret" not in error_of(capfd)


@pytest.mark.parametrize("command", ["preview", "live"])
def test_no_display(
    command: str, clip: Path, no_display: None, weights: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([command, str(clip), "--weights", str(weights)]) == FAILED
    assert "no display" in error_of(capfd)


@pytest.fixture
def odd_weights(tmp_path: Path) -> Path:
    """A weights file of another network."""
    path = tmp_path / "odd.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"dense"]
        file.create_group("dense").attrs["weight_names"] = [b"kernel"]
        file["dense"].create_dataset("kernel", data=[[1.0, 2.0]])
    return path


@pytest.mark.parametrize("kind", ["another network", "no weights", "missing"])
def test_weights_that_are_none(
    kind: str, clip: Path, odd_weights: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = odd_weights
    if kind == "no weights":
        path.write_text("not a weights file")
    elif kind == "missing":
        path = tmp_path / "nowhere.h5"
    before = names(tmp_path)
    assert main(["enhance", str(clip), "-o", str(tmp_path / "out.mp4"), "--weights", str(path)]) == FAILED
    assert path.name in error_of(capfd)
    assert names(tmp_path) == before


def test_weights_that_were_altered(
    clip: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "index.json").write_text(json.dumps({"night": {"file": "n.h5", "sha256": "0" * 64, "about": ""}}))
    (tmp_path / "n.h5").write_text("altered")
    monkeypatch.setattr(weights_module, "bundled_folder", lambda: tmp_path)
    before = names(tmp_path)
    assert main(["enhance", str(clip), "-o", str(tmp_path / "out.mp4")]) == FAILED
    assert "altered" in error_of(capfd)
    assert names(tmp_path) == before


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--start", "99"], "behind the end"),
        (["--duration", "0"], "duration"),
        (["--exposure", "9"], "stops from 0 to 6"),
        (["--exposure", "bright"], "stops from 0 to 6"),
        (["--device", "tpu"], "tpu"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_values_that_do_not_fit(
    options: list[str], says: str, clip: Path, tmp_path: Path, weights: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out.mp4"
    assert main(["enhance", str(clip), "-o", str(target), "--weights", str(weights), *options]) == USAGE
    assert says in error_of(capfd)
    assert list(tmp_path.iterdir()) == []


def test_a_device_that_is_not_there(
    clip: Path, tmp_path: Path, weights: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    options = ["-o", str(tmp_path / "out.mp4"), "--weights", str(weights), "--device", "gpu:99"]
    assert main(["enhance", str(clip), *options]) == FAILED
    assert "gpu:99" in error_of(capfd)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_is_in_the_json_too(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["enhance", str(tmp_path / "missing.mp4"), "--json"]) == FAILED
    summary = json.loads(capfd.readouterr().out)
    assert summary["ok"] is False
    assert "missing.mp4" in summary["results"][0]["error"]
