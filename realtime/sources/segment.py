"""A segment of a video file, with frames before it by which exposure and memory over time settle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from realtime.config import InputOverrides
from realtime.frame import Frame
from realtime.sources.base import Source
from realtime.sources.video_file import VideoFile


class Segment(Source):
    """The frames of a file from `first` to before `end`, in its time base, and before them those from `settle_from` on.

    Times count from `first`; those of the frames before it are negative. `frames` is how many there must be in all.
    `end` None is the end of the file. Its info names no file: a sink has nothing to copy. Raises as `VideoFile` does.
    """

    def __init__(
        self, path: Path, overrides: InputOverrides, settle_from: int, first: int, end: int | None, frames: int
    ) -> None:
        self._file = VideoFile(path, overrides)
        self._first, self._base = first, self._file.info.time_base
        self._start, self._end = settle_from * self._base, None if end is None else end * self._base
        # Of a file that is not read from its beginning, only what is met of its damage is counted.
        self._file.info = replace(self._file.info, time_span=(float(self._start), None))
        self.info = replace(self._file.info, path=None, frames=frames, seconds=None, time_span=(None, None))

    def frames(self) -> Iterator[Frame]:
        for frame in self._file.between(self._start, self._end):
            yield replace(frame, pts=frame.pts - self._first)
