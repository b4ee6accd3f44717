"""From when to when a file holds pictures, by its packets alone: whether one file is as long as another."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from realtime.errors import SourceError
from realtime.media.demux import main_video, packets
from realtime.media.libav import av
from realtime.media.opening import beginning, open_path

USUAL_RATE = Fraction(25)


def time_range(path: Path) -> tuple[Fraction, Fraction, Fraction, Fraction]:
    """When the first and the last picture are shown, the usual time from one to the next, and when the file begins, in
    seconds.

    Looks at the end first, and at all of the file only where nothing is found there. Raises SourceError.
    """
    for seek in (True, False):
        with open_path(path) as container:
            stream = main_video(container)
            first, base = stream.start_time or 0, stream.time_base
            if seek:
                try:
                    container.seek(first + (stream.duration or round(_length(container) / base)), stream=stream)
                except av.error.FFmpegError:
                    continue  # no index
            mine = [p.pts for p in packets(container, lambda: None) if p.stream.index == stream.index]
            if last := [pts for pts in mine if pts is not None]:
                return first * base, max(last) * base, 1 / (stream.average_rate or USUAL_RATE), beginning(container)
    raise SourceError(f"{path} holds no picture")


def covers(output: Path, source: Path, start: float | None = None, duration: float | None = None) -> bool:
    """Whether `output` lasts as long as what `start` and `duration` leave of `source`: to within a frame, or one more
    where these two fall between frames. What cannot be read reaches nothing."""
    try:
        first, last, step, origin = time_range(source)
        begin, end, *_ = time_range(output)
    except SourceError:
        return False
    slack = step
    if start is not None or duration is not None:
        slack += step
        moment = origin + Fraction(start or 0)
        last = last if duration is None else min(last, moment + Fraction(duration))
        first = max(first, moment)
    return end - begin >= last - first - slack


def _length(container: av.container.InputContainer) -> Fraction:
    return Fraction(container.duration or 0, av.time_base)
