"""Which sink a path means."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from realtime.errors import SettingError, SinkError
from realtime.sinks.base import IMAGES, VIDEOS, Sink, continues, part_of


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

    What goes to the encoder is described at `EncodingOptions`. `resume` lets a part that an earlier run left stay, for
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
        from realtime.sinks.image_file import ImageFileSink

        return ImageFileSink(path)
    from realtime.media.encode import EncodingOptions
    from realtime.sinks.video_file import VideoFileSink

    return VideoFileSink(path, EncodingOptions(codec, crf, preset, options or {}, pixels, hardware), strict)


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
        remedy = "--resume continues it" if continues(path) else "AVI cannot be continued"
        raise SinkError(f"{part} is left from an interrupted run; {remedy}, --overwrite starts over")
    if not os.access(folder, os.W_OK):
        raise SinkError(f"{folder} cannot be written to: no permission")
