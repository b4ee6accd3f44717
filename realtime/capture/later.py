"""A source without its first frames, which an earlier run has done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from realtime.capture.source import Source
from realtime.frame import Frame


class Later(Source):
    """The frames of `source` behind the first `count`. Those are decoded and passed over, so that the rest come out as
    they would have in one run, repaired timestamps included."""

    def __init__(self, source: Source, count: int) -> None:
        self._source, self._count = source, count
        left = source.info.frames
        self.info = replace(source.info, frames=None if left is None else max(left - count, 0))
        self.info.findings.note(f"continued behind {count} frames of an interrupted run")

    def frames(self) -> Iterator[Frame]:
        yield from islice(self._source.frames(), self._count, None)

    def stop(self) -> None:
        self._source.stop()

    def close(self) -> None:
        self._source.close()
