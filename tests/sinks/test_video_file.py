"""Video files: what is written, the part file and who may write it, resuming, and ends of all kinds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import plain as plain_program
import pytest
import synthetic
from doubles import Echo, RecordingSink, ScriptedSource, Viewer
from ffmpeg_tools import make_video, playable, probe, times
from plain import Plain

from realtime import (
    EncodingOptions,
    Frame,
    InputOverrides,
    Report,
    SettingError,
    SinkError,
    StreamInfo,
    enhance_video,
    open_sink,
    open_source,
    run,
)
from realtime.frame import RGB, PixelFormat
from realtime.media.libav import av
from realtime.media.part_file import part_path, previous_part_path
from realtime.sinks.video_file import VideoFileSink

PROGRAM = [sys.executable, plain_program.__file__]
PLANES = PixelFormat("yuv", 8, (2, 2), "bt601", full_range=False)
INFO = StreamInfo(64, 48, PLANES, Fraction(1, 25), Fraction(25))
RESUMABLE = [".mp4", ".mkv", ".ts"]


def frames(count: int, first: int = 0, format: PixelFormat = PLANES) -> list[Frame]:
    result = []
    for index in range(first, first + count):
        planes = [np.full(shape, 128, format.dtype) for shape in format.shapes(64, 48)]
        planes[0][:] = synthetic.level(index)
        result.append(Frame(tuple(planes), format, index, Fraction(1, 25)))
    return result


def write(sink: Any, count: int, first: int = 0, info: StreamInfo = INFO) -> None:
    sink.open(info)
    for frame in frames(count, first, info.format):
        sink.write(frame)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".m4v", ".ts"])
def test_every_frame_is_there_at_its_time(suffix: str, tmp_path: Path) -> None:
    with open_sink(tmp_path / f"out{suffix}") as sink:
        write(sink, 8)
    found = synthetic.read_clip(tmp_path / f"out{suffix}")
    assert [index for _, index in found] == list(range(8))
    # Transport streams begin where they like.
    assert [time - found[0][0] for time, _ in found] == [Fraction(index, 25) for index in range(8)]


def test_rgb_is_taken_too(tmp_path: Path) -> None:
    with open_sink(tmp_path / "out.mp4") as sink:
        sink.open(replace(INFO, format=RGB))
        for index in range(8):
            sink.write(Frame((np.full((48, 64, 3), 30 * index, np.uint8),), pts=index, time_base=Fraction(1, 25)))
    with av.open(str(tmp_path / "out.mp4")) as container:
        lumas = [synthetic.luma(frame) for frame in container.decode(video=0)]
    assert lumas == pytest.approx([16 + 30 * index * 219 / 255 for index in range(8)], abs=1)


def test_a_frame_of_another_size_is_one_line_and_what_was_written_is_kept(tmp_path: Path) -> None:
    sink = open_sink(tmp_path / "out.mp4")
    with pytest.raises(SinkError, match="has frames of 64x48, and one of 6x4 came; resize it first"), sink:  # noqa: PT012
        write(sink, 8)
        sink.write(Frame(tuple(np.zeros(shape, np.uint8) for shape in PLANES.shapes(6, 4)), PLANES, 9, Fraction(1, 25)))
    assert playable(part_path(tmp_path / "out.mp4")) == 8


def test_images_of_many_sizes_become_one_video(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for index, size in enumerate([(64, 48), (48, 64), (33, 31), (128, 96)]):
        synthetic.image(folder / f"{index}.png", *size)
    report = run(open_source(folder), Plain(), open_sink(tmp_path / "out.mp4"))
    assert report.diagnostics == {"resized_frames": 3}
    assert len(times(tmp_path / "out.mp4")) == 4


def test_an_option_that_the_encoder_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"encoder libx264 knows no option foo$"):
        open_sink(tmp_path / "out.mp4", EncodingOptions(encoder_options={"foo": "bar"})).open(INFO)
    assert os.listdir(tmp_path) == []
    with open_sink(tmp_path / "out.mp4", EncodingOptions(encoder_options={"tune": "film", "crf": "30"})) as sink:
        write(sink, 8)


def test_a_container_that_cannot_hold_the_codec_says_what_would(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"\.mkv takes all codecs; another codec may fit$"):
        open_sink(tmp_path / "b.webm").open(INFO)
    assert os.listdir(tmp_path) == []


def test_its_own_input_is_refused_whatever_its_name(tmp_path: Path) -> None:
    source = synthetic.clip(tmp_path / "a.mp4")
    content = source.read_bytes()
    os.link(source, tmp_path / "same.mp4")
    for paced in (False, True):
        for name in ("a.mp4", "same.mp4"):
            with pytest.raises(SettingError, match="is the input; writing over it would destroy it"):
                run(open_source(source, paced=paced), Plain(), open_sink(tmp_path / name, overwrite=True))
    assert source.read_bytes() == content
    assert sorted(os.listdir(tmp_path)) == ["a.mp4", "same.mp4"]


def test_two_sinks_for_one_file(tmp_path: Path) -> None:
    """The second is refused at once; what the first wrote is whole."""
    path = tmp_path / "out.mp4"
    late = open_sink(path, overwrite=True)
    with open_sink(path) as first:
        write(first, 8)
        with pytest.raises(SinkError, match="is being written by"):
            open_sink(path)
        with pytest.raises(SinkError, match="is being written by"), late:
            late.open(INFO)
        for frame in frames(8, 8):
            first.write(frame)
    assert [index for _, index in synthetic.read_clip(path)] == list(range(16))
    assert os.listdir(tmp_path) == ["out.mp4"]


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    sink = open_sink(path)
    with pytest.raises(SinkError, match="has appeared meanwhile, and is not replaced; what was written is kept"), sink:  # noqa: PT012
        write(sink, 8)
        path.write_bytes(b"of somebody else")
    assert path.read_bytes() == b"of somebody else"
    assert playable(part_path(path)) == 8
    early = open_sink(tmp_path / "b.mp4")
    (tmp_path / "b.mp4").write_bytes(b"of somebody else")
    with pytest.raises(SinkError, match="exists"), early:
        early.open(INFO)
    assert not part_path(tmp_path / "b.mp4").exists()


def test_a_file_that_lost_frames_does_not_get_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a muxer or a disk swallowed without an error."""
    path = tmp_path / "out.ts"
    sink = open_sink(path)
    assert isinstance(sink, VideoFileSink)
    with pytest.raises(SinkError, match=r"\d+ of the 60 frames that were written can be read back"), sink:  # noqa: PT012
        write(sink, 60)
        assert sink._writer is not None
        finish = sink._writer.finish

        def swallow(stopped_early: bool) -> None:
            finish(stopped_early)
            data = part_path(path).read_bytes()
            sink._part.file.truncate(len(data) // 2)

        monkeypatch.setattr(sink._writer, "finish", swallow)
    assert not path.exists()


@pytest.mark.parametrize("suffix", RESUMABLE)
def test_abort_keeps_every_frame_and_resume_goes_on(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"out{suffix}"
    options = EncodingOptions(encoder_options={"sc_threshold": "0"})
    first = open_sink(path, options)
    assert isinstance(first, VideoFileSink)
    first.set_metadata({"realtime_job": "job-1"})
    write(first, 120)
    first.abort()
    assert playable(part_path(path)) == 120
    with pytest.raises(
        SinkError, match="from an interrupted run; resume=True continues it, overwrite=True starts over"
    ):
        open_sink(path)
    second = open_sink(path, options, resume=True)
    assert isinstance(second, VideoFileSink)
    second.set_metadata({"realtime_job": "job-1"})
    kept = second.resume("job-1", INFO, source_times)
    assert kept == 100
    with second:
        write(second, 50, kept)
    found = synthetic.read_clip(path)
    assert len(found) == 150
    assert [time - found[0][0] for time, _ in found] == [
        pytest.approx(Fraction(index, 25), abs=0.001) for index in range(150)
    ]
    assert os.listdir(tmp_path) == [path.name]


def source_times(exact: bool) -> Sequence[Fraction]:
    return [Fraction(index, 25) for index in range(200)]


def interrupted(path: Path, count: int = 120) -> None:
    sink = open_sink(path, EncodingOptions(encoder_options={"sc_threshold": "0"}))
    assert isinstance(sink, VideoFileSink)
    sink.set_metadata({"realtime_job": "job-1"})
    write(sink, count)
    sink.abort()


def test_what_an_interrupted_run_left_survives_a_resume_that_ends_at_once(tmp_path: Path) -> None:
    path = tmp_path / "out.mkv"
    interrupted(path)
    for ending in ("never opened", "no frame", "a few frames"):
        sink = open_sink(path, resume=True)
        assert isinstance(sink, VideoFileSink)
        assert sink.resume("job-1", INFO, source_times) == 100, ending
        if ending != "never opened":
            sink.open(INFO)
        if ending == "a few frames":
            for frame in frames(3, 100):
                sink.write(frame)
        sink.abort()


def test_other_settings_are_refused_and_leave_the_part(tmp_path: Path) -> None:
    path = tmp_path / "out.mkv"
    interrupted(path)
    sink = open_sink(path, resume=True)
    assert isinstance(sink, VideoFileSink)
    with pytest.raises(SinkError, match="with other settings"):
        sink.resume("job-2", INFO, source_times)
    sink.abort()
    assert playable(part_path(path)) == 120


def test_starting_over_forgets_what_was_left(tmp_path: Path) -> None:
    path = tmp_path / "out.mkv"
    interrupted(path)
    os.replace(part_path(path), previous_part_path(path))
    sink = open_sink(path, overwrite=True)
    write(sink, 8)
    sink.abort()
    assert os.listdir(tmp_path) == [part_path(path).name]


@pytest.mark.parametrize("content", [b"no video", b""])
def test_a_part_that_cannot_be_read_starts_over_and_says_so(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    part_path(path).write_bytes(content)
    info = replace(INFO, diagnostics=type(INFO.diagnostics)())
    sink = open_sink(path, resume=True)
    assert isinstance(sink, VideoFileSink)
    assert sink.resume("job-1", info, source_times) == 0
    assert [("starts over" in text) for text in info.diagnostics.warnings] == ([True] if content else [])
    with sink:
        write(sink, 8)
    assert len(synthetic.read_clip(path)) == 8


def test_a_source_that_ends_before_the_frames_that_were_kept_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "out.mkv"
    interrupted(path)
    sink = open_sink(path, resume=True)
    assert isinstance(sink, VideoFileSink)
    sink.resume("job-1", INFO, source_times)
    with pytest.raises(SinkError, match="ended before the 100 frames"), sink:
        sink.open(INFO)
    assert not path.exists()
    assert playable(previous_part_path(path)) == 120


@pytest.mark.needs("ffmpeg", "ffprobe")
@pytest.mark.parametrize("count", [*range(25, 38), 40, 53, 79])
def test_the_last_picture_is_shown_whatever_the_length(count: int, tmp_path: Path) -> None:
    """The muxer's edit list hides it where a fragment happens to begin behind it."""
    source, out = make_video(tmp_path / "a.mp4", "-frames:v", str(count), seconds=4), tmp_path / "out.mp4"
    enhance_video(source, out, enhancer=Plain())
    about = ("-count_frames", "-select_streams", "v:0", "-show_entries", "stream=nb_read_frames,duration")
    (stream,) = probe(out, *about)["streams"]
    assert (int(stream["nb_read_frames"]), Fraction(stream["duration"])) == (count, Fraction(count, 25))


@pytest.mark.needs("ffmpeg", "ffprobe")
def test_stopping_early_ends_the_sound_with_the_pictures(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mp4", "-f", "lavfi", "-i", "sine=d=4", "-c:a", "aac", seconds=4)
    with open_source(source) as opened, open_sink(tmp_path / "out.mp4") as sink:
        assert isinstance(sink, VideoFileSink)
        sink.open(replace(opened.info, format=opened.info.format))
        for index, frame in enumerate(opened.frames()):
            sink.write(frame)
            if index == 49:
                sink.stop_early()
                break
    with av.open(str(tmp_path / "out.mp4")) as container:
        ends = {stream.type: float(stream.duration * stream.time_base) for stream in container.streams}
    assert ends["video"] == pytest.approx(2.0)
    assert ends["audio"] == pytest.approx(2.0, abs=0.05)


def test_each_output_counts_its_own_frames(tmp_path: Path) -> None:
    """A window that is slow beside a recording: it drops frames, the recording none."""
    gate = threading.Event()
    count = 30

    def stuck(index: int) -> None:
        if index == 0:
            gate.wait(60)

    slow = Viewer(stuck)

    def between(index: int) -> None:
        while len(recorded.indices) <= index:  # the recording keeps up, the viewer is stuck with the first frame
            time.sleep(0.001)
        if index == count - 1:
            gate.set()

    recorded = RecordingSink()
    report = run(ScriptedSource(count, live=True, between=between), Echo(), [slow, recorded])
    first, second = report.outputs
    assert (second.frames, second.dropped) == (len(recorded.indices), 0) == (count, 0)
    assert (first.frames, first.dropped) == (len(slow.indices), count - len(slow.indices))
    assert first.dropped > 0


@pytest.mark.needs("ffmpeg", "ffprobe")
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("keep_partial", [False, True])
def test_an_interrupt_leaves_a_part_that_plays_or_the_short_file(
    number: int, keep_partial: bool, tmp_path: Path
) -> None:
    source, out = make_video(tmp_path / "a.mp4", seconds=8), tmp_path / "out.mp4"
    arguments = [str(source), str(out), "0.03", *(["keep_partial"] if keep_partial else [])]
    with subprocess.Popen([*PROGRAM, *arguments], stderr=subprocess.PIPE) as program:
        while playable(part_path(out)) < 60 and program.poll() is None:
            time.sleep(0.1)
        program.send_signal(number)
        program.wait(60)
        assert program.returncode == 130
    kept = out if keep_partial else part_path(out)
    assert sorted(os.listdir(tmp_path)) == sorted(["a.mp4", kept.name])
    assert 60 <= playable(kept) < 200
    if not keep_partial:
        report = enhance_video(source, out, enhancer=Plain(), resume=True)
        assert report.frames < 200 - 50 + 1
        assert times(out) == times(source)


@pytest.mark.needs("ffmpeg", "ffprobe")
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_a_second_interrupt_while_a_slow_frame_is_written_breaks_nothing(tmp_path: Path) -> None:
    """Both come while the threads are joined: the file is closed once, by one thread, when none writes any more."""
    source, out = make_video(tmp_path / "a.mp4", seconds=8), tmp_path / "out.mp4"
    with subprocess.Popen([*PROGRAM, str(source), str(out), "0.2"], stderr=subprocess.PIPE, text=True) as program:
        while playable(part_path(out)) < 13 and program.poll() is None:
            time.sleep(0.1)
        program.send_signal(signal.SIGINT)
        time.sleep(0.05)
        program.send_signal(signal.SIGINT)
        _, said = program.communicate(timeout=60)
        assert program.returncode == 130
        assert "Traceback" not in said
    assert sorted(os.listdir(tmp_path)) == [".out.part.mp4", "a.mp4"]
    assert playable(part_path(out)) >= 13


@pytest.mark.needs("ffmpeg", "ffprobe")
@pytest.mark.parametrize("suffix", RESUMABLE)
def test_a_killed_run_leaves_a_playable_part_that_resume_completes(suffix: str, tmp_path: Path) -> None:
    source, out = make_video(tmp_path / "a.mp4", seconds=8), tmp_path / f"out{suffix}"
    with subprocess.Popen([*PROGRAM, str(source), str(out), "0.03"]) as program:
        while playable(part_path(out)) < 60 and program.poll() is None:
            time.sleep(0.1)
        program.kill()
    assert not out.exists()
    assert 60 <= playable(part_path(out)) < 200
    with pytest.raises(SinkError, match="resume=True continues it"):
        enhance_video(source, out, enhancer=Plain())
    report = enhance_video(source, out, enhancer=Plain(), resume=True)
    assert report.frames < 200 - 50 + 1
    shown = times(out)
    assert [t - shown[0] for t in shown] == [pytest.approx(t, abs=0.001) for t in times(source)]
    assert sorted(os.listdir(tmp_path)) == sorted(["a.mp4", out.name])


@pytest.mark.needs("ffmpeg", "ffprobe")
@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
@pytest.mark.parametrize("suffix", RESUMABLE)
@pytest.mark.parametrize("size", [200_000, 2_000], ids=["midway", "at once"])
def test_a_full_disk_is_one_line_and_only_a_playable_part_is_kept(suffix: str, size: int, tmp_path: Path) -> None:
    import resource

    source, out = make_video(tmp_path / "a.mp4", "-vf", "noise=alls=80:allf=t", seconds=8), tmp_path / f"out{suffix}"

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    command = [*PROGRAM, str(source), str(out), "0"]
    program = subprocess.run(command, preexec_fn=limit, capture_output=True, text=True, timeout=100)
    assert program.returncode == 1
    (line,) = program.stderr.splitlines()
    assert line.startswith(f"realtime: {out} cannot be written: File too large")
    assert not out.exists()
    part = part_path(out)
    assert part.exists() == line.endswith(f"; what was written is kept in {part}; resume=True continues it")
    assert part.exists() == (playable(part) > 0)
    if size == 200_000:
        assert 50 <= playable(part) < 200
        enhance_video(source, out, enhancer=Plain(), resume=True)
        assert len(times(out)) == 200
        assert sorted(os.listdir(tmp_path)) == sorted(["a.mp4", out.name])


@pytest.mark.needs("ffmpeg", "ffprobe")
@pytest.mark.parametrize("suffix", RESUMABLE)
def test_a_folder_that_vanishes(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.report.PROGRESS_INTERVAL", 0.0)
    source, folder = make_video(tmp_path / "a.mp4", seconds=4), tmp_path / "stick"
    folder.mkdir()

    def progress(report: Report) -> None:
        if report.frames == 60:
            folder.rename(tmp_path / "elsewhere")

    with pytest.raises(SinkError, match=r"was removed or replaced while it was being written$"):
        enhance_video(source, folder / f"out{suffix}", enhancer=Plain(), progress=progress)
    assert not folder.exists()
    (tmp_path / "elsewhere").rename(folder)
    assert os.listdir(folder) == [f".out.part{suffix}"]
    assert playable(folder / f".out.part{suffix}") >= 60


@pytest.mark.parametrize("length", [244, 250, 255])
def test_a_long_name_is_written_and_resumed(length: int, tmp_path: Path) -> None:
    path = tmp_path / ("n" * (length - 4) + ".mkv")
    interrupted(path)
    sink = open_sink(path, resume=True)
    assert isinstance(sink, VideoFileSink)
    kept = sink.resume("job-1", INFO, source_times)
    assert kept == 100
    with sink:
        write(sink, 10, kept)
    assert os.listdir(tmp_path) == [path.name]


def test_a_part_of_a_file_is_written_with_overrides(tmp_path: Path) -> None:
    source = synthetic.clip(tmp_path / "a.mp4")
    enhance_video(source, tmp_path / "out.mp4", enhancer=Plain(), input=InputOverrides(start=0.12, duration=0.12))
    assert synthetic.read_clip(tmp_path / "out.mp4") == synthetic.regular(3, first=3)
