"""Power cuts, two writers, damage and hostile files: what was written stays, and nothing else is read."""

from __future__ import annotations

import os
import random
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import transport_mutations
from ffmpeg_tools import decoding_errors, ffmpeg, in_sync, make_recording, make_video, packet_times, times
from plain import Plain

from realtime import (
    EncodingOptions,
    Enhancer,
    InputOverrides,
    Message,
    Report,
    SinkError,
    SourceError,
    enhance_video,
    open_source,
)
from realtime.media.libav import av

sys.path.insert(0, str(Path(__file__).resolve().parent))
import torture

pytestmark = pytest.mark.needs("ffprobe", "ffmpeg")


class Failure(Exception):
    """What ends a run in these tests."""


@pytest.fixture
def fail_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Callable[[Report], None]]:
    """A progress function that ends the run at a frame, as a failure of anything would."""
    monkeypatch.setattr("realtime.report.PROGRESS_INTERVAL", 0.0)

    def at(count: int) -> Callable[[Report], None]:
        def progress(report: Report) -> None:
            if report.frames == count:
                raise Failure

        return progress

    return at


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_resume_goes_on_in_every_container_and_in_sync(
    suffix: str, codec: str, tmp_path: Path, fail_at: Callable[[int], Any]
) -> None:
    source, out = make_recording(tmp_path / f"a{suffix}"), tmp_path / f"out{suffix}"
    encoding = EncodingOptions(codec)
    with pytest.raises(Failure):
        enhance_video(source, out, enhancer=Plain(), encoding=encoding, progress=fail_at(130))
    with pytest.raises(SinkError, match="other settings"):
        enhance_video(source, out, enhancer=Plain(), encoding=EncodingOptions(codec, crf=30), resume=True)
    heard: list[Message] = []
    report = enhance_video(source, out, enhancer=Plain(), encoding=encoding, resume=True, on_message=heard.append)
    assert [message.text for message in heard] == ["continues behind 100 frames of an interrupted run"]
    assert report.warnings == ()
    assert report.frames == 50
    assert in_sync(source, out)
    assert decoding_errors(out) == ""


@pytest.mark.parametrize("arguments", [("-itsoffset", "1.5"), ("-itsoffset", "95440")], ids=["late", "very late"])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_resume_goes_on_where_times_begin_late(
    arguments: tuple[str, str], suffix: str, tmp_path: Path, fail_at: Callable[[int], Any]
) -> None:
    whole, source, out = make_recording(tmp_path / "whole.mkv"), tmp_path / f"a{suffix}", tmp_path / f"out{suffix}"
    ffmpeg(*arguments, "-i", whole, "-c", "copy", source)
    with pytest.raises(Failure):
        enhance_video(source, out, enhancer=Plain(), progress=fail_at(130))
    assert enhance_video(source, out, enhancer=Plain(), resume=True).frames == 50
    assert in_sync(source, out)


def test_a_damaged_source_is_resumed_by_the_times_of_what_decodes(
    tmp_path: Path, fail_at: Callable[[int], Any]
) -> None:
    source, out = make_recording(tmp_path / "a.ts", "-bf", "0"), tmp_path / "out.mkv"
    data = bytearray(source.read_bytes())
    start = len(data) // 4 // 188 * 188
    data[start : start + 188 * 12] = bytes(188 * 12)
    source.write_bytes(data)
    whole = enhance_video(source, tmp_path / "whole.mkv", enhancer=Plain())
    assert whole.damaged
    with pytest.raises(Failure):
        enhance_video(source, out, enhancer=Plain(), progress=fail_at(whole.frames - 10))
    report = enhance_video(source, out, enhancer=Plain(), resume=True)
    assert 0 < report.frames < whole.frames // 2
    assert times(out) == times(tmp_path / "whole.mkv")


def test_avi_starts_over_and_says_so(tmp_path: Path, fail_at: Callable[[int], Any]) -> None:
    source, out = make_video(tmp_path / "a.mp4", seconds=6), tmp_path / "out.avi"
    with pytest.raises(Failure):
        enhance_video(source, out, enhancer=Plain(), progress=fail_at(130))
    with pytest.raises(SinkError, match=r"from an interrupted run; overwrite=True starts over$"):
        enhance_video(source, out, enhancer=Plain())
    report = enhance_video(source, out, enhancer=Plain(), resume=True)
    assert report.frames == 150
    assert any("starts over" in text for text in report.warnings)
    assert sorted(os.listdir(tmp_path)) == ["a.mp4", "out.avi"]


@pytest.mark.parametrize("engine", ["exact", "fast"])
def test_a_resumed_run_comes_out_as_one_run_would(
    engine: str, student_weights: Path, tmp_path: Path, fail_at: Callable[[int], Any]
) -> None:
    """Frames grow darker, so that the exposure and the memory of the engine depend on those before; equal to the
    sample."""
    source = tmp_path / "a.mkv"
    fade = "format=gray,format=yuv420p,geq=lum='16+(lum(X,Y)-16)*(0.6-0.5*min(N/20\\,1))':cb=128:cr=128"
    make_video(source, "-vf", fade, "-c:v", "ffv1", seconds=1)
    enhancer = Enhancer(weights=student_weights, engine=engine, precision="float32", device="cpu", exposure="auto")
    how: dict[str, Any] = {"enhancer": enhancer, "encoding": EncodingOptions("ffv1")}
    enhance_video(source, tmp_path / "whole.mkv", **how)
    with pytest.raises(Failure):
        enhance_video(source, tmp_path / "out.mkv", progress=fail_at(20), **how)
    report = enhance_video(source, tmp_path / "out.mkv", resume=True, **how)
    assert 0 < report.frames < 15
    whole, out = (list(open_source(tmp_path / name).frames()) for name in ("whole.mkv", "out.mkv"))
    assert len(whole) == len(out) == 25
    assert all(np.array_equal(a.planes[0], b.planes[0]) for a, b in zip(whole, out))


@pytest.mark.parametrize(
    ("suffix", "more"),
    [(".mp4", ()), (".mkv", ()), (".ts", ()), (".mp4", ("-output_ts_offset", "3.5"))],
    ids=["mp4", "mkv", "ts", "late"],
)
def test_sound_is_in_sync(suffix: str, more: tuple[str, ...], tmp_path: Path) -> None:
    source, out = make_recording(tmp_path / f"a{suffix}", *more, seconds=4), tmp_path / f"out{suffix}"
    enhance_video(source, out, enhancer=Plain())
    assert in_sync(source, out)
    # From a second behind the beginning, wherever the file's own times begin.
    enhance_video(source, out, enhancer=Plain(), input=InputOverrides(start=1.01, duration=2), overwrite=True)
    with av.open(str(source)) as container:
        begin = Fraction(container.start_time, av.time_base) + Fraction("1.01")
    assert len(times(out)) == 50
    assert in_sync(source, out, begin, begin + 2)


def test_sound_before_the_first_picture_is_there(tmp_path: Path) -> None:
    """In Matroska a seek leads to a picture, and what is before it would be lost."""
    video = make_video(tmp_path / "video.mkv", seconds=3)
    ffmpeg("-f", "lavfi", "-i", "sine=d=4:r=48000", "-c:a", "aac", tmp_path / "sound.mka")
    source, out = tmp_path / "a.mkv", tmp_path / "out.mkv"
    ffmpeg("-itsoffset", "0.7", "-i", video, "-i", tmp_path / "sound.mka", "-c", "copy", source)
    enhance_video(source, out, enhancer=Plain(), input=InputOverrides(start=0.5, duration=2))
    assert in_sync(source, out, Fraction(1, 2), Fraction(5, 2))


@pytest.mark.parametrize("before", ["-0.5", "-1.3"])
def test_a_negative_start_keeps_the_sync(before: str, tmp_path: Path) -> None:
    """What lies before 0 is not shown; the pictures and the sound from there on are as they were."""
    whole = make_recording(tmp_path / "whole.mp4", seconds=4)
    source, out = tmp_path / "a.mov", tmp_path / "out.mov"
    ffmpeg("-i", whole, "-c", "copy", "-output_ts_offset", before, "-avoid_negative_ts", "disabled", source)
    assert packet_times(source, "v:0")[0] < -0.4
    enhance_video(source, out, enhancer=Plain())
    old, new = ([packet_times(path, stream) for stream in ("v:0", "a:0")] for path in (source, out))
    shown = [[t for t in stream if t >= 0] for stream in old]
    assert all(len(a) - len(b) in (0, 1) for a, b in zip(([t for t in s if t >= 0] for s in new), shown))
    assert abs((new[1][-1] - new[0][-1]) - (old[1][-1] - old[0][-1])) < Fraction(1, 25)


#: Texts that make a player open "secret.mp4", or the address in them.
SCRIPTS = {
    "a.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n",
    "a.ffconcat": "ffconcat version 1.0\nfile {target}\n",
    "a.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\n"
    "a=rtpmap:96 H264/90000\n",
    "a.mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
    'mediaPresentationDuration="PT1S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet '
    'mimeType="video/mp4"><Representation id="0" bandwidth="1"><BaseURL>{target}</BaseURL><SegmentBase/>'
    "</Representation></AdaptationSet></Period></MPD>",
}


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """A server that nobody must connect to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)
        yield server


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("renamed", [False, True], ids=["plain", "as mp4"])
def test_a_script_is_not_followed(name: str, renamed: bool, tmp_path: Path, listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    make_video(tmp_path / "secret.mp4", "-movflags", "frag_keyframe+empty_moov+default_base_moof", seconds=1)
    for target in ("secret.mp4", f"http://127.0.0.1:{port}/secret.mp4"):
        path = tmp_path / ("clip.mp4" if renamed else name)
        path.write_text(SCRIPTS[name].format(target=target, port=port))
        with pytest.raises(SourceError, match="not followed"):
            enhance_video(path, tmp_path / "out.mp4", enhancer=Plain())
    with pytest.raises(TimeoutError):
        listening.accept()
    assert not (tmp_path / "out.mp4").exists()


def referring(path: Path, target: Path) -> Path:
    """An MP4 whose pictures are said to lie in `target`, by an alias record as QuickTime writes it."""
    data = make_video(path, seconds=1).read_bytes()
    name = str(target).encode()
    name += b"\0" * (len(name) % 2)
    head = bytes(10) + bytes([3]) + b"vol".ljust(27, b"\0") + bytes(12) + bytes([1]) + b"s".ljust(63, b"\0")
    alias = head + bytes(16) + struct.pack(">hh", 0, 0) + bytes(16) + struct.pack(">HH", 2, len(name)) + name
    alias += struct.pack(">HH", 0xFFFF, 0)
    entry = struct.pack(">I4sI", len(alias) + 12, b"alis", 0) + alias
    own = struct.pack(">I4sI", 12, b"url ", 1)
    assert data.count(own) == 1
    assert data.index(b"moov") > data.index(b"mdat"), "offsets of pictures would move"
    result = bytearray(data.replace(own, entry))
    for box in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        offset = result.index(box) - 4
        size = struct.unpack(">I", result[offset : offset + 4])[0] + len(entry) - 12
        result[offset : offset + 4] = struct.pack(">I", size)
    path.write_bytes(result)
    return path


def test_pictures_said_to_lie_in_another_file_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.mp4"
    path = referring(tmp_path / "a.mp4", secret)
    # The same pictures at the same offsets.
    make_video(secret, seconds=1)
    followed = {"enable_drefs": "1", "use_absolute_path": "1"}
    with av.open(str(path), options=followed) as container:
        assert len(list(container.decode(video=0))) == 25, "this file would be followed by one who may"
    with pytest.raises(SourceError):
        enhance_video(path, tmp_path / "out.mp4", enhancer=Plain())
    assert not (tmp_path / "out.mp4").exists()


def test_passwords_are_not_in_the_cause_either() -> None:
    with pytest.raises(SourceError) as caught:
        open_source("http://me:secret@127.0.0.1:9/x")
    assert "secret" not in f"{caught.value} {caught.value!r} {caught.value.__cause__} {caught.value.__cause__!r}"


def test_a_link_in_the_place_of_the_part_or_the_record_is_not_followed(tmp_path: Path) -> None:
    """Even one that leads to the input."""
    source, out = make_video(tmp_path / "a.mp4", seconds=1), tmp_path / "out" / "night.mp4"
    content = source.read_bytes()
    out.parent.mkdir()
    for name in (".night.part.mp4", ".night.mp4.manifest.part.json"):
        (out.parent / name).symlink_to(source)
        for overwrite, resume in ((False, False), (True, False), (True, True)):
            with pytest.raises(SinkError, match="symbolic link"):
                enhance_video(source, out, enhancer=Plain(), manifest=True, overwrite=overwrite, resume=resume)
        (out.parent / name).unlink()
    assert source.read_bytes() == content


def test_a_small_torture(tmp_path: Path) -> None:
    """A sample of what `torture.py` does by the thousand."""
    random.seed(5)
    figures = torture.kill(tmp_path, 3) + torture.damage(tmp_path, 20) + torture.damaged_parts(tmp_path, 12)
    assert figures["kills"] >= 3
    assert figures["resumes that went on behind what was there"] >= 1
    assert figures["damaged part: continued before the damage, every frame once"] >= 1
    assert [what for what in figures if "FAILED" in what or "LOST" in what] == []


@pytest.mark.parametrize("suffix", [".ts", ".mp4", ".mkv", ".avi"])
@pytest.mark.parametrize("hours", [-20, -5, 5, 20])
def test_a_clock_that_jumps_by_hours_costs_no_frame(hours: int, suffix: str, tmp_path: Path) -> None:
    source = make_recording(tmp_path / "a.ts", "-bf", "0", seconds=4)
    data = bytearray(source.read_bytes())
    middle = 188 * (len(data) // 188 // 2)
    source.write_bytes(transport_mutations.shift_clock(data, hours * 3600 * transport_mutations.CLOCK, middle))
    out = tmp_path / f"out{suffix}"
    if suffix == ".avi" and hours in (-20, 5):  # of the clock's 26.5 hours
        with pytest.raises(SinkError, match=r"avi cannot hold a pause of \d+ s; \.mkv can"):
            enhance_video(source, out, enhancer=Plain())
        return
    report = enhance_video(source, out, enhancer=Plain())
    assert report.frames == len(torture.pictures(out)) == 100
    assert report.warnings


def test_streams_that_come_up_on_the_way(tmp_path: Path) -> None:
    """PyAV means to end those as well, and does not know them."""
    first, second = make_recording(tmp_path / "a.ts", seconds=1), tmp_path / "b.ts"
    other = ("-mpegts_start_pid", "0x200", "-mpegts_pmt_start_pid", "0x300", "-mpegts_service_id", "7")
    ffmpeg("-i", first, "-c", "copy", *other, second)
    both = tmp_path / "both.ts"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    assert enhance_video(both, tmp_path / "out.ts", enhancer=Plain()).frames == 25
