"""A camera for other programs: the enhanced picture in a video call, through pyvirtualcam."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from realtime.errors import SinkError
from realtime.frame import Frame, StreamInfo
from realtime.sinks.base import Sink

if TYPE_CHECKING:
    import pyvirtualcam

#: Announced when the stream does not say its rate. Programs take it as a hint; frames go out as they come.
USUAL_RATE = 30.0
MISSING = "a virtual camera needs pyvirtualcam: pip install 'mbllen-realtime[virtual-camera]'"
REMEDIES = {
    "Linux": "install the package v4l2loopback-dkms, then: sudo modprobe v4l2loopback exclusive_caps=1",
    "Windows": "install OBS Studio 26 or later (obsproject.com), which brings one",
    "Darwin": "install OBS Studio 30 or later (obsproject.com), start and stop its virtual camera once, and close it",
}


class VirtualCamera(Sink):
    """Sends frames to a virtual camera, 8-bit RGB in the size of the stream.

    `device` is the camera's name or path; None is the first that is free. Raises SinkError when the library for it is
    not installed.
    """

    name = "virtual camera"
    may_drop = True

    def __init__(self, device: str | None = None) -> None:
        try:
            import pyvirtualcam
        except ImportError as error:
            raise SinkError(MISSING) from error
        self._library = pyvirtualcam
        self._device = device
        self._camera: pyvirtualcam.Camera | None = None

    def open(self, info: StreamInfo) -> None:
        """Claims the camera and says its name. Raises SinkError with the remedy when there is none."""
        rate = float(info.rate) if info.rate else USUAL_RATE
        try:
            self._camera = self._library.Camera(info.width, info.height, rate, device=self._device)
        except RuntimeError as error:  # one line for each driver that was tried
            wanted = f"no virtual camera {self._device}" if self._device else "no free virtual camera"
            reason = "; ".join(str(error).split("\n"))
            remedy = REMEDIES.get(platform.system(), "none is known for this system")
            raise SinkError(f"there is {wanted} for {info.width}x{info.height} ({reason}); {remedy}") from error
        info.diagnostics.info(f"the virtual camera is {self._camera.device}")

    def write(self, frame: Frame) -> None:
        assert self._camera is not None, "open comes first"
        try:
            self._camera.send(frame.planes[0])
        except (RuntimeError, ValueError) as error:  # the device is gone, or the frame has another size
            raise SinkError(f"the virtual camera takes no more frames: {error}") from error

    def close(self) -> None:
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.close()
