"""Image files, one frame each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np

from realtime.diagnostics import Counted
from realtime.errors import SourceError
from realtime.frame import Frame, Samples, StreamInfo
from realtime.media.containers import IMAGE_SUFFIXES
from realtime.sources.base import Source


class ImageFiles(Source):
    """Image files in the given order, with timestamps 0, 1, 2, ... seconds.

    16-bit images and alpha are reduced to 8-bit RGB. Images of another size than the first are resized to fit into that
    one, with black beside them, and counted.
    """

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
        for index, path in enumerate(self._paths):
            image = read_image(path)
            if image.shape[:2] != (self.info.height, self.info.width):
                self.info.diagnostics.count(Counted.RESIZED_FRAMES)
                image = fit_into(image, self.info.width, self.info.height)
            yield Frame((image,), pts=index, time_base=Fraction(1), captured_at=perf_counter())


def read_image(path: Path) -> Samples:
    """One image as uint8 RGB (H, W, 3), turned as its EXIF says. Raises SourceError."""
    try:
        # cv2.imread cannot open every file name on every system, and does not say what went wrong.
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from error
    if not data.size:
        raise SourceError(f"{path} is empty")
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except cv2.error as error:  # more pixels than OpenCV accepts, or than memory holds
        raise SourceError(f"{path} cannot be read: {error.err or 'OpenCV refuses it'}") from error
    if image is None:
        raise SourceError(f"{path} is not an image that can be read")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def fit_into(image: Samples, width: int, height: int) -> Samples:
    """The image (H, W, 3) resized to fit into `width` x `height`, in the middle of black."""
    scale = min(width / image.shape[1], height / image.shape[0])
    inner = max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1)
    result = np.zeros((height, width, 3), np.uint8)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    resized = cv2.resize(image, inner, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    result[top : top + inner[1], left : left + inner[0]] = resized
    return result


def images_in(folder: Path) -> list[Path]:
    """The image files of a folder by name. Raises SourceError when there is none."""
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file())
    if not found:
        raise SourceError(f"{folder} holds no image ({', '.join(sorted(IMAGE_SUFFIXES))})")
    return found
