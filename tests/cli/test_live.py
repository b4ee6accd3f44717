"""``realtime live`` and ``preview`` without a window."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import synthetic

from realtime import Frame, SinkError, StreamInfo
from realtime.cli import live_run
from realtime.cli.main import main, parser
from realtime.sinks.video_file import VideoFileSink

#: The name of a recording by when it began, and what makes a second one within a second differ.
DATED = r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d(_\d)?"


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


@pytest.mark.parametrize("every", [[], ["--record-every", "1"]])
def test_a_strict_recording_that_cannot_hold_true_times_is_refused_at_once(
    clip: Path, options: list[str], every: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "a.avi"
    assert main(["live", str(clip), "--strict", "--record", str(target), *every, *options]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert "AVI holds no time for each frame, which --strict refuses; record to .mkv" in line
    assert list(tmp_path.iterdir()) == []


def test_without_strict_a_warning_says_it(
    clip: Path, options: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["live", str(clip), "--record", str(tmp_path / "a.avi"), *options]) == 0
    (result,) = json.loads(capfd.readouterr().out)["results"]
    assert any("counts all times from zero" in text for text in result["warnings"])


@pytest.mark.parametrize(("kind", "is_a"), [("stream", "stream"), ("clip", "file")])
@pytest.mark.parametrize("given", [["--size", "640x480"], ["--fps", "5", "--fourcc", "MJPG"]])
def test_what_only_a_camera_can_be_asked_for_is_refused_elsewhere(
    clip: Path, options: list[str], kind: str, is_a: str, given: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    source = str(clip) if kind == "clip" else "rtsp://user:hush@127.0.0.1:9/stream"
    assert main(["live", source, *given, *options]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert given[0] in line
    assert f"is a {is_a}, which" in line
    assert "hush" not in line


@pytest.mark.usefixtures("no_display")
@pytest.mark.parametrize(
    ("chosen", "every", "patterns"),
    [
        ("cam.mkv", None, [r"cam", rf"cam_{DATED}", rf"cam_{DATED}"]),
        ("cam.mkv", "1", [rf"cam_{DATED}"] * 3),
        ("", "1", [DATED] * 3),
    ],
)
def test_recordings_that_are_stopped_and_started_keep_the_name(
    chosen: str, every: str | None, patterns: list[str], tmp_path: Path
) -> None:
    words = ["live", "0", "--no-window", "--record", str(tmp_path / chosen)]
    args = parser().parse_args([*words, *(["--record-every", every] if every else [])])
    recording = live_run._recording(args)
    assert recording is not None
    info = StreamInfo(64, 48, live=True)
    with recording:
        recording.format_for(info)
        recording.open(info)
        for index in range(6):
            recording.write(Frame((np.full((48, 64, 3), 9, np.uint8),), pts=40 * index))
            if index % 2:
                recording.toggle()
                recording.write(Frame((np.full((48, 64, 3), 9, np.uint8),), pts=40 * index + 20))
                recording.toggle()
    names = sorted(path.stem for path in tmp_path.iterdir())
    assert len(names) == 3
    assert all(re.fullmatch(pattern, name) for pattern, name in zip(patterns, names)), names


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
    clip: Path, options: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(sink: VideoFileSink, info: StreamInfo) -> None:
        raise SinkError("no space left on device")

    monkeypatch.setattr(VideoFileSink, "open", full)
    target = tmp_path / "a.mkv"
    assert main(["live", str(clip), "--record", str(target), *options]) == 1
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
