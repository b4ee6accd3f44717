"""A source that ends after a while."""

from __future__ import annotations

from collections.abc import Iterator

from realtime.frame import Frame
from realtime.sources.base import Source


class Limited(Source):
    """Passes on the frames of `source` that arrive within `seconds` of the first."""

    def __init__(self, source: Source, seconds: float) -> None:
        self._source, self._seconds = source, seconds
        self.info = source.info

    def frames(self) -> Iterator[Frame]:
        first = None
        for frame in self._source.frames():
            first = frame.captured_at if first is None else first
            if frame.captured_at - first >= self._seconds:
                return
            yield frame

    def stop(self) -> None:
        self._source.stop()

    def close(self) -> None:
        self._source.close()
