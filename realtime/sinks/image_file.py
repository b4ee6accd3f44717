"""Image files."""

from __future__ import annotations

import os
from pathlib import Path

import cv2

from realtime.errors import SinkError
from realtime.frame import Frame
from realtime.sinks.base import Sink, part_of

#: Visually lossless; OpenCV's default of 95 is for photographs that were not lifted out of the dark.
JPEG_QUALITY = 97


class ImageFileSink(Sink):
    """One picture in one file; of a stream, the last frame. The name appears when the file is complete."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, frame: Frame) -> None:
        bgr = cv2.cvtColor(frame.planes[0], cv2.COLOR_RGB2BGR)
        jpeg = self._path.suffix.lower() in (".jpg", ".jpeg")  # the others warn of an option that is not theirs
        fine, data = cv2.imencode(self._path.suffix, bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if jpeg else [])
        if not fine:
            raise SinkError(f"{self._path} cannot be encoded")
        part = part_of(self._path)
        try:
            part.write_bytes(data.tobytes())
            os.replace(part, self._path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise SinkError(f"{self._path} cannot be written: {error.strerror}") from error
