"""Recordings made by the ffmpeg program, and what ffprobe, which shares no code with us, sees in a file."""

from __future__ import annotations

import json
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

#: Seconds from frame to frame of what `make_video` makes.
FRAME = Fraction(1, 25)


def ffmpeg(*arguments: str | Path) -> None:
    """Runs ffmpeg; fails where it does."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def probe(path: Path, *arguments: str) -> Any:
    """What ffprobe prints as JSON."""
    command = ["ffprobe", "-v", "error", "-of", "json", *arguments, str(path)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)


def make_video(path: Path, *more: str, seconds: float = 2, size: str = "64x48") -> Path:
    """A moving test pattern, 25 frames a second; `more` are arguments of ffmpeg."""
    ffmpeg("-f", "lavfi", "-i", f"testsrc2=s={size}:r=25:d={seconds}", *more, path)
    return path


def make_recording(path: Path, *more: str, seconds: float = 6) -> Path:
    """A test pattern with B-frames and AAC sound, which begins a little earlier and ends later."""
    sound = ("-f", "lavfi", "-i", f"sine=r=48000:d={seconds}", "-c:a", "aac", "-bf", "2")
    return make_video(path, *sound, *more, seconds=seconds)


def make_noise(path: Path, *more: str, seconds: float = 8) -> Path:
    """A test pattern that takes many bytes."""
    return make_video(path, "-vf", "noise=alls=80:allf=t", *more, seconds=seconds)


def times(path: Path) -> list[Fraction]:
    """When each picture is shown, in seconds, in order."""
    found = probe(path, "-select_streams", "v:0", "-show_entries", "packet=pts:stream=time_base")
    base = Fraction(found["streams"][0]["time_base"])
    return sorted(int(packet["pts"]) * base for packet in found["packets"])


def packet_times(path: Path, stream: str) -> list[Fraction]:
    """When the packets of a stream are shown or heard, in seconds, in order; `stream` as in ``a:0``."""
    found = probe(path, "-select_streams", stream, "-show_entries", "packet=pts_time")["packets"]
    return sorted(Fraction(packet["pts_time"]) for packet in found if "pts_time" in packet)


def playable(path: Path) -> int:
    """How many pictures are found; none where there is no file, or no beginning of one."""
    try:
        return len(times(path))
    except (subprocess.CalledProcessError, KeyError, IndexError):
        return 0


def decoding_errors(path: Path) -> str:
    """What ffmpeg complains about when it decodes a file; empty for a sound one."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-i", str(path), "-f", "null", "-"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60).stderr


def in_sync(source: Path, out: Path, begin: Fraction | None = None, end: Fraction | None = None) -> bool:
    """Whether all pictures and all sound between two moments are there, each sound as far from the first picture as
    it was, to within a frame."""
    before, after = ([packet_times(path, stream) for stream in ("v:0", "a:0")] for path in (source, out))
    if begin is not None and end is not None:
        before = [[t for t in stream if begin <= t < end] for stream in before]
    if not before[1] or [len(stream) for stream in before] != [len(stream) for stream in after]:
        return False
    moved = after[0][0] - before[0][0]
    return all(abs(b + moved - a) < FRAME for old, new in zip(before, after) for b, a in zip(old, new))
