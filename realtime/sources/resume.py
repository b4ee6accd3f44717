"""A source without its first frames, which an earlier run has done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

from realtime.frame import Frame
from realtime.sources.base import Source


class Later(Source):
    """The frames of `source` behind the first `count`. Those are decoded and given to `look`, so that the rest come
    out as they would have in one run, repaired timestamps and the meter's calm included."""

    def __init__(self, source: Source, count: int, look: Callable[[Frame], object]) -> None:
        self._source, self._count, self._look = source, count, look
        left = source.info.frames
        self.info = replace(source.info, frames=None if left is None else max(left - count, 0))
        self.info.diagnostics.note(f"continued behind {count} frames of an interrupted run")

    def frames(self) -> Iterator[Frame]:
        frames = self._source.frames()
        for frame in islice(frames, self._count):
            self._look(frame)
        yield from frames

    def stop(self) -> None:
        self._source.stop()

    def close(self) -> None:
        self._source.close()
