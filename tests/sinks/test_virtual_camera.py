"""The virtual camera, with a driver that is a double: no kernel module can be loaded where tests run."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
import pytest
import pyvirtualcam
from doubles import Echo, RecordingSink, ScriptedSource

from realtime import Frame, SinkError, StreamInfo
from realtime.pipeline import run
from realtime.sinks.virtual_camera import VirtualCamera


class Driver:
    """A backend as `pyvirtualcam.camera.Backend` describes it, with one device. It keeps what it is sent."""

    instances: ClassVar[list[Driver]] = []
    broken: ClassVar[bool] = False

    def __init__(self, *, width: int, height: int, fps: float, fourcc: int, device: str | None, **more: Any) -> None:
        if device not in (None, "/dev/video7") or width > 4096:
            raise RuntimeError("no such device")
        self.size, self.fps, self.fourcc = (width, height), fps, fourcc
        self.pictures: list[np.ndarray[Any, Any]] = []
        self.closed = 0
        Driver.instances.append(self)

    def send(self, frame: np.ndarray[Any, Any]) -> None:
        if Driver.broken:
            raise RuntimeError("write failed")
        assert frame.dtype == np.uint8
        assert frame.ndim == 1
        assert frame.flags.c_contiguous
        self.pictures.append(frame.reshape(self.size[1], self.size[0], 3).copy())

    def close(self) -> None:
        self.closed += 1

    def device(self) -> str:
        return "/dev/video7"

    def native_fourcc(self) -> int | None:
        return None


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Driver]]:
    """The only driver that pyvirtualcam knows."""
    monkeypatch.setattr(pyvirtualcam.camera, "BACKENDS", {})
    pyvirtualcam.register_backend("double", Driver)
    yield Driver
    Driver.instances.clear()
    Driver.broken = False


def test_every_frame_is_sent_as_it_is(driver: type[Driver]) -> None:
    pictures = np.random.default_rng(1).integers(0, 256, (3, 4, 6, 3), np.uint8)
    info = StreamInfo(6, 4, rate=Fraction(25), live=True)
    with closing(VirtualCamera()) as camera:
        camera.open(info)
        for picture in pictures:
            camera.write(Frame((picture,)))
        camera.write(Frame((pictures[0][:, ::-1],)))  # a view with a stride of its own
    [used] = driver.instances
    assert (used.size, used.fps, used.closed) == ((6, 4), 25.0, 1)
    assert np.array_equal(used.pictures, [*pictures, pictures[0][:, ::-1]])
    assert [message.text for message in info.diagnostics.messages] == ["the virtual camera is /dev/video7"]


def test_an_unknown_rate_is_the_usual_one(driver: type[Driver]) -> None:
    with closing(VirtualCamera("/dev/video7")) as camera:
        camera.open(StreamInfo(6, 4))
    assert driver.instances[0].fps == 30.0


def test_a_run_sends_to_it_beside_a_recording(driver: type[Driver]) -> None:
    recording = RecordingSink()
    report = run(ScriptedSource(20), Echo(), [recording, VirtualCamera()])
    assert [output.frames for output in report.outputs] == [20, 20]
    assert report.outputs[1].name == "virtual camera"
    assert len(driver.instances[0].pictures) == 20
    assert driver.instances[0].closed == 1


def test_a_failed_run_frees_it(driver: type[Driver]) -> None:
    def fail(index: int) -> None:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        run(ScriptedSource(20), Echo(each=fail), VirtualCamera())
    assert driver.instances[0].closed == 1


@pytest.mark.parametrize(
    ("system", "remedy"), [("Linux", "modprobe v4l2loopback"), ("Windows", "OBS Studio"), ("Darwin", "OBS Studio")]
)
def test_without_a_driver_the_remedy_is_named(
    system: str, remedy: str, driver: type[Driver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    with closing(VirtualCamera("/dev/video9")) as camera, pytest.raises(SinkError) as refused:
        camera.open(StreamInfo(6, 4))
    assert "no virtual camera /dev/video9 for 6x4" in str(refused.value)
    assert remedy in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_device_that_goes_away(driver: type[Driver]) -> None:
    with closing(VirtualCamera()) as camera:
        camera.open(StreamInfo(6, 4))
        driver.broken = True
        with pytest.raises(SinkError, match="takes no more frames: write failed"):
            camera.write(Frame((np.zeros((4, 6, 3), np.uint8),)))


def test_a_frame_of_another_size(driver: type[Driver]) -> None:
    with closing(VirtualCamera()) as camera:
        camera.open(StreamInfo(6, 4))
        with pytest.raises(SinkError, match="unexpected frame shape"):
            camera.write(Frame((np.zeros((5, 6, 3), np.uint8),)))


def test_it_may_end_before_it_was_opened() -> None:
    VirtualCamera().close()
    VirtualCamera().abort()


def test_the_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(SinkError, match=r"pip install 'mbllen-realtime\[virtual-camera\]'"):
        VirtualCamera()
