"""Which sink a path means: one line per kind in `KINDS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from realtime.config import EncodingOptions
from realtime.errors import SettingError
from realtime.media.containers import IMAGE_SUFFIXES, VIDEO_OUTPUT_SUFFIXES
from realtime.media.part_file import check_not_in_use, check_output
from realtime.media.paths import expand_user
from realtime.sinks.base import Sink


def open_sink(
    path: str | Path, encoding: EncodingOptions | None = None, *, overwrite: bool = False, resume: bool = False
) -> Sink:
    """The sink for a path: an image file for an image's suffix, a video file for a video's.

    `encoding` is for videos. `overwrite` replaces a file that exists. `resume` lets the part stay that an interrupted
    run left, for `VideoFileSink.resume`.

    Raises SinkError when the file cannot be made, and SettingError for a suffix that means nothing.
    """
    path = expand_user(path)
    kind = next((kind for kind in KINDS if path.suffix.lower() in kind.suffixes), None)
    if kind is None:
        known = ", ".join(sorted(suffix for kind in KINDS for suffix in kind.suffixes))
        raise SettingError(f"{path} has no suffix that names a format; known are {known}")
    check_not_in_use(path)
    check_output(path, overwrite, resume)
    return kind.open(path, encoding or EncodingOptions(), overwrite, resume)


def _open_image(path: Path, encoding: EncodingOptions, overwrite: bool, resume: bool) -> Sink:
    from realtime.sinks.image_file import ImageFileSink

    return ImageFileSink(path)


def _open_video(path: Path, encoding: EncodingOptions, overwrite: bool, resume: bool) -> Sink:
    from realtime.sinks.video_file import VideoFileSink

    return VideoFileSink(path, encoding, overwrite=overwrite, resume=resume)


@dataclass(frozen=True)
class SinkKind:
    """A kind of sink: the suffixes that mean it, in lower case, and how to open one."""

    suffixes: frozenset[str]
    open: Callable[[Path, EncodingOptions, bool, bool], Sink]


#: Libraries are loaded only when a kind is opened.
KINDS = (
    SinkKind(IMAGE_SUFFIXES, _open_image),
    SinkKind(VIDEO_OUTPUT_SUFFIXES, _open_video),
)
