"""Which sink a path means: one line per kind in `KINDS`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from realtime.config import EncodingOptions
from realtime.errors import SettingError, SinkError
from realtime.media.containers import IMAGE_SUFFIXES, VIDEO_OUTPUT_SUFFIXES
from realtime.media.part_file import is_in_use, part_path
from realtime.sinks.base import Sink


def _open_image(path: Path, encoding: EncodingOptions, keep_partial: bool) -> Sink:
    from realtime.sinks.image_file import ImageFileSink

    return ImageFileSink(path)


def _open_video(path: Path, encoding: EncodingOptions, keep_partial: bool) -> Sink:
    from realtime.sinks.video_file import VideoFileSink

    return VideoFileSink(path, encoding, keep_partial)


#: Suffixes, and what opens a sink for them. Libraries are loaded only then.
KINDS: tuple[tuple[frozenset[str], Callable[[Path, EncodingOptions, bool], Sink]], ...] = (
    (IMAGE_SUFFIXES, _open_image),
    (VIDEO_OUTPUT_SUFFIXES, _open_video),
)


def open_sink(
    path: str | Path,
    encoding: EncodingOptions | None = None,
    *,
    overwrite: bool = False,
    resume: bool = False,
    keep_partial: bool = False,
) -> Sink:
    """The sink for a path: an image for an image's suffix, a video for a video's.

    `overwrite` replaces a file that exists. `resume` leaves the part that an interrupted run made, for
    `VideoFileSink.resume`. `keep_partial` gives a video that was ended on request its final name, as far as it goes.

    Raises SinkError when the file cannot be made, and SettingError for a suffix that means nothing.
    """
    path = Path(path).expanduser()
    suffix = path.suffix.lower()
    for suffixes, open_kind in KINDS:
        if suffix in suffixes:
            check_writable(path, overwrite, resume)
            return open_kind(path, encoding or EncodingOptions(), keep_partial)
    known = ", ".join(sorted(VIDEO_OUTPUT_SUFFIXES | IMAGE_SUFFIXES))
    raise SettingError(f"{path} has no suffix that names a format; known are {known}")


def check_writable(path: Path, overwrite: bool, resume: bool = False) -> None:
    """Raises SinkError unless a file of that name can be made."""
    folder, part = path.parent, part_path(path)
    try:
        if not folder.is_dir():
            raise SinkError(f"the folder {folder} does not exist; create it first")
        if path.is_dir():
            raise SinkError(f"{path} is a folder, not a file")
        if path.exists() and not overwrite:
            raise SinkError(f"{path} exists; overwrite replaces it")
        if part.exists() and is_in_use(path):
            raise SinkError(f"{path} is being written by another process; wait for it, or choose another output")
        if part.exists() and part.stat().st_size and not (overwrite or resume):
            raise SinkError(f"{part} is left from an interrupted run; resume continues it, overwrite starts over")
    except OSError as error:  # a name that is too long, a loop of links
        raise SinkError(f"{path} cannot be written: {error.strerror}") from error
    if not os.access(folder, os.W_OK):
        raise SinkError(f"{folder} cannot be written to: no permission")
