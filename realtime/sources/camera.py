"""Cameras, through OpenCV."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from fractions import Fraction
from time import perf_counter

import cv2

from realtime.errors import SourceError
from realtime.frame import Frame, StreamInfo
from realtime.sources.base import Source

TIME_BASE = Fraction(1, 90_000)
#: What is asked for where the user does not say: MJPG, as uncompressed 720p at 30 frames a second exceeds USB 2.
SIZE, RATE, FOURCC = (1280, 720), 30.0, "MJPG"


class Camera(Source):
    """The camera of that number or device path, at the size, rate and format that it grants, which may be others than
    those asked for; ``info.diagnostics`` says which.

    Timestamps are arrival times since the first frame. Raises SourceError when there is no such camera, or it stops
    delivering.
    """

    def __init__(
        self,
        address: str,
        size: tuple[int, int] | None = None,
        rate: float | None = None,
        fourcc: str | None = None,
    ) -> None:
        self._name = f"camera {address}"
        # OpenCV prints three warnings for a camera that is not there.
        level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        try:
            self._capture = _open(int(address) if address.isdigit() else address)
        finally:
            cv2.utils.logging.setLogLevel(level)
        if not self._capture.isOpened():
            self.close()
            raise SourceError(f"{self._name} is not there or in use; 'realtime cameras' lists what is")
        # The format first: some cameras offer a size and rate in one format only.
        self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*(fourcc or FOURCC).ljust(4)))
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, (size or SIZE)[0])
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, (size or SIZE)[1])
        self._capture.set(cv2.CAP_PROP_FPS, rate or RATE)
        read, picture = self._capture.read()  # drivers may report what was asked for; a picture has the true size
        if not read:
            self.close()
            raise SourceError(f"{self._name} delivers no picture")
        granted = self._capture.get(cv2.CAP_PROP_FPS)
        self._stopped = False
        self.info = StreamInfo(
            width=picture.shape[1],
            height=picture.shape[0],
            time_base=TIME_BASE,
            rate=Fraction(granted).limit_denominator(1001) if granted > 0 else None,
            live=True,
            name=self._name,
        )
        code = int(self._capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little", signed=True)
        format = code.decode("ascii", "replace").strip("\0 ") or "unknown format"
        self.info.diagnostics.info(
            f"{self._name} delivers {self.info.width}x{self.info.height} at {granted:g} frames a second ({format}); "
            "its sound is not recorded"
        )

    def frames(self) -> Iterator[Frame]:
        start, pts = None, -1
        while not self._stopped:
            read, picture = self._capture.read()
            now = perf_counter()
            if not read:
                raise SourceError(f"{self._name} stopped delivering pictures")
            start = now if start is None else start
            rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
            # Two pictures that the driver held back may arrive within one tick.
            pts = max(pts + 1, round((now - start) / TIME_BASE))
            yield Frame((rgb,), pts=pts, time_base=TIME_BASE, captured_at=now)

    def stop(self) -> None:
        self._stopped = True

    def close(self) -> None:
        self._capture.release()


def _open(address: int | str) -> cv2.VideoCapture:
    # Left to choose, OpenCV tries every backend and prints what each of them thinks.
    return cv2.VideoCapture(address, cv2.CAP_V4L2 if platform.system() == "Linux" else cv2.CAP_ANY)
