"""What a source is. A new one is a file of its own and a line in `registry`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from types import TracebackType

from realtime.frame import Frame, StreamInfo


class _NoInfo:
    """Stands for `Source.info` until a constructor sets it."""

    def __get__(self, source: object, owner: type) -> StreamInfo:
        raise TypeError(f"{owner.__name__} has no info: its constructor must set self.info to a StreamInfo")


class Source(ABC):
    """Something that frames come from. One required method, `frames`, and `info`, which the constructor sets.

    `frames` runs in the capture thread and opens what it needs when iteration starts. `stop` may be called from any
    thread; `close` is called once, after all threads have ended.
    """

    info: StreamInfo = _NoInfo()  # type: ignore[assignment]

    @abstractmethod
    def frames(self) -> Iterator[Frame]:
        """The frames in order, with rising timestamps. Raises SourceError when reading fails."""

    def stop(self) -> None:
        """Asks `frames` to end soon. The default does nothing: most sources notice when nobody takes their frames."""

    def close(self) -> None:
        """Releases what the constructor opened."""

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
