"""What a sink is, and which one a path means. A new sink is a file of its own and a line in `open_sink`."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
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


def open_sink(
    path: str | Path,
    *,
    overwrite: bool = False,
    resume: bool = False,
    strict: bool = False,
    crf: int | None = None,
    preset: str = "veryfast",
    codec: str = "h264",
    pixels: str | None = None,
    hardware: str | None = None,
    options: Mapping[str, str] | None = None,
) -> Sink:
    """The sink for a path: an image for an image suffix, a video for a video suffix.

    What goes to the encoder is described at `Encoding`. `resume` lets a part that an earlier run left stay, for
    `Sink.resume` to continue; `strict` makes what cannot be carried an error. Raises SinkError when the folder is not
    there or cannot be written, or the file exists and `overwrite` is False, and SettingError for a suffix that means
    nothing or encoder settings that do not fit.
    """
    path = Path(path).expanduser()
    suffix = path.suffix.lower()
    if suffix not in IMAGES | VIDEOS:
        known = ", ".join(sorted(VIDEOS | IMAGES))
        raise SettingError(f"{path} has no suffix that names a format; known are {known}")
    check_writable(path, overwrite, resume)
    if suffix in IMAGES:
        from realtime.output.images import ImageFile

        return ImageFile(path)
    from realtime.output.encoding import Encoding
    from realtime.output.video import VideoOutput

    return VideoOutput(path, Encoding(codec, crf, preset, options or {}, pixels, hardware), strict)


def check_writable(path: Path, overwrite: bool, resume: bool = False) -> None:
    """Raises SinkError unless a file of that name can be made."""
    folder = path.parent
    if not folder.is_dir():
        raise SinkError(f"the folder {folder} does not exist; create it first")
    if path.is_dir():
        raise SinkError(f"{path} is a folder, not a file")
    if path.exists() and not overwrite:
        raise SinkError(f"{path} exists; use --overwrite to replace it")
    part = part_of(path)
    if part.exists() and not (overwrite or resume):
        raise SinkError(f"{part} is left from an interrupted run; --resume continues it, --overwrite starts over")
    if not os.access(folder, os.W_OK):
        raise SinkError(f"{folder} cannot be written to: no permission")


def part_of(path: Path) -> Path:
    """Where a file grows until it is complete: beside its final name, so that the last step is a rename."""
    return path.with_name(f".{path.stem}.part{path.suffix}")
