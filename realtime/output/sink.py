"""What a sink is. A new one is a file of its own and a line in `sinks.open_sink`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType

from realtime.frame import Frame, StreamInfo

IMAGES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})
VIDEOS = frozenset({".mp4", ".mkv", ".mov", ".avi", ".webm", ".m4v", ".ts"})


class Sink(ABC):
    """Something that frames go to. One required method.

    `open`, `write` and then `close` or `abort` are called one after another, `write` possibly from another thread.
    `write` may raise `errors.Finished` to say that it wants no more.
    """

    #: True to get interleaved RGB, False for 8-bit planes that an encoder takes.
    wants_rgb: bool = True
    #: Seconds without a frame after which `idle` is called, again and again; None for never.
    pulse: float | None = None

    def ask(self, info: StreamInfo) -> StreamInfo:
        """`info` with this sink's `wish` for a format of planes, where it has one."""
        return info

    def mark(self, tags: dict[str, str]) -> None:
        """Takes tags for the output to carry: how it came to be."""

    def resume(self, job: str) -> int:
        """How many frames an interrupted run of the same `job` left here, which will not be written again."""
        return 0

    def open(self, info: StreamInfo) -> None:
        """Learns what kind of frames will come. Raises SinkError when it cannot take them."""

    @abstractmethod
    def write(self, frame: Frame) -> None:
        """Takes one frame. Raises SinkError when it cannot be written."""

    def cut(self) -> None:
        """Learns that the next frames are the last, though the source has more: somebody asked for an end."""

    def idle(self) -> None:
        """Does what cannot wait for the next frame. May raise `errors.Finished`, like `write`."""

    def caption(self, text: str) -> None:
        """Shows how the stream fares, where there is a place for it. From the thread that writes."""

    def close(self) -> None:
        """Finishes: what was written counts."""

    def abort(self) -> None:
        """Takes back what was written, after a failure. The default finishes instead."""
        self.close()

    def __enter__(self) -> Sink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Ctrl-C asks for an end, not for throwing away what was written.
        if isinstance(error, KeyboardInterrupt):
            self.cut()
        if error is None or isinstance(error, KeyboardInterrupt):
            self.close()
        else:
            self.abort()


class Discard(Sink):
    """Takes everything and keeps nothing: for benchmarks, and for ``live --no-window``."""

    def write(self, frame: Frame) -> None:
        pass


def part_of(path: Path) -> Path:
    """Where a file grows until it is complete: beside its final name, so that the last step is a rename."""
    return path.with_name(f".{path.stem}.part{path.suffix}")


def continues(path: Path) -> bool:
    """Whether what an interrupted run left of `path` can be gone on with: AVI does not say when its pictures are."""
    return path.suffix.lower() != ".avi"
