"""What a sink is, and which one a path means. A new sink is a file of its own and a line in `open_sink`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType

from realtime.errors import SettingError, SinkError
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

    def open(self, info: StreamInfo) -> None:
        """Learns what kind of frames will come. Raises SinkError when it cannot take them."""

    @abstractmethod
    def write(self, frame: Frame) -> None:
        """Takes one frame. Raises SinkError when it cannot be written."""

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
        if error is None or isinstance(error, KeyboardInterrupt):
            self.close()
        else:
            self.abort()


class Discard(Sink):
    """Takes everything and keeps nothing: for benchmarks, and for ``live --no-window``."""

    def write(self, frame: Frame) -> None:
        pass


def open_sink(path: str | Path, *, overwrite: bool = False, crf: int = 18, preset: str = "veryfast") -> Sink:
    """The sink for a path: an image for an image suffix, a video for a video suffix.

    `crf` 0..51 and `preset` are x264's. Raises SinkError when the folder is not there or cannot be written, or the
    file exists and `overwrite` is False, and SettingError for a suffix that means nothing or a `crf` out of range.
    """
    path = Path(path).expanduser()
    suffix = path.suffix.lower()
    if suffix not in IMAGES | VIDEOS:
        known = ", ".join(sorted(VIDEOS | IMAGES))
        raise SettingError(f"{path} has no suffix that names a format; known are {known}")
    check_writable(path, overwrite)
    if suffix in IMAGES:
        from realtime.output.images import ImageFile

        return ImageFile(path)
    from realtime.output.video import VideoOutput

    return VideoOutput(path, crf=crf, preset=preset)


def check_writable(path: Path, overwrite: bool) -> None:
    """Raises SinkError unless a file of that name can be made."""
    folder = path.parent
    if not folder.is_dir():
        raise SinkError(f"the folder {folder} does not exist; create it first")
    if path.is_dir():
        raise SinkError(f"{path} is a folder, not a file")
    if path.exists() and not overwrite:
        raise SinkError(f"{path} exists; use --overwrite to replace it")
    probe = part_of(path)
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SinkError(f"{folder} cannot be written to: {error.strerror}") from error


def part_of(path: Path) -> Path:
    """Where a file grows until it is complete: beside its final name, so that the last step is a rename."""
    return path.with_name(f".{path.stem}.part{path.suffix}")
