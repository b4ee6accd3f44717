"""What a source is. A new one is a file of its own and a line in `sources.open_source`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING

from realtime.frame import Frame, StreamInfo

if TYPE_CHECKING:
    pass

IMAGES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})


class Source(ABC):
    """Something that frames come from. One required method, and `info` set by the time the object exists.

    `frames` runs in the capture thread and opens what it needs when iteration starts. `stop` may be called from any
    thread and asks it to end soon; `close` is called once, after all threads have ended.
    """

    info: StreamInfo

    @abstractmethod
    def frames(self) -> Iterator[Frame]:
        """The frames in order, with rising timestamps. Raises SourceError when reading fails."""

    def stop(self) -> None:
        """Asks `frames` to end soon. The default does nothing: most sources notice when nobody takes their frames."""

    def close(self) -> None:
        """Lets go of what the constructor took."""

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
