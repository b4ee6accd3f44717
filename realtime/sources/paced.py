"""A file that plays at its own pace, as a camera would deliver it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from time import perf_counter

from realtime.frame import Frame
from realtime.sources.base import Source


class Paced(Source):
    """Delivers each frame of `source` when its time has come, counted from the first one."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._stopped = threading.Event()
        self.info = replace(source.info, live=True)

    def frames(self) -> Iterator[Frame]:
        ahead: float | None = None
        for frame in self._source.frames():
            now = perf_counter()
            ahead = ahead if ahead is not None else now - frame.seconds
            if self._stopped.wait(max(0.0, frame.seconds + ahead - now)):
                return
            yield replace(frame, captured_at=perf_counter())

    def stop(self) -> None:
        self._stopped.set()
        self._source.stop()

    def close(self) -> None:
        self._source.close()
