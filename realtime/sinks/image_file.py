"""Image files."""

from __future__ import annotations

from pathlib import Path

import cv2

from realtime.errors import SinkError
from realtime.frame import Frame, StreamInfo
from realtime.media.part_file import PartFile
from realtime.sinks.base import Sink

#: Visually lossless; OpenCV's default of 95 is for photographs that were not lifted out of the dark.
JPEG_QUALITY = 97


class ImageFileSink(Sink):
    """One frame in one file, whose name appears when it is complete.

    Raises SinkError for a stream that has, or turns out to have, more than one frame.
    """

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path
        self._written = False

    def open(self, info: StreamInfo) -> None:
        if info.live or (info.frames or 1) > 1:
            raise SinkError(
                f"{self._path} holds one picture, and {info.name} is a video; give the output the suffix of a video"
            )

    def write(self, frame: Frame) -> None:
        if self._written:
            raise SinkError(f"{self._path} holds one picture, and the source has more")
        self._written = True
        bgr = cv2.cvtColor(frame.planes[0], cv2.COLOR_RGB2BGR)
        jpeg = self._path.suffix.lower() in (".jpg", ".jpeg")  # the other formats warn of an option that is not theirs
        try:
            encoded, data = cv2.imencode(
                self._path.suffix, bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if jpeg else []
            )
        except cv2.error as error:
            raise SinkError(f"{self._path} cannot be encoded at {frame.width}x{frame.height}") from error
        if not encoded:
            raise SinkError(f"{self._path} cannot be encoded")
        part = PartFile(self._path)
        part.acquire()
        try:
            part.path.write_bytes(data.tobytes())
            part.move(self._path)
        except OSError as error:
            part.remove()
            raise SinkError(f"{self._path} cannot be written: {error.strerror}") from error
