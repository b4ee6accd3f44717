"""Which cameras there are, read from a made-up /sys and made-up libraries."""

from __future__ import annotations

import errno
import sys
from collections import namedtuple
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from realtime import SourceError
from realtime.sources import camera_list
from realtime.sources.camera_list import (
    NO_LIBRARY,
    NO_PERMISSION,
    UNPLUGGED,
    CameraInfo,
    CameraMode,
    find_camera,
    list_cameras,
    modes_of,
)

FrameType = namedtuple("FrameType", "type pixel_format width height min_fps max_fps step_fps")
MJPG, YUYV = (int.from_bytes(name, "little") for name in (b"MJPG", b"YUYV"))


@pytest.fixture
def linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two cameras, the first with a second node for metadata, and no linuxpy."""
    for number, name, index in ((0, "Dash Cam", 0), (1, "Dash Cam", 1), (10, "Webcam C920", 0), (2, "Garden cam", 0)):
        folder = tmp_path / f"video{number}"
        folder.mkdir()
        (folder / "name").write_text(name + "\n")
        (folder / "index").write_text(f"{index}\n")
    monkeypatch.setattr(camera_list, "SYS_VIDEO", tmp_path)
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setitem(sys.modules, "linuxpy.video.device", None)


@pytest.mark.usefixtures("linux")
def test_cameras_by_number_without_their_metadata_nodes() -> None:
    found = [("0", "Dash Cam"), ("2", "Garden cam"), ("10", "Webcam C920")]
    assert list_cameras() == [CameraInfo(*about, problem=NO_LIBRARY) for about in found]


@pytest.mark.usefixtures("linux")
def test_a_camera_by_its_name() -> None:
    assert find_camera("c920") == "10"
    with pytest.raises(SourceError, match="no camera is called 'attic'; there are 0: Dash Cam, 2: Garden cam"):
        find_camera("attic")
    with pytest.raises(SourceError, match="several cameras match 'cam'"):
        find_camera("cam")


def test_without_any_camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_list, "SYS_VIDEO", tmp_path)
    monkeypatch.setattr("platform.system", lambda: "Linux")
    assert list_cameras() == []
    with pytest.raises(SourceError, match="there are none"):
        find_camera("webcam")


def test_modes_largest_first_and_rates_highest_first() -> None:
    types = [
        FrameType(1, YUYV, 640, 480, 15, 15, 15),
        FrameType(1, MJPG, 1280, 720, 30, 30, 30),
        FrameType(1, MJPG, 1280, 720, 60, 60, 60),
        FrameType(1, YUYV, 640, 480, 30, 30, 30),
    ]
    modes = (CameraMode(1280, 720, "MJPG", (60.0, 30.0)), CameraMode(640, 480, "YUYV", (30.0, 15.0)))
    assert modes_of(types) == modes


@pytest.mark.usefixtures("linux")
@pytest.mark.parametrize(
    ("error", "says"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), NO_PERMISSION),
        (OSError(errno.EBUSY, "Device or resource busy"), "in use by another program"),
        (OSError(errno.ENODEV, "No such device"), UNPLUGGED),
        (OSError(errno.EIO, "Input/output error"), "cannot be read: Input/output error"),
        (ValueError("what the driver said"), "cannot be read: what the driver said"),
    ],
)
def test_a_camera_that_cannot_be_read_is_still_listed(
    monkeypatch: pytest.MonkeyPatch, error: Exception, says: str
) -> None:
    class Device:
        def __init__(self, name: str) -> None:
            raise error

    library = ModuleType("linuxpy.video.device")
    library.Device = Device  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "linuxpy.video.device", library)
    assert [(camera.modes, camera.problem) for camera in list_cameras()] == [((), says)] * 3


@pytest.mark.parametrize("installed", [True, False])
def test_other_systems(monkeypatch: pytest.MonkeyPatch, installed: bool) -> None:
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    library = ModuleType("cv2_enumerate_cameras")
    library.enumerate_cameras = lambda: [SimpleNamespace(index=1201, name="FaceTime")]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cv2_enumerate_cameras", library if installed else None)
    found = list_cameras()
    assert found[0] == (CameraInfo("1201", "FaceTime") if installed else CameraInfo("0", "camera 0"))
