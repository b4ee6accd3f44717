"""Which source an address means."""

from __future__ import annotations

import glob
import re
from pathlib import Path
from typing import TYPE_CHECKING

from realtime.errors import SourceError
from realtime.sources.base import IMAGES, Source

if TYPE_CHECKING:
    from realtime.media.pixel_formats import InputOverrides


def open_source(
    address: str | int | Path,
    *,
    start: float | None = None,
    duration: float | None = None,
    paced: bool = False,
    reading: InputOverrides | None = None,
) -> Source:
    """The source that an address means.

    A number (or ``/dev/videoN``) is a camera, ``rtsp://``, ``http://`` and their kin a network camera, an image file,
    a folder of images or a glob pattern one frame a picture, any other path a video file. `start` and `duration`
    are seconds of a video file. `paced` plays a file at its own pace, as a live source that drops what comes too late.
    `reading` overrules what a video's tags say.

    Raises SourceError when there is nothing to read, SettingError when `start` and `duration` do not fit.
    """
    source = _open(str(address), start, duration, reading)
    if paced and not source.info.live:
        from realtime.sources.paced import Paced

        return Paced(source)
    return source


def _open(address: str, start: float | None, duration: float | None, reading: InputOverrides | None) -> Source:
    if re.fullmatch(r"\d+|/dev/video\d+", address):
        from realtime.sources.camera import Camera

        return Camera(address)
    from realtime.sources.video_file import VideoFile

    if re.match(r"(?i)[a-z][a-z0-9+.-]+://", address):
        from realtime.sources.network import NetworkCamera

        return NetworkCamera(address, reading)
    from realtime.sources.images import ImageFiles

    path = Path(address).expanduser()
    if path.is_dir():
        return ImageFiles(images_in(path), name=address)
    if not path.exists():
        matches = [Path(match) for match in sorted(glob.glob(address))]
        if not matches:
            raise SourceError(f"{address} does not exist")
        return ImageFiles(matches, name=address)
    if path.suffix.lower() in IMAGES:
        return ImageFiles([path], name=address)
    return VideoFile(path, start=start, duration=duration, reading=reading)


def images_in(folder: Path) -> list[Path]:
    """The image files of a folder by name. Raises SourceError when there is none."""
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGES and p.is_file())
    if not found:
        raise SourceError(f"{folder} holds no image ({', '.join(sorted(IMAGES))})")
    return found
