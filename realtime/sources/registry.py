"""Which source an address means: one line per kind in `KINDS`."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from realtime.config import InputOverrides
from realtime.control import Playback
from realtime.errors import SourceError
from realtime.media.containers import IMAGE_SUFFIXES
from realtime.media.paths import expand_user
from realtime.sources.base import Source


def open_source(
    address: str | int | Path,
    overrides: InputOverrides | None = None,
    *,
    paced: bool = False,
    loop: bool = False,
    playback: Playback | None = None,
) -> Source:
    """The source that an address means.

    - A number, ``/dev/videoN`` or the name of a camera that is connected: a camera.
    - ``rtsp://``, ``http://`` and the like: a network camera.
    - An image file, a folder of images or a glob pattern: one frame per image.
    - Any other path: a video file. ``./7`` is a path, ``7`` a camera.

    `overrides` are for video files and network cameras. `paced` plays a file at its own pace, as a live source; `loop`
    then starts it over at its end, and `playback` pauses it and seeks in it.

    Raises SourceError when there is nothing to read, SettingError when start and duration do not fit.
    """
    # A Path drops "./", and the scheme of a URL loses a slash: it is always a path.
    text = str(address) if not isinstance(address, Path) or address.is_absolute() else f"./{address}"
    if not text.strip():
        raise SourceError("the address of the source is empty; give a file, a camera's number or a URL")
    settings = overrides or InputOverrides()
    kind = next(kind for kind in KINDS if kind.matches(text))
    if not paced or kind.live:
        return kind.open(text, settings)
    from realtime.sources.playback import PlayedFile

    return PlayedFile(lambda seconds: kind.open(text, _seek(settings, seconds)), playback, loop)


def is_camera(address: str) -> bool:
    """Whether the address means a camera of this machine, not a stream or a file; nothing is opened."""
    return next(kind for kind in KINDS if kind.matches(address)).camera


def _is_camera(address: str) -> bool:
    return re.fullmatch(r"\d+|/dev/video\d+", address) is not None


def _is_network(address: str) -> bool:
    return re.match(r"(?i)[a-z][a-z0-9+.-]+://", address) is not None


def _is_images(address: str) -> bool:
    path = expand_user(address)
    return path.is_dir() or path.suffix.lower() in IMAGE_SUFFIXES or (not path.exists() and bool(glob.glob(address)))


def _open_camera(address: str, overrides: InputOverrides) -> Source:
    from realtime.sources.camera import Camera

    return Camera(address, overrides.size, overrides.rate, overrides.fourcc)


def _is_camera_name(address: str) -> bool:
    if "/" in address or Path(address).exists() or Path(address).suffix:
        return False
    from realtime.sources.camera_list import list_cameras

    return any(address.lower() in camera.name.lower() for camera in list_cameras())


def _open_named_camera(name: str, overrides: InputOverrides) -> Source:
    from realtime.sources.camera_list import find_camera

    return _open_camera(find_camera(name), overrides)


def _open_network(address: str, overrides: InputOverrides) -> Source:
    from realtime.sources.network import NetworkCamera

    return NetworkCamera(address, overrides, skip_backlog=True)


def _open_images(address: str, overrides: InputOverrides) -> Source:
    from realtime.sources.images import ImageFiles, images_in

    path = expand_user(address)
    if path.is_dir():
        return ImageFiles(images_in(path), address)
    return ImageFiles([path] if path.exists() else [Path(p) for p in sorted(glob.glob(address))] or [path], address)


def _open_video(address: str, overrides: InputOverrides) -> Source:
    path = expand_user(address)
    if not path.exists():
        raise SourceError(f"{address} does not exist")
    from realtime.sources.video_file import VideoFile

    return VideoFile(path, overrides)


@dataclass(frozen=True)
class SourceKind:
    """A kind of source: which addresses mean it, how to open one, whether it is live by itself, and whether it is a
    camera, which may be asked for a size, a rate and a format."""

    matches: Callable[[str], bool]
    open: Callable[[str, InputOverrides], Source]
    live: bool = False
    camera: bool = False


#: The first that matches is opened. Libraries are loaded only then.
KINDS = (
    SourceKind(_is_camera, _open_camera, live=True, camera=True),
    SourceKind(_is_network, _open_network, live=True),
    SourceKind(_is_images, _open_images),
    SourceKind(_is_camera_name, _open_named_camera, live=True, camera=True),
    SourceKind(lambda address: True, _open_video),
)


def _seek(overrides: InputOverrides, seconds: float | None) -> InputOverrides:
    """The same part of the input from `seconds` behind its beginning."""
    if not seconds:
        return overrides
    duration = None if overrides.duration is None else max(overrides.duration - seconds, 0.001)
    return replace(overrides, start=(overrides.start or 0.0) + seconds, duration=duration)
