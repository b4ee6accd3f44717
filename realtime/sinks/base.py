"""What a sink is. A new one is a file of its own and a line in `registry`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import ClassVar, Protocol, TypeVar, runtime_checkable

from realtime.frame import RGB, Frame, PixelFormat, StreamInfo

S = TypeVar("S", bound="Sink")


class Sink(ABC):
    """Something that frames go to. One required method, `write`.

    `format_for`, `open`, `write` and then `close` or `abort` are called one after another; `write` possibly from
    another thread. `write` may raise `errors.StopStreaming` to say that it wants no more.
    """

    #: What reports call it.
    name: str = "output"
    #: Whether frames that it does not take in time may be dropped for it alone: True for what only shows them.
    may_drop: ClassVar[bool] = False

    def format_for(self, info: StreamInfo) -> PixelFormat:
        """The pixel format to write for a stream. The default is 8-bit RGB."""
        return RGB

    def open(self, info: StreamInfo) -> None:
        """Learns what kind of frames will come; ``info.format`` is theirs. Raises SinkError when it cannot take it."""

    @abstractmethod
    def write(self, frame: Frame) -> None:
        """Takes one frame. Raises SinkError when it cannot be written."""

    def close(self) -> None:
        """Finishes: all frames came."""

    def abort(self) -> None:
        """Ends before all frames came: a failure, or an interrupt. The default is `close`."""
        self.close()

    def __enter__(self: S) -> S:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abort()


@runtime_checkable
class Interactive(Protocol):
    """A sink that belongs to the main thread, as windows do, and that has work between frames.

    `poll` is called after each frame, and every `poll_interval` seconds without one. It may raise `StopStreaming`.
    """

    poll_interval: float

    def poll(self) -> None: ...


@runtime_checkable
class StopsEarly(Protocol):
    """A sink that must know when a stream is ended on request though its source has more."""

    def stop_early(self) -> None:
        """The next frames are the last: what belongs to later ones, such as sound, is not wanted."""


@runtime_checkable
class HearsEnd(Protocol):
    """A sink that others watch, and that tells them at once when the stream is over: `close` comes only after all
    outputs have written what they had, and a recording may have much."""

    def end(self) -> None:
        """No frame comes any more. Called by the thread that writes."""


class Discard(Sink):
    """Takes everything and keeps nothing: for benchmarks, and for ``live --no-window``."""

    name = "nothing"

    def write(self, frame: Frame) -> None:
        pass
