"""``realtime enhance``, as a user calls it."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import synthetic
from doubles import Terminal

from realtime import EncodingOptions, Frame, StreamInfo, open_sink
from realtime.cli.main import main


@pytest.fixture
def options(weights: Path) -> list[str]:
    """Input comes out as it was, so that frames can be told apart afterwards."""
    quick = ["--engine", "exact", "--precision", "float32", "--exposure", "off", "--strength", "0"]
    return ["--weights", str(weights), *quick]


@pytest.fixture
def here(tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a clip."""
    (tmp_path / "a.mp4").write_bytes(clip.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_one_file_beside_itself(here: Path, options: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["enhance", "a.mp4", *options]) == 0
    assert synthetic.read_clip(here / "a_enhanced.mp4") == synthetic.regular()
    assert names(here) == ["a.mp4", "a_enhanced.mp4"]
    out, err = capfd.readouterr()
    assert out == ""
    # No terminal, no progress: only the summary.
    assert err.splitlines()[-1].startswith("a.mp4 -> a_enhanced.mp4: 8 frames in ")
    assert "\r" not in err
    assert "\x1b" not in err
    # What is there stays, unless it is to be replaced.
    before = (here / "a_enhanced.mp4").read_bytes()
    (here / "a_enhanced.mp4").write_bytes(b"of yesterday")
    assert main(["enhance", "a.mp4", *options]) == 1
    assert (here / "a_enhanced.mp4").read_bytes() == b"of yesterday"
    assert main(["enhance", "a.mp4", "--overwrite", "-q", *options]) == 0
    assert len((here / "a_enhanced.mp4").read_bytes()) == len(before)


def test_a_batch_with_one_broken_file(here: Path, options: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """Several inputs of several kinds into a folder that is made; the others are done, and JSON tells which."""
    (here / "b.mp4").write_text("no film")
    synthetic.image(here / "c.png")
    assert main(["enhance", str(here), "-o", "out/deep", "--json", *options]) == 1
    assert names(here / "out" / "deep") == ["a.mp4", "c.png"]
    assert synthetic.read_clip(here / "out" / "deep" / "a.mp4") == synthetic.regular()
    assert synthetic.read_image(here / "out" / "deep" / "c.png").shape == (48, 64, 3)
    out, err = capfd.readouterr()
    assert "Traceback" not in err
    assert [line for line in err.splitlines() if "b.mp4" in line]
    summary = json.loads(out)
    assert set(summary) >= {"version", "command", "ok", "seconds", "results"}
    assert (summary["command"], summary["ok"]) == ("enhance", False)
    good, bad, picture = summary["results"]
    assert good["error"] is None
    assert (good["frames"], good["dropped"], good["width"], good["height"]) == (8, 0, 64, 48)
    assert (good["engine"], good["device"], good["precision"]) == ("exact", "cpu", "float32")
    assert good["latency_ms"] is None
    assert good["seconds"] > 0
    assert good["fps"] > 0
    assert good["warnings"] == []
    assert Path(good["output"]) == Path("out/deep/a.mp4")
    assert "b.mp4" in bad["error"]
    assert picture["frames"] == 1


@pytest.mark.parametrize(
    ("part", "first", "count"),
    [(["--start", "0.12"], 3, 5), (["--duration", "0.1"], 0, 3), (["--start", "0.08", "--duration", "0.12"], 2, 3)],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_part_keeps_the_right_frames(
    part: list[str], first: int, count: int, here: Path, options: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["enhance", "a.mp4", "-o", "part.mp4", "--quiet", *part, *options]) == 0
    assert capfd.readouterr() == ("", "")
    assert synthetic.read_clip(here / "part.mp4") == synthetic.regular(count, first=first)


def test_sound_comes_along(here: Path, clip_with_sound: Path, options: list[str]) -> None:
    from realtime.media.libav import av

    assert main(["enhance", str(clip_with_sound), "-o", "out.mp4", "-q", *options]) == 0
    sounds = []
    for path in (clip_with_sound, here / "out.mp4"):
        with av.open(str(path)) as container:
            packets = [packet for packet in container.demux(audio=0) if packet.size]
            sounds.append([(packet.pts * packet.time_base, bytes(packet)) for packet in packets])
    assert sounds[0] == sounds[1]
    assert len(sounds[0]) > 5


def test_encoder_options_reach_the_encoder(here: Path, options: list[str]) -> None:
    sizes = []
    with open_sink("grain.mp4", EncodingOptions(crf=1)) as sink:
        sink.open(StreamInfo(64, 48, time_base=Fraction(1, 25), rate=Fraction(25)))
        for index, picture in enumerate(synthetic.noise(64, 48, 4, top=256)):
            sink.write(Frame((picture,), pts=index, time_base=Fraction(1, 25)))
    for crf in ("1", "45"):
        target = here / f"crf{crf}.mp4"
        assert main(["enhance", "grain.mp4", "-o", str(target), "--crf", crf, "-q", *options]) == 0
        sizes.append(target.stat().st_size)
    assert sizes[0] > 1.5 * sizes[1]


def test_the_bundled_weights_are_the_default(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    picture = synthetic.image(here / "dark.png", value=25)
    assert main(["enhance", "dark.png", "--json"]) == 0
    result: dict[str, Any] = json.loads(capfd.readouterr().out)["results"][0]
    assert result["frames"] == 1
    after = synthetic.read_image(here / "dark_enhanced.png")
    assert after.mean() > synthetic.read_image(picture).mean() + 10


def test_progress_on_a_terminal(here: Path, options: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr("realtime.report.PROGRESS_INTERVAL", 0.0)
    assert main(["enhance", "a.mp4", "-o", "shown.mp4", *options]) == 0
    assert "8/8" in screen.text
    assert "fps" in screen.text
    assert "shown.mp4" in screen.text
    quiet = Terminal()
    monkeypatch.setattr("sys.stderr", quiet)
    assert main(["enhance", "a.mp4", "-o", "quiet.mp4", "-q", *options]) == 0
    assert quiet.text == ""
