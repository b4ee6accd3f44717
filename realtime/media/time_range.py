"""The time that a file's frames span, by its packets alone: whether one file is as long as another."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from realtime.errors import SourceError
from realtime.media.demux import main_video, packets, seek, start_time
from realtime.media.libav import av
from realtime.media.opening import open_path

#: Frames a second of files that do not say.
DEFAULT_RATE = Fraction(25)


@dataclass(frozen=True)
class TimeRange:
    """When the first and the last frame of a file are shown, the usual time from one to the next, and when the file
    begins, in seconds."""

    first: Fraction
    last: Fraction
    step: Fraction
    origin: Fraction


def time_range(path: Path) -> TimeRange:
    """The time range of a file. Looks at its end, and reads it all only where nothing is found there.

    Raises SourceError.
    """
    for at_end in (True, False):
        with open_path(path) as container:
            stream = main_video(container)
            first, base = start_time(container, stream), stream.time_base
            if at_end:
                length = stream.duration * base if stream.duration else Fraction(container.duration or 0, av.time_base)
                try:
                    seek(container, first + length, stream)
                except av.error.FFmpegError:
                    continue  # no index
            of_stream = (p.pts for p in packets(container, lambda: None) if p.stream.index == stream.index)
            if times := [pts for pts in of_stream if pts is not None]:
                step = 1 / (stream.average_rate or DEFAULT_RATE)
                return TimeRange(first, max(times) * base, step, start_time(container))
    raise SourceError(f"{path} holds no picture")


def covers(output: Path, source: Path, start: float | None = None, duration: float | None = None) -> bool:
    """Whether `output` is as long as what `start` and `duration` leave of `source`, to within a frame, or two where
    these fall between frames. False if either file is unreadable."""
    try:
        wanted, got = time_range(source), time_range(output)
    except SourceError:
        return False
    first, last, slack = wanted.first, wanted.last, wanted.step
    if start is not None or duration is not None:
        slack *= 2
        begin = wanted.origin + Fraction(start or 0)
        first = max(first, begin)
        last = last if duration is None else min(last, begin + Fraction(duration))
    return got.last - got.first >= last - first - slack
