"""Sources, sinks and processors for tests that do as they are told. Their frames carry their number in their luma."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

import numpy as np

from realtime.frame import RGB, Frame, PixelFormat, StreamInfo
from realtime.processor import EngineInfo, Session
from realtime.sinks.base import Sink
from realtime.sources.base import Source


def gray(index: int, captured_at: float = 0.0) -> Frame:
    """Frame number `index` (0..35) of a stream of 6x4 RGB frames, one every 1/25 s."""
    value = 20 + 6 * index % 216
    return Frame((np.full((4, 6, 3), value, np.uint8),), pts=index, time_base=Fraction(1, 25), captured_at=captured_at)


def index_of(frame: Frame) -> int:
    """The number of a frame that `gray` made."""
    return round((float(frame.planes[0].mean()) - 20) / 6)


class ScriptedSource(Source):
    """Delivers `count` frames; `between` is called after each of them, with its number, in the capture thread."""

    def __init__(self, count: int, live: bool = False, between: Callable[[int], None] | None = None) -> None:
        self.info = StreamInfo(6, 4, RGB, Fraction(1, 25), Fraction(25), count, live=live, name="script")
        self._count, self._between = count, between
        self.stopped = threading.Event()
        self.delivered = self.closed = 0

    def frames(self) -> Iterator[Frame]:
        for index in range(self._count):
            if self.stopped.is_set():
                return
            self.delivered += 1
            yield gray(index)
            if self._between is not None:
                self._between(index)

    def stop(self) -> None:
        self.stopped.set()

    def close(self) -> None:
        self.closed += 1


class RecordingSink(Sink):
    """Remembers what it was given and how it ended; `each` is called with the number of every frame first."""

    def __init__(self, each: Callable[[int], None] | None = None) -> None:
        self._each = each
        self.indices: list[int] = []
        self.pts: list[int] = []
        self.calls: list[str] = []
        self.threads: set[threading.Thread] = set()

    def open(self, info: StreamInfo) -> None:
        self.calls.append("open")

    def write(self, frame: Frame) -> None:
        index = index_of(frame)
        if self._each is not None:
            self._each(index)
        self.indices.append(index)
        self.pts.append(frame.pts)
        self.threads.add(threading.current_thread())

    def close(self) -> None:
        self.calls.append("close")

    def abort(self) -> None:
        self.calls.append("abort")


class Viewer(RecordingSink):
    """A recording sink that may be left behind, as a window may."""

    may_drop = True


class Echo:
    """A processor that returns what it is given. `each` is called with the number of every frame that is processed;
    `skipped` and `closed` are what its sessions saw."""

    def __init__(self, batch: int = 2, each: Callable[[int], None] | None = None) -> None:
        self.batch, self.format = batch, RGB
        self._each = each
        self.skipped: list[int] = []
        self.closed = 0

    def session(self, info: StreamInfo, format: PixelFormat) -> Session:
        return self

    def process(self, frames: Sequence[Frame]) -> list[Frame]:
        assert 1 <= len(frames) <= self.batch
        for frame in frames:
            if self._each is not None:
                self._each(index_of(frame))
        return list(frames)

    def skip(self, frames: Sequence[Frame]) -> None:
        self.skipped += map(index_of, frames)

    def restart(self) -> None:
        pass

    def describe(self) -> EngineInfo:
        return EngineInfo("echo", "none", "exact", self.batch)

    def close(self) -> None:
        self.closed += 1


class Counting:
    """A processor that changes nothing and remembers which frames its sessions saw."""

    batch = 2

    def __init__(self) -> None:
        self.seen: list[list[str]] = []

    def session(self, info: StreamInfo, format: PixelFormat) -> Counting:
        self.format = info.format
        self.seen.append([])
        return self

    def process(self, frames: Sequence[Frame]) -> list[Frame]:
        self.seen[-1] += [f"{frame.pts * frame.time_base}" for frame in frames]
        return list(frames)

    def skip(self, frames: Sequence[Frame]) -> None:
        self.seen[-1] += [f"skipped {frame.pts * frame.time_base}" for frame in frames]

    def restart(self) -> None:
        pass

    def describe(self) -> EngineInfo:
        return EngineInfo(type(self).__name__)

    def close(self) -> None:
        pass


class Terminal:
    """A terminal that remembers what was written to it."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return True
