"""``realtime cameras``: a list that people read."""

from __future__ import annotations

import errno
import json

import pytest

from realtime.cli.main import main
from realtime.sources import camera_list
from realtime.sources.camera_list import NO_LIBRARY, PROBLEMS, CameraInfo, CameraMode

DASH = CameraInfo("0", "Dash Cam", (CameraMode(1920, 1080, "MJPG", (30.0, 15.0)), CameraMode(640, 480, "YUYV", (7.5,))))
BUSY = CameraInfo("12", "Attic\x1b[2J", problem=PROBLEMS[errno.EBUSY])
CLOSED = CameraInfo("2", "Garden", problem=PROBLEMS[errno.EACCES])


def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *cameras: CameraInfo) -> list[str]:
    monkeypatch.setattr(camera_list, "list_cameras", lambda: list(cameras))
    assert main(["cameras"]) == 0
    return capsys.readouterr().out.splitlines()


def test_without_a_camera_it_says_what_else_there_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (line,) = printed(capsys, monkeypatch)
    assert line.startswith("no camera found; ")


def test_several_cameras_in_columns_with_what_keeps_one_from_being_read(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert printed(capsys, monkeypatch, DASH, CLOSED, BUSY) == [
        " 0  Dash Cam",
        "    1920x1080  MJPG  30, 15 fps",
        "    640x480    YUYV  7.5 fps",
        " 2  Garden",
        "    cannot be opened: no permission; your user needs the group 'video'",
        r"12  Attic\x1b[2J",
        "    in use by another program",
    ]


def test_the_missing_extra_is_told_once(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(capsys, monkeypatch, *(CameraInfo(str(n), f"camera {n}", problem=NO_LIBRARY) for n in range(2)))
    assert lines[:2] == ["0  camera 0", "1  camera 1"]
    assert lines[2:] == ["what they offer is told with the extra 'cameras': pip install 'mbllen-realtime[cameras]'"]


def test_as_json(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_list, "list_cameras", lambda: [DASH, BUSY])
    assert main(["cameras", "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)["results"]
    assert first["modes"][0] == {"width": 1920, "height": 1080, "fourcc": "MJPG", "rates": [30.0, 15.0]}
    assert second["problem"] == "in use by another program"
