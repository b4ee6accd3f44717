"""Image files, one frame each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np

from realtime.errors import SourceError
from realtime.frame import Frame, Samples, StreamInfo
from realtime.sources.base import Source


class ImageFiles(Source):
    """Image files in the given order, timestamps 0, 1, 2, … seconds. 16-bit and alpha are reduced to 8-bit RGB."""

    def __init__(self, paths: Sequence[Path], name: str) -> None:
        self._paths = list(paths)
        first = read_image(self._paths[0])
        self.info = StreamInfo(
            width=first.shape[1],
            height=first.shape[0],
            time_base=Fraction(1),
            rate=Fraction(1),
            frames=len(self._paths),
            name=name,
            path=self._paths[0],
        )

    def frames(self) -> Iterator[Frame]:
        for place, path in enumerate(self._paths):
            yield Frame((read_image(path),), pts=place, time_base=Fraction(1), captured_at=perf_counter())


def read_image(path: Path) -> Samples:
    """One image as uint8 RGB (H, W, 3), turned as its EXIF says. Raises SourceError."""
    try:
        # Not cv2.imread: it cannot open every file name on every system, and does not say what went wrong.
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from error
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if picture is None:
        raise SourceError(f"{path} is not an image that can be read" if data.size else f"{path} is empty")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
