"""No damage costs pictures or sound without a word, and no intact file is called damaged."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path

import ffmpeg_tools
import iso_mutations
import pytest
from media_mutations import MUTATIONS, RECORDINGS, Mutation, record

from realtime import SourceError, open_source
from realtime.diagnostics import Diagnostics
from realtime.media.demux import packets
from realtime.media.opening import open_path

pytestmark = pytest.mark.needs("ffmpeg", "ffprobe")
#: Frames and packets of sound, of a few hundred, that may be missing in silence: one packet at the edge of an edit list
#: cannot be told from one that the list hides.
TOLERANCE = 2


def read(path: Path) -> tuple[list[Fraction], int, Diagnostics]:
    """The times of all frames, the number of packets of sound, and what was found on the way."""
    with open_source(path) as source:
        times = [frame.pts * frame.time_base for frame in source.frames()]
    with open_path(path) as container:
        sound = sum(1 for p in packets(container, lambda: None) if p.size and p.stream.type == "audio")
    return times, sound, source.info.diagnostics


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("recordings")
    return {name: record(folder, name) for name in RECORDINGS}


CASES = [(name, mutation) for name, found in MUTATIONS.items() for mutation in found]


@pytest.mark.parametrize(("name", "mutation"), CASES, ids=[f"{name}-{mutation.__name__}" for name, mutation in CASES])
def test_nothing_is_lost_in_silence(name: str, mutation: Mutation, recordings: dict[str, Path], tmp_path: Path) -> None:
    whole = recordings[name]
    damaged = tmp_path / f"damaged{whole.suffix}"
    damaged.write_bytes(mutation(bytearray(whole.read_bytes()), random.Random(f"{name} {mutation.__name__}")))
    times, sound, _ = read(whole)
    try:
        found_times, found_sound, diagnostics = read(damaged)
    except SourceError:
        return  # refused, which is not silent
    assert found_times == sorted(set(found_times))
    lost = len(times) - len(found_times) > TOLERANCE or sound - found_sound > TOLERANCE
    moved = sum(abs((a - found_times[0]) - (b - times[0])) > Fraction(1, 20) for a, b in zip(found_times, times))
    assert not (lost or moved > TOLERANCE) or diagnostics.warnings


H264, AAC = ("-c:v", "libx264", "-preset", "ultrafast"), ("-c:a", "aac")
#: Intact files that have gaps, hidden frames or packets of other numbers than frames.
INTACT: dict[str, tuple[str, ...]] = {
    "variable_rate.mp4": ("-vf", "select='not(mod(n,7))+lt(mod(n,50),25)'", "-fps_mode", "vfr", *H264, "-an"),
    "variable_rate.mkv": ("-vf", "select='not(mod(n,7))+lt(mod(n,50),25)'", "-fps_mode", "vfr", *H264, *AAC),
    "variable_rate.ts": ("-vf", "select='not(mod(n,7))+lt(mod(n,50),25)'", "-fps_mode", "vfr", *H264, *AAC),
    "open_groups.ts": ("-c:v", "libx265", "-x265-params", "log-level=none:keyint=25:open-gop=1", *AAC),
    "fragments.mp4": (*H264, *AAC, "-movflags", "frag_keyframe+default_base_moof"),
    "hidden.webm": ("-c:v", "libvpx", "-auto-alt-ref", "1", "-lag-in-frames", "16", "-b:v", "300k", "-an"),
    "b_frames.avi": ("-c:v", "mpeg4", "-bf", "2", "-c:a", "mp3"),
    "raw_sound.avi": (*H264, "-bf", "0", "-c:a", "pcm_s16le"),
    "raw_sound.mov": ("-c:v", "mjpeg", "-bf", "0", "-c:a", "pcm_u8"),
    "slow.mp4": ("-r", "1", *H264, "-bf", "2", *AAC),
    "slow.mkv": ("-r", "1/2", *H264, "-bf", "2", *AAC),
    "frame_fragments.mp4": (*H264, *AAC, "-movflags", "dash+frag_every_frame"),
    "a.mpg": ("-c:v", "mpeg2video", "-c:a", "mp2"),
    "a.m2ts": (*H264, *AAC, "-mpegts_m2ts_mode", "1"),
    "a.flv": (*H264, *AAC),
    "a.wmv": ("-c:v", "wmv2", "-bf", "0", "-c:a", "wmav2"),
}


@pytest.mark.parametrize("name", [*RECORDINGS, *INTACT])
def test_intact_recordings_are_not_called_damaged(name: str, recordings: dict[str, Path], tmp_path: Path) -> None:
    path = recordings.get(name, tmp_path / name)
    if name in INTACT:
        ffmpeg_tools.make_recording(path, *INTACT[name], seconds=4)
    times, _, diagnostics = read(path)
    assert times
    assert diagnostics.warnings == ()


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.ts"])
@pytest.mark.parametrize(
    "moved", ["N*0.5", "N*10", "N*90", "N*0.04+60*gte(N,50)", "N*0.04+20*floor(N/16)", "N*0.04+400*gte(N,97)"]
)
def test_frames_that_are_reordered_over_a_pause_keep_their_times(name: str, moved: str, tmp_path: Path) -> None:
    """A camera that records where something moves, or a frame every ten seconds."""
    if name == "a.ts" and "400" in moved:
        pytest.skip("a clock that jumps looks like that")
    path = tmp_path / name
    how = ("-vf", f"setpts='round(({moved})/TB)'", "-fps_mode", "passthrough", "-c:v", "libx264", "-bf", "3")
    ffmpeg_tools.make_video(path, *how, seconds=4)
    with open_source(path) as source:
        times = [frame.pts * frame.time_base for frame in source.frames()]
    assert times == ffmpeg_tools.times(path)
    assert source.info.diagnostics.counts.get("repaired_timestamps", 0) == 0


def test_empty_chunks_of_avi_are_no_missing_frames(tmp_path: Path) -> None:
    """A clock that is finer than the frames leaves some empty, which the header counts."""
    whole = ffmpeg_tools.make_recording(tmp_path / "a.ts", seconds=4)
    ffmpeg_tools.ffmpeg("-i", whole, "-c", "copy", tmp_path / "a.avi")
    times, _, diagnostics = read(tmp_path / "a.avi")
    assert (len(times), diagnostics.warnings) == (100, ())


@pytest.mark.parametrize(
    ("begin", "says"), [(1024, None), (0, "hides the last 0.02 s"), (3072, "lacks the last 0.04 s")]
)
def test_what_an_edit_list_leaves_out_at_the_end_is_information(begin: int, says: str | None, tmp_path: Path) -> None:
    """It may be meant: cameras do so."""
    path = ffmpeg_tools.make_recording(tmp_path / "a.mp4")
    data = bytearray(path.read_bytes())
    at = [at for kind, at, _ in iso_mutations.boxes(bytes(data)) if kind == b"elst"][1] + 20
    assert data[at : at + 4] == (1024).to_bytes(4, "big")
    data[at : at + 4] = begin.to_bytes(4, "big")
    path.write_bytes(data)
    _, _, diagnostics = read(path)
    assert diagnostics.warnings == ()
    assert [message.text for message in diagnostics.messages] == (
        [f"the edit list of the file {says} of stream 1 (audio)"] if says else []
    )


def test_frames_behind_what_an_edit_list_shows_are_told(tmp_path: Path) -> None:
    """Wrong lengths of frames, by a hundredth, move the last one there."""
    path = ffmpeg_tools.make_recording(tmp_path / "a.mp4")
    data = bytearray(path.read_bytes())
    at = next(at for kind, at, _ in iso_mutations.boxes(bytes(data)) if kind == b"stts") + 20
    data[at : at + 4] = (int.from_bytes(data[at : at + 4], "big") * 101 // 100).to_bytes(4, "big")
    path.write_bytes(data)
    times, _, diagnostics = read(path)
    assert len(times) == 149
    assert any("hides the last 0.06 s of stream 0 (video)" in message.text for message in diagnostics.messages)


def test_an_edit_list_is_no_damage_and_counts(tmp_path: Path) -> None:
    whole = ffmpeg_tools.make_recording(tmp_path / "whole.mp4", "-g", "50")
    edited = tmp_path / "edited.mp4"
    ffmpeg_tools.ffmpeg("-ss", "1.3", "-to", "3.1", "-i", whole, "-c", "copy", edited)
    with open_source(edited) as source:
        count = len(list(source.frames()))
    assert source.info.frames == count < 60
    assert source.info.diagnostics.warnings == ()


def test_a_subtitle_that_lasts_longer_than_the_picture_is_no_damage(tmp_path: Path) -> None:
    (tmp_path / "a.srt").write_text("1\n00:00:01,000 --> 00:00:20,000\nlong\n")
    pattern = ("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=2")
    ffmpeg_tools.ffmpeg(*pattern, "-i", tmp_path / "a.srt", tmp_path / "a.mkv")
    with open_source(tmp_path / "a.mkv") as source:
        count = len(list(source.frames()))
    assert (count, source.info.frames, source.info.diagnostics.warnings) == (50, 50, ())
