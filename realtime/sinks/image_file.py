"""Image files."""

from __future__ import annotations

from pathlib import Path

import cv2

from realtime.errors import SinkError
from realtime.frame import RGB, Frame, PixelFormat, StreamInfo
from realtime.media.part_file import write_file
from realtime.sinks.base import Sink

#: Visually lossless; OpenCV's default of 95 is for photographs that were not lifted out of the dark.
JPEG_QUALITY = 97


class ImageFileSink(Sink):
    """One frame in one file, which is written on `close`. Raises SinkError for a stream of more than one frame."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path
        self._encoded: bytes | None = None

    def format_for(self, info: StreamInfo) -> PixelFormat:
        if info.live or (info.frames is not None and info.frames > 1):
            raise SinkError(
                f"{self._path} holds one picture, and {info.name} has more; give the output the suffix of a video, "
                "such as .mp4"
            )
        return RGB

    def write(self, frame: Frame) -> None:
        if self._encoded is not None:
            raise SinkError(f"{self._path} holds one picture, and the source has more")
        bgr = cv2.cvtColor(frame.planes[0], cv2.COLOR_RGB2BGR)
        jpeg = self._path.suffix.lower() in (".jpg", ".jpeg")  # the other formats warn of an option that is not theirs
        quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if jpeg else []
        try:
            encoded, data = cv2.imencode(self._path.suffix, bgr, quality)
        except cv2.error as error:
            raise SinkError(f"{self._path} cannot be encoded at {frame.width}x{frame.height}") from error
        if not encoded:
            raise SinkError(f"{self._path} cannot be encoded at {frame.width}x{frame.height}")
        self._encoded = data.tobytes()

    def close(self) -> None:
        encoded, self._encoded = self._encoded, None
        if encoded is not None:
            write_file(self._path, encoded)

    def abort(self) -> None:
        self._encoded = None
