"""Cameras, through OpenCV."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from time import perf_counter

import cv2

from realtime.errors import SourceError
from realtime.frame import Frame, StreamInfo
from realtime.sources.base import Source

TICKS = 90_000

# OpenCV says in three warnings that a camera is not there; our error says it in one line.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


class Camera(Source):
    """The camera of that number or device path, at the size and rate it grants.

    Timestamps are arrival times from the first frame. Raises SourceError when there is none, or it stops delivering.
    """

    def __init__(self, address: str, width: int = 1280, height: int = 720, rate: float = 30.0) -> None:
        self._name = f"camera {address}"
        self._capture = _open(int(address) if address.isdigit() else address)
        if not self._capture.isOpened():
            raise SourceError(f"{self._name} is not there or in use; 'realtime cameras' lists what is")
        # MJPG must come before size and rate: uncompressed, USB has no room for 720p at 30.
        self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        for property, wish in (
            (cv2.CAP_PROP_FRAME_WIDTH, width),
            (cv2.CAP_PROP_FRAME_HEIGHT, height),
            (cv2.CAP_PROP_FPS, rate),
        ):
            self._capture.set(property, wish)
        # What was asked for is a wish; a picture tells the truth.
        fine, picture = self._capture.read()
        if not fine:
            self.close()
            raise SourceError(f"{self._name} delivers no picture")
        granted = self._capture.get(cv2.CAP_PROP_FPS)
        self._stopped = False
        self.info = StreamInfo(
            width=picture.shape[1],
            height=picture.shape[0],
            time_base=Fraction(1, TICKS),
            rate=Fraction(granted).limit_denominator(1001) if granted > 0 else None,
            live=True,
            name=self._name,
        )

    def frames(self) -> Iterator[Frame]:
        began, pts = None, -1
        while not self._stopped:
            fine, picture = self._capture.read()
            now = perf_counter()
            if not fine:
                raise SourceError(f"{self._name} stopped delivering pictures")
            began = now if began is None else began
            rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
            # Two pictures that a driver held back may come within one tick.
            pts = max(pts + 1, round((now - began) * TICKS))
            yield Frame((rgb,), pts=pts, time_base=Fraction(1, TICKS), captured_at=now)

    def stop(self) -> None:
        self._stopped = True

    def close(self) -> None:
        self._capture.release()


def _open(address: int | str) -> cv2.VideoCapture:
    # V4L2 named outright: left to choose, OpenCV tries every backend and prints what each of them thinks.
    return cv2.VideoCapture(address, cv2.CAP_V4L2 if platform.system() == "Linux" else cv2.CAP_ANY)


def cameras() -> list[dict[str, object]]:
    """The cameras that open now: address, name, and the size and rate they start with."""
    if platform.system() == "Linux":
        found: list[int] = sorted(int(p.name[5:]) for p in Path("/sys/class/video4linux").glob("video*"))
    else:
        found = list(range(8))
    result: list[dict[str, object]] = []
    for number in found:
        capture = _open(number)
        if capture.isOpened():
            label = Path(f"/sys/class/video4linux/video{number}/name")
            result.append(
                {
                    "address": str(number),
                    "name": label.read_text().strip() if label.exists() else f"camera {number}",
                    "width": int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
                    "height": int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
                    "fps": capture.get(cv2.CAP_PROP_FPS),
                }
            )
        capture.release()
    return result
