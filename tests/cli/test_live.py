"""``realtime live`` and ``preview`` without a window."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import synthetic

from realtime.cli.main import main


@pytest.fixture
def options(weights: Path) -> list[str]:
    """Input comes out as it was."""
    quick = [
        "--engine",
        "exact",
        "--precision",
        "float32",
        "--exposure",
        "off",
        "--strength",
        "0",
        "--denoise",
        "off",
        "--no-window",
        "--json",
    ]
    return ["--weights", str(weights), *quick]


@pytest.mark.usefixtures("no_display")
def test_a_recording_holds_what_was_not_dropped(
    clip: Path, options: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "recorded.mp4"
    assert main(["live", str(clip), "--record", str(target), *options]) == 0
    (result,) = json.loads(capfd.readouterr().out)["results"]
    assert result["output"] == str(target)
    assert result["frames"] + result["dropped"] == synthetic.COUNT
    assert result["latency_ms"]["p50"] > 0
    found = synthetic.read_clip(target)
    assert len(found) == result["frames"] >= 1
    indices = [index for _, index in found]
    assert indices == sorted(indices)


@pytest.mark.usefixtures("no_display")
def test_it_ends_after_a_duration(long_clip: Path, options: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["live", str(long_clip), "--duration", "0.3", *options]) == 0
    (result,) = json.loads(capfd.readouterr().out)["results"]
    assert 1 <= result["frames"] + result["dropped"] <= 4
    assert result["output"] is None


def test_a_limit_by_the_inputs_size_is_refused_before_anything_is_opened(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["live", "no camera", "--max-size-ratio", "2"]) == 2
    assert "a live source has not" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--no-window", "--record-every", "10"], "needs --record FOLDER"),
        (["--token", "a"], "is for the page of --serve"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(
    options: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["live", "no camera", *options]) == 2
    assert says in capsys.readouterr().err


def test_it_does_not_record_over_its_input(
    clip: Path, options: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "n.mp4"
    source.write_bytes(clip.read_bytes())
    (tmp_path / "link.mp4").symlink_to(source)
    for target in ("n.mp4", "link.mp4"):
        assert main(["live", str(source), "--record", str(tmp_path / target), "--overwrite", *options]) == 2
        assert "is the input" in capfd.readouterr().err
        assert source.read_bytes() == clip.read_bytes()


def test_it_does_not_advise_what_it_cannot_do(
    clip: Path, options: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """What an interrupted ``enhance`` left is resumed by ``enhance`` alone."""
    (tmp_path / ".out.part.mp4").write_bytes(b"left")
    (tmp_path / "done.mp4").write_bytes(b"older")
    for target in ("out.mp4", "done.mp4"):
        assert main(["live", str(clip), "--record", str(tmp_path / target), *options]) == 1
        (line,) = capfd.readouterr().err.splitlines()
        assert "--resume" not in line
        assert "--overwrite" in line


@pytest.mark.parametrize("source", ["", " "])
def test_an_empty_source(source: str, options: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["live", source, *options]) == 2
    assert "is empty" in capfd.readouterr().err


def test_a_source_from_the_environment(
    clip: Path, options: list[str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REALTIME_SOURCE", str(clip))
    assert main(["live", *options]) == 0
    (result,) = json.loads(capfd.readouterr().out)["results"]
    assert result["frames"] + result["dropped"] == synthetic.COUNT


def test_a_recording_that_could_not_be_opened_is_no_output(
    clip: Path, options: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """AVI stores no times, which --strict refuses."""
    target = tmp_path / "a.avi"
    assert main(["live", str(clip), "--strict", "--record", str(target), *options]) == 1
    (result,) = json.loads(capfd.readouterr().out)["results"]
    assert result["output"] is None
    assert not target.exists()


def test_a_damaged_file_ends_as_it_is_reported(
    tmp_path: Path, options: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    path = synthetic.clip(tmp_path / "a.ts", width=320, height=240, count=50)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2 // 188 * 188
    data[middle : middle + 188 * 10] = bytes(188 * 10)
    path.write_bytes(data)
    code = main(["live", str(path), *options])
    summary = json.loads(capfd.readouterr().out)
    assert summary["results"][0]["warnings"]
    assert (summary["ok"], code) == (False, 1)
