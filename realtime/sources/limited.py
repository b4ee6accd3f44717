"""A source that ends after a while."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from realtime.frame import Frame
from realtime.sources.base import Source


class Limited(Source):
    """The frames of `source` that arrive within `seconds` of the first. A source that stalls is stopped then, too."""

    def __init__(self, source: Source, seconds: float) -> None:
        self._source, self._seconds = source, seconds
        self._timer: threading.Timer | None = None
        self.info = source.info

    def frames(self) -> Iterator[Frame]:
        first: float | None = None
        try:
            for frame in self._source.frames():
                if first is None:
                    first = frame.captured_at
                    self._timer = threading.Timer(self._seconds, self._source.stop)
                    self._timer.start()
                if frame.captured_at - first >= self._seconds:
                    return
                yield frame
        finally:
            self._end_timer()

    def stop(self) -> None:
        self._source.stop()

    def close(self) -> None:
        self._end_timer()
        self._source.close()

    def _end_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            timer.join()
