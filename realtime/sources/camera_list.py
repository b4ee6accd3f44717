"""Which cameras there are: address, name, and the sizes, rates and formats that each offers.

Linux: names from /sys; what a camera offers through linuxpy, if the extra ``cameras`` is installed. macOS and Windows:
names through cv2-enumerate-cameras (same extra). Without the extra, addresses alone.
"""

from __future__ import annotations

import errno
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realtime.errors import SourceError

#: What is told of a camera that cannot be asked what it offers.
EXTRA = "the extra 'cameras': pip install 'mbllen-realtime[cameras]'"
NO_LIBRARY = f"what it offers is told with {EXTRA}"
NO_PERMISSION = "cannot be opened: no permission; your user needs the group 'video'"
UNPLUGGED = "cannot be opened: it is no longer there"
PROBLEMS = {
    errno.EACCES: NO_PERMISSION,
    errno.EPERM: NO_PERMISSION,
    errno.EBUSY: "in use by another program",
    errno.ENOENT: UNPLUGGED,
    errno.ENODEV: UNPLUGGED,
    errno.ENXIO: UNPLUGGED,
}
SYS_VIDEO = Path("/sys/class/video4linux")
#: Addresses that are offered where nothing can list the cameras.
ADDRESSES = 4


@dataclass(frozen=True)
class CameraMode:
    """One size and pixel format (a FOURCC such as MJPG) with the frame rates that it is offered at, highest first."""

    width: int
    height: int
    fourcc: str
    rates: tuple[float, ...]


@dataclass(frozen=True)
class CameraInfo:
    """A camera: `address` is what `open_source` takes; `modes` are empty where the system does not tell them, and
    `problem` says why if that is known."""

    address: str
    name: str
    modes: tuple[CameraMode, ...] = ()
    problem: str = ""


def list_cameras() -> list[CameraInfo]:
    """The cameras of this machine. None is opened for recording, so a camera in use is listed too."""
    if platform.system() == "Linux":
        return list(_linux_cameras())
    try:
        from cv2_enumerate_cameras import enumerate_cameras
    except ImportError:
        return [CameraInfo(str(number), f"camera {number}") for number in range(ADDRESSES)]
    return [CameraInfo(str(camera.index), camera.name) for camera in enumerate_cameras()]


def find_camera(name: str) -> str:
    """The address of the camera whose name contains `name`, in any case.

    Raises SourceError when there is none, or several.
    """
    cameras = list_cameras()
    found = [camera for camera in cameras if name.lower() in camera.name.lower()]
    if len(found) == 1:
        return found[0].address
    names = ", ".join(f"{camera.address}: {camera.name}" for camera in found or cameras) or "none"
    raise SourceError(f"{'several cameras match' if found else 'no camera is called'} {name!r}; there are {names}")


def _linux_cameras() -> Iterator[CameraInfo]:
    for entry in sorted(SYS_VIDEO.glob("video*"), key=lambda path: int(path.name.removeprefix("video"))):
        # A camera has further nodes for metadata; the first, index 0, is the one with pictures.
        if _text(entry / "index", "0") == "0":
            name = _text(entry / "name", entry.name)
            modes, problem = _linux_modes(f"/dev/{entry.name}")
            yield CameraInfo(entry.name.removeprefix("video"), name, modes, problem)


def _linux_modes(device: str) -> tuple[tuple[CameraMode, ...], str]:
    """What a camera offers, or why that is not known."""
    try:
        from linuxpy.video.device import Device
    except ImportError:
        return (), NO_LIBRARY
    try:
        with Device(device) as camera:
            return modes_of(camera.info.frame_types), ""
    except Exception as error:  # also what a library makes of a driver: one camera must not hide the others
        number = getattr(error, "errno", None)
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return (), PROBLEMS.get(number or 0, f"cannot be read: {said}")


def modes_of(frame_types: Iterable[Any]) -> tuple[CameraMode, ...]:
    """Modes from linuxpy's frame types (pixel_format, width, height, max_fps), largest first."""
    rates: dict[tuple[int, int, str], set[float]] = {}
    for kind in frame_types:
        fourcc = int(kind.pixel_format).to_bytes(4, "little").decode("ascii", "replace").strip()
        rates.setdefault((kind.width, kind.height, fourcc), set()).add(round(float(kind.max_fps), 2))
    order = sorted(rates, key=lambda mode: (-mode[0] * mode[1], mode[2]))
    return tuple(CameraMode(*mode, tuple(sorted(rates[mode], reverse=True))) for mode in order)


def _text(path: Path, default: str) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return default
