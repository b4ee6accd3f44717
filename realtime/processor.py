"""What `pipeline.run` needs of whatever turns frames into other frames. No library is loaded here.

A `Processor` is shared between streams; it makes one `Session` for each stream. All state of a stream lives in its
session. `realtime.Enhancer` is a processor; `PerFrame` makes one of a function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from realtime.frame import Frame, PixelFormat, StreamInfo


@dataclass(frozen=True)
class EngineInfo:
    """What computes: names for reports. `batch` is frames at a time; `governor` what a live governor gave up."""

    engine: str
    device: str = "cpu"
    precision: str = "uint8"
    batch: int = 1
    governor: Mapping[str, int] | None = None


class Session(Protocol):
    """The state of one stream. Used by one thread at a time.

    `format` is the pixel format of the frames that come out, `batch` the most frames that one `process` call takes.
    """

    @property
    def format(self) -> PixelFormat: ...

    @property
    def batch(self) -> int: ...

    def process(self, frames: Sequence[Frame]) -> list[Frame]:
        """The next frames of the stream, processed, in order, with their times. How frames are grouped into calls must
        not change what comes out."""

    def skip(self, frames: Sequence[Frame]) -> None:
        """Advances the state as `process` would, for frames whose output nobody needs (resuming)."""

    def restart(self) -> None:
        """Forgets the frames so far: the next one follows a seek or a lost connection."""

    def describe(self) -> EngineInfo:
        """What computes now."""

    def close(self) -> None:
        """Releases what the session holds."""


@runtime_checkable
class Refreshes(Protocol):
    """A session of a live stream that makes a picture anew which stands still, when the user changes something."""

    def watch(self, wake: Callable[[], None]) -> None:
        """Calls `wake`, from any thread, when `refresh` may have something to return."""

    def refresh(self) -> Frame | None:
        """The frame at which viewers stand still, once more (``Frame.repeated``), or None if it is as it was."""


class Processor(Protocol):
    """Makes sessions."""

    def session(self, info: StreamInfo, format: PixelFormat) -> Session:
        """A session for the frames that `info` describes, with output in `format` if it can; else ``session.format``
        says what comes out. May take seconds (compiling)."""


class PerFrame:
    """A processor that applies `function` to each frame on its own; `name` is what reports call it.

    The function must keep the frame's pixel format, which is the source's.
    """

    def __init__(self, function: Callable[[Frame], Frame], name: str = "function") -> None:
        self._function, self._name = function, name

    def session(self, info: StreamInfo, format: PixelFormat) -> Session:
        return _PerFrameSession(self._function, EngineInfo(self._name), info.format)


class _PerFrameSession:
    batch = 1

    def __init__(self, function: Callable[[Frame], Frame], about: EngineInfo, format: PixelFormat) -> None:
        self._function, self._about, self.format = function, about, format

    def process(self, frames: Sequence[Frame]) -> list[Frame]:
        return [self._function(frame) for frame in frames]

    def skip(self, frames: Sequence[Frame]) -> None:
        pass

    def restart(self) -> None:
        pass

    def describe(self) -> EngineInfo:
        return replace(self._about, batch=self.batch)

    def close(self) -> None:
        pass
