"""What comes out is the same recording: timing, streams, tags, damage, interruption. ffprobe looks at both sides."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plain import Plain, converted

from realtime import (
    EncodingOptions,
    InputOverrides,
    Report,
    SinkError,
    SourceError,
    StreamInfo,
    enhance_video,
    open_sink,
    open_source,
)
from realtime.cli.main import main
from realtime.frame import PixelFormat
from realtime.media.libav import av
from realtime.media.timestamps import TimestampFixer
from realtime.pipeline import run

#: A run that changes no picture, as a program.
PLAIN = Path(__file__).parents[1] / "plain.py"
pytestmark = pytest.mark.needs("ffprobe", "ffmpeg")


def ffmpeg(*arguments: str | Path) -> None:
    command = ["ffmpeg", "-v", "error", "-y", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def probe(path: Path, *what: str) -> Any:
    command = ["ffprobe", "-v", "error", "-of", "json", *what, str(path)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)


def times(path: Path) -> list[Fraction]:
    """When each picture is shown, in seconds, by the independent reader."""
    found = probe(path, "-select_streams", "v:0", "-show_entries", "packet=pts:stream=time_base")
    base = Fraction(found["streams"][0]["time_base"])
    return sorted(int(packet["pts"]) * base for packet in found["packets"])


def synthetic(path: Path, *more: str, seconds: int = 2, size: str = "64x48") -> Path:
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=s={size}:r=25:d={seconds}", *more, path)
    return path


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sound, subtitles, chapters, timecode, tags and position data in one MP4."""
    folder = tmp_path_factory.mktemp("rich")
    (folder / "a.srt").write_text("1\n00:00:00,500 --> 00:00:01,000\nhello\n")
    chapter = "[CHAPTER]\nTIMEBASE=1/1000\nSTART={}\nEND={}\ntitle={}\n"
    tags = ";FFMETADATA1\ntitle=Trip\n" + chapter.format(0, 1000, "one") + chapter.format(1000, 2000, "two")
    (folder / "tags.txt").write_text(tags)
    first = folder / "first.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=2", "-f", "lavfi", "-i", "sine=d=2"),
        *("-i", folder / "a.srt", "-i", folder / "tags.txt", "-map", "0", "-map", "1", "-map", "2"),
        *("-map_metadata", "3", "-c:a", "aac", "-c:s", "mov_text", "-timecode", "01:00:00:00"),
        *("-aspect", "16:9", first),
    )
    path = folder / "rich.mp4"
    with av.open(str(first)) as source, av.open(str(path), "w") as target:
        streams = {s.index: target.add_stream_from_template(s, opaque=True) for s in source.streams if s.type != "data"}
        position = target.add_data_stream("bin_data")
        position.time_base = Fraction(1, 1000)
        target.metadata.update(source.metadata)
        target.set_chapters(source.chapters())
        streams[0].metadata.update(source.streams[0].metadata)
        for moment in (0, 1000):
            packet = av.Packet(b"GPS%05d" % moment)
            packet.stream, packet.pts, packet.dts, packet.duration = position, moment, moment, 1000
            packet.time_base = Fraction(1, 1000)
            target.mux(packet)
        for packet in source.demux([s for s in source.streams if s.index in streams]):
            if packet.size:
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
    return path


def kinds(path: Path) -> list[tuple[str, str]]:
    found = probe(path, "-show_entries", "stream=codec_type,codec_tag_string")["streams"]
    return [(stream["codec_type"], stream.get("codec_tag_string", "")) for stream in found]


def test_every_stream_tag_and_chapter_is_there(rich: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    report = enhance_video(rich, out, enhancer=Plain())
    assert kinds(out) == kinds(rich)
    assert ("data", "gpmd") in kinds(out)
    assert times(out) == times(rich)
    chapters = probe(rich, "-show_chapters")["chapters"]
    assert len(chapters) == 2
    assert probe(out, "-show_chapters")["chapters"] == chapters
    tags = probe(out, "-show_format")["format"]["tags"]
    assert tags["title"] == "Trip"
    assert tags["enhanced_by"].startswith("realtime ")
    assert "engine plain" in tags["enhanced_with"]
    shape = ("-select_streams", "v:0", "-show_entries", "stream=sample_aspect_ratio:stream_tags=timecode")
    assert probe(out, *shape) == probe(rich, *shape)
    assert report.warnings == ()


def test_what_does_not_fit_is_named_and_strict_refuses_it(rich: Path, tmp_path: Path) -> None:
    report = enhance_video(rich, tmp_path / "out.mkv", enhancer=Plain())
    assert any("data" in warning and "left out" in warning for warning in report.warnings)
    assert not report.damaged
    with pytest.raises(SinkError, match="does not fit into matroska"):
        enhance_video(rich, tmp_path / "strict.mkv", enhancer=Plain(), encoding=EncodingOptions(strict=True))
    assert [path.name for path in tmp_path.iterdir()] == ["out.mkv"]


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation(degrees: int, tmp_path: Path) -> None:
    flat = synthetic(tmp_path / "flat.mp4")
    ffmpeg("-i", flat, "-c", "copy", "-metadata:s:v:0", f"rotate={degrees}", tmp_path / "turned.mp4")
    enhance_video(tmp_path / "turned.mp4", tmp_path / "out.mp4", enhancer=Plain())
    about = ("-select_streams", "v:0", "-show_entries", "stream_side_data=rotation")
    assert probe(tmp_path / "out.mp4", *about) == probe(tmp_path / "turned.mp4", *about)
    assert "rotation" in str(probe(tmp_path / "out.mp4", *about))


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_irregular_times_and_a_late_start(suffix: str, tmp_path: Path) -> None:
    source = synthetic(
        tmp_path / f"a{suffix}", "-vf", "select='not(mod(n\\,3))+lt(n\\,9)'", "-vsync", "vfr", "-bf", "2"
    )
    late = tmp_path / f"late{suffix}"
    ffmpeg("-itsoffset", "1.5", "-i", source, "-c", "copy", late)
    for path in (source, late):
        enhance_video(path, tmp_path / f"out{suffix}", enhancer=Plain(), overwrite=True)
        assert times(tmp_path / f"out{suffix}") == times(path)


def test_an_edit_list_that_cuts_the_beginning(tmp_path: Path) -> None:
    source = synthetic(tmp_path / "a.mp4", "-g", "50")
    ffmpeg("-ss", "0.5", "-i", source, "-c", "copy", tmp_path / "cut.mp4")
    enhance_video(tmp_path / "cut.mp4", tmp_path / "out.mp4", enhancer=Plain())
    shown = [frame.pts for frame in open_source(tmp_path / "cut.mp4").frames()]
    assert len(times(tmp_path / "out.mp4")) == len(shown)


def test_a_clock_repairs_and_counts() -> None:
    clock = TimestampFixer(Fraction(1, 25))
    assert [clock.fix(pts) for pts in (0, 1, 1, None, 4, 3, 6)] == [0, 1, 2, 3, 4, 5, 6]
    assert clock.repaired == 3
    joined = TimestampFixer(Fraction(1, 25))
    assert [joined.fix(pts) for pts in (100, 101, 0, 1, 2)] == [100, 101, 102, 103, 104]


@pytest.mark.parametrize("matrix", ["bt601", "bt709", "bt2020"])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("chroma", [(2, 2), (2, 1), (1, 1)])
@pytest.mark.parametrize("bits", [8, 10])
def test_a_round_trip_through_rgb_moves_no_sample(matrix: Any, full: bool, chroma: Any, bits: int) -> None:
    format = PixelFormat("yuv", bits, chroma, matrix, full)
    random = np.random.default_rng(1)
    # ChromaDeveloper that exist: what lies outside RGB's cube cannot come back.
    from realtime.enhance.color_ops import from_rgb, quantize

    rgb = random.uniform(0, 1, (1, 24, 32, 3)).astype(np.float32)
    rgb = rgb.reshape(1, 12, 2, 16, 2, 3)[:, :, :1, :, :1].repeat(2, 2).repeat(2, 4).reshape(1, 24, 32, 3)
    planes = tuple(np.asarray(plane)[0] for plane in quantize(from_rgb(rgb, format), format))
    again = converted(planes, format, format)
    assert max(int(np.abs(a.astype(int) - b.astype(int)).max()) for a, b in zip(planes, again)) <= 1


@pytest.mark.parametrize("pixels", ["yuv420p", "yuvj420p", "yuv422p", "yuv444p", "gray", "yuv420p10le"])
def test_a_lossless_copy_is_the_same_samples(pixels: str, tmp_path: Path) -> None:
    source = synthetic(tmp_path / "a.mkv", "-pix_fmt", pixels, "-c:v", "ffv1", seconds=1)
    enhance_video(
        source, tmp_path / "out.mkv", enhancer=Plain(), encoding=EncodingOptions(codec="ffv1", pixel_format="source")
    )
    before, after = (list(open_source(path).frames()) for path in (source, tmp_path / "out.mkv"))
    assert len(before) == len(after) == 25
    assert before[0].format == after[0].format
    assert all(np.array_equal(p, q) for a, b in zip(before, after) for p, q in zip(a.planes, b.planes))


def test_color_tags_and_overrides(tmp_path: Path) -> None:
    tags = ("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "pc")
    source = synthetic(tmp_path / "a.mp4", *tags)
    enhance_video(source, tmp_path / "out.mp4", enhancer=Plain())
    about = ("-select_streams", "v:0", "-show_entries", "stream=color_space,color_primaries,color_transfer,color_range")
    assert probe(tmp_path / "out.mp4", *about) == probe(source, *about)
    other = open_source(source, InputOverrides(matrix="bt601", full_range=False)).info.format
    assert (other.matrix, other.full_range) == ("bt601", False)


def test_hdr_is_refused_and_taken_when_told(tmp_path: Path) -> None:
    source = synthetic(
        tmp_path / "a.mp4",
        *("-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-x265-params", "log-level=none"),
        *("-colorspace", "bt2020nc", "-color_primaries", "bt2020", "-color_trc", "smpte2084"),
        seconds=1,
    )
    with pytest.raises(SourceError, match=r"HDR \(PQ\)"):
        open_source(source)
    out = tmp_path / "out.mp4"
    enhance_video(source, out, enhancer=Plain(), encoding=EncodingOptions(codec="hevc"), input=InputOverrides(hdr=True))
    about = ("-select_streams", "v:0", "-show_entries", "stream=pix_fmt,color_transfer")
    assert probe(out, *about)["streams"] == [{"pix_fmt": "yuv420p10le", "color_transfer": "smpte2084"}]


@pytest.mark.parametrize("name", ["playlist.mp4", "concat.mp4", "session.mp4"])
def test_a_text_that_points_elsewhere_is_no_video(name: str, tmp_path: Path) -> None:
    secret = synthetic(tmp_path / "secret.mp4", seconds=1)
    texts = {
        "playlist.mp4": f"#EXTM3U\n#EXTINF:10,\n{secret}\n",
        "concat.mp4": f"ffconcat version 1.0\nfile {secret}\n",
        "session.mp4": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    }
    (tmp_path / name).write_text(texts[name])
    with pytest.raises(SourceError, match="not followed"):
        open_source(tmp_path / name)


def test_a_cut_file_is_done_as_far_as_it_goes(tmp_path: Path) -> None:
    source = synthetic(tmp_path / "a.mp4", "-movflags", "faststart", seconds=4)
    packets = probe(source, "-select_streams", "v:0", "-show_entries", "packet=pos")["packets"]
    cut = tmp_path / "cut.mp4"
    # Inside the fiftieth of a hundred pictures; half of the bytes would be inside the first, of which nothing is left.
    cut.write_bytes(source.read_bytes()[: int(packets[50]["pos"]) - 5])
    report = enhance_video(cut, tmp_path / "out.mp4", enhancer=Plain())
    assert report.damaged
    assert report.diagnostics["missing_seconds"] >= 1
    assert 10 < len(times(tmp_path / "out.mp4")) == report.frames < 100


def test_a_cut_avi_is_told_from_a_whole_one(tmp_path: Path) -> None:
    source = synthetic(tmp_path / "a.avi", "-c:v", "mjpeg", seconds=4)
    assert not enhance_video(source, tmp_path / "whole.mkv", enhancer=Plain()).damaged
    (tmp_path / "cut.avi").write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    report = enhance_video(tmp_path / "cut.avi", tmp_path / "out.mkv", enhancer=Plain())
    assert report.diagnostics["missing_seconds"] >= 1
    assert report.damaged


def test_an_option_that_the_encoder_does_not_know_is_refused(tmp_path: Path) -> None:
    source = synthetic(tmp_path / "a.mp4")
    sink = open_sink(tmp_path / "out.mp4", EncodingOptions(encoder_options={"foo": "bar"}))
    with pytest.raises(SinkError, match="knows no option foo"):
        run(open_source(source), Plain(), sink)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
    known = EncodingOptions(encoder_options={"tune": "film", "crf": "30"})
    run(open_source(source), Plain(), open_sink(tmp_path / "out.mp4", known))
    assert times(tmp_path / "out.mp4") == times(source)


def test_a_file_without_its_index_says_so(tmp_path: Path) -> None:
    source = synthetic(tmp_path / "a.mp4")
    (tmp_path / "cut.mp4").write_bytes(source.read_bytes()[:-1500])
    with pytest.raises(SourceError, match="index is missing"):
        open_source(tmp_path / "cut.mp4")


def test_a_size_that_changes(tmp_path: Path) -> None:
    for name, size in (("a.ts", "64x48"), ("b.ts", "96x64")):
        synthetic(tmp_path / name, "-c:v", "mpeg2video", seconds=1, size=size)
    both = tmp_path / "both.ts"
    both.write_bytes((tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes())
    report = enhance_video(both, tmp_path / "out.mkv", enhancer=Plain())
    assert report.diagnostics["resized_frames"] > 20
    assert len(times(tmp_path / "out.mkv")) == report.frames >= 48


def playable(path: Path) -> int:
    """How many pictures the independent reader finds; none while there is no file, or no beginning of one."""
    try:
        return len(times(path))
    except (subprocess.CalledProcessError, KeyError, IndexError):
        return 0


def ctrl_c_at(count: int) -> Callable[[Report], None]:
    def progress(report: Report) -> None:
        if report.frames == count:
            signal.raise_signal(signal.SIGINT)

    return progress


@pytest.fixture
def ctrl_c(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ctrl-C as programs have it, and a report for every frame."""
    monkeypatch.setattr("realtime.report.PROGRESS_INTERVAL", 0.0)
    standing = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, standing)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_ctrl_c_finishes_the_file_where_it_is_on_request(suffix: str, tmp_path: Path, ctrl_c: None) -> None:
    source, out = tmp_path / f"a{suffix}", tmp_path / f"out{suffix}"
    sound = ("-f", "lavfi", "-i", "sine=d=8", "-c:a", "aac")
    synthetic(source, *sound, seconds=8)
    with pytest.raises(KeyboardInterrupt):
        enhance_video(source, out, enhancer=Plain(), progress=ctrl_c_at(60), keep_partial=True)
    assert sorted(os.listdir(tmp_path)) == [source.name, out.name]
    assert 60 <= playable(out) < 100
    found = probe(out, "-select_streams", "a:0", "-show_entries", "packet=pts_time")["packets"]
    # Sound stops with the pictures.
    assert 2 < float(found[-1]["pts_time"]) - float(found[0]["pts_time"]) < playable(out) / 25 + 0.1
    enhance_video(source, out, enhancer=Plain(), overwrite=True)
    assert playable(out) == 200


def test_ctrl_c_before_the_first_frame_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    with pytest.raises(KeyboardInterrupt), open_sink(out) as sink:  # noqa: PT012 (the block is what is interrupted)
        sink.open(StreamInfo(64, 48, rate=Fraction(25)))
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("start", "duration"), [(0.5, None), (None, 1.25), (0.33, 1.11), (1.0, 60.0)])
def test_a_part_that_was_asked_for_is_whole(start: float | None, duration: float | None, tmp_path: Path) -> None:
    source, out = synthetic(tmp_path / "a.mp4", "-bf", "2"), tmp_path / "out.mp4"
    enhance_video(source, out, enhancer=Plain(), input=InputOverrides(start=start, duration=duration))
    begin = Fraction(str(start or 0))
    end = begin + Fraction(str(duration or 60))
    assert playable(out) == sum(begin <= Fraction(index, 25) < end for index in range(50))


def test_a_killed_run_leaves_a_playable_part_that_resume_completes(tmp_path: Path) -> None:
    source = synthetic(tmp_path / "a.mp4", seconds=8)
    out, part = tmp_path / "out.mp4", tmp_path / ".out.part.mp4"
    command = [sys.executable, str(PLAIN), str(source), str(out)]
    run = subprocess.Popen([*command, "0.03"])
    began = time.monotonic()
    while playable(part) < 60 and run.poll() is None:
        assert time.monotonic() - began < 100
        time.sleep(0.1)
    run.kill()
    run.wait()
    assert not out.exists()
    assert 60 <= playable(part) < 200
    with pytest.raises(SinkError, match="resume=True continues it"):
        enhance_video(source, out, enhancer=Plain())
    report = enhance_video(source, out, enhancer=Plain(), resume=True)
    assert report.frames < 200 - 50 + 1
    assert times(out) == times(source)
    assert sorted(os.listdir(tmp_path)) == ["a.mp4", "out.mp4"]


def test_a_manifest_is_checked(tmp_path: Path) -> None:
    source = synthetic(tmp_path / "a.mp4", seconds=1)
    enhance_video(source, tmp_path / "out.mp4", enhancer=Plain(), manifest=True)
    record = tmp_path / "out.mp4.manifest.json"
    assert main(["verify", str(record)]) == 0
    with (tmp_path / "out.mp4").open("ab") as file:
        file.write(b"x")
    assert main(["verify", str(record)]) == 1
