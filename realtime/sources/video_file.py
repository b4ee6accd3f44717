"""Video files, decoded by PyAV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from realtime.config import InputOverrides
from realtime.errors import SettingError
from realtime.frame import Frame, StreamInfo
from realtime.media.decode import Decoder
from realtime.media.demux import main_video, packets, seek, start_time
from realtime.media.file_check import FileCheck
from realtime.media.libav import av
from realtime.media.opening import open_path
from realtime.media.probe import display_matrix, probe
from realtime.sources.base import Source

#: Seconds before the first frame wanted to look for one that can be decoded alone, tried one after another.
SEEK_BACKOFF = (0, 2, 10, 60)


class VideoFile(Source):
    """The first video stream of a file, from ``overrides.start`` for ``overrides.duration`` seconds.

    Timestamps are the file's own; with `start`, which counts from the file's beginning, they count from there. What is
    damaged is skipped and counted in ``info.diagnostics``. Raises SourceError when the file is missing, unreadable, no
    video or HDR, and SettingError when the range is not inside it.
    """

    def __init__(self, path: Path, overrides: InputOverrides | None = None) -> None:
        self._path, self._overrides = path, overrides or InputOverrides()
        start, duration = self._overrides.start, self._overrides.duration
        with open_path(path) as container:
            origin = float(start_time(container))
            info = probe(container, str(path), self._overrides)
            info = replace(info, display_matrix=display_matrix(container))
        first, length = info.time_span[0] or 0.0, info.seconds
        if start is not None and length is not None and origin + start >= first + length:
            raise SettingError(f"start {start:g} s is behind the end of {path}, which lasts {length:.2f} s")
        self._start = None if start is None else origin + start
        self._end = None if duration is None else origin + (start or 0.0) + duration
        if start is not None or duration is not None:
            info = _shortened(info, self._start or origin, self._end)
        self.info = replace(info, path=path, time_span=(self._start, self._end))

    def frames(self) -> Iterator[Frame]:
        start = _exact(self._start)
        zero = 0 if start is None else round(start / self.info.time_base)
        for frame in self.between(start, _exact(self._end)):
            yield replace(frame, pts=frame.pts - zero)

    def between(self, start: Fraction | None, end: Fraction | None) -> Iterator[Frame]:
        """The frames from `start` to before `end`, in seconds of the file's time, which their timestamps count."""
        with open_path(self._path) as container:
            base = self.info.time_base
            first = 0 if start is None else round(start / base)
            if start and (seek_point := find_seek_point(self._path, start)) is not None:
                seek(container, seek_point, container.streams[self.info.stream_index])
            check = FileCheck(container, self.info)
            for frame in Decoder(container, self.info, self._overrides, check).frames(check.packets()):
                if start is not None and frame.pts < first:
                    continue
                if end is not None and frame.pts * base >= end:
                    return
                yield frame


def find_seek_point(path: Path, seconds: Fraction) -> Fraction | None:
    """Where to seek so that the frame at `seconds` can be decoded; None for the beginning of the file.

    Formats without an index lead to any frame, which may need those before it.
    """
    for back in SEEK_BACKOFF:
        with open_path(path) as container:
            stream = main_video(container)
            target = seconds - back
            if target <= start_time(container, stream):
                return None
            try:
                seek(container, target, stream)
                for packet in packets(container, lambda: None):
                    if packet.stream.index == stream.index and packet.is_keyframe and packet.size:
                        time = packet.pts if packet.pts is not None else packet.dts
                        if time is not None and time * packet.time_base <= seconds:
                            return target
                        break
            except av.error.FFmpegError:
                pass  # no index at all, or damage there
    return None


def _exact(seconds: float | None) -> Fraction | None:
    return None if seconds is None else Fraction(seconds).limit_denominator(1_000_000)


def _shortened(info: StreamInfo, start: float, end: float | None) -> StreamInfo:
    """What is left of `info` between two times; counts become estimates."""
    stop = (info.time_span[0] or 0.0) + info.seconds if info.seconds is not None else end
    if end is not None and stop is not None:
        stop = min(stop, end)
    if stop is None:
        return replace(info, frames=None, seconds=None)
    seconds = max(stop - start, 0.0)
    return replace(info, seconds=seconds, frames=round(seconds * info.rate) if info.rate else None)
