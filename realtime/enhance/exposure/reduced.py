"""The small picture that meter and memory look at: area means of the planes."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from realtime.color import LUMA_WEIGHTS, Matrix
from realtime.enhance.exposure.fine import STEPS, SamplePlane, sample_planes
from realtime.enhance.native import functions, library
from realtime.frame import PixelFormat, Samples

Floats = npt.NDArray[np.float32]

#: A frame of at most the first, wide and high, is its own small picture; that of any other is at most the second: 8
#: pixels to a cell at 1080p, 6 at 720p, where a bilinear map shows no halo. Its arrays fit the second cache.
WHOLE, WIDEST = 320, 240


class Reduced(NamedTuple):
    """Luma as levels 0..255, Cb and Cr as levels about 0, float32 (h, w) each; the largest channel as levels."""

    luma: Floats
    blue: Floats
    red: Floats
    peak: Floats


def cell(height: int, width: int) -> int:
    """How many pixels of a frame, each way, one cell of its small picture covers."""
    longest = max(height, width)
    return 1 if longest <= WHOLE else -(-longest // WIDEST)


def small_size(height: int, width: int) -> tuple[int, int]:
    """Height and width of the small picture of a frame."""
    side = cell(height, width)
    return -(-height // side), -(-width // side)


def shrink(plane: Samples, size: tuple[int, int]) -> Samples:
    """Area means of a plane at `size` (height, width), in its own dtype."""
    height, width = plane.shape[:2]
    while not (height % 2 or width % 2) and height >= 2 * size[0] and width >= 2 * size[1]:
        height, width = height // 2, width // 2
        plane = cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA)
    if (height, width) == size:
        return plane
    return np.asarray(cv2.resize(plane, size[::-1], interpolation=cv2.INTER_AREA))


def peak_of(luma: Floats, blue: Floats, red: Floats, matrix: Matrix) -> Floats:
    """The largest of R, G and B, in levels, from Y, Cb and Cr."""
    kr, kb = LUMA_WEIGHTS[matrix]
    most = np.maximum(red * np.float32(2 - 2 * kr), blue * np.float32(2 - 2 * kb))
    green = (kr * (2 - 2 * kr) * red + kb * (2 - 2 * kb) * blue) * np.float32(-1 / (1 - kr - kb))
    return np.asarray(np.clip(luma + np.maximum(most, green), 0, 255), np.float32)


def reduce_sample_planes(planes: tuple[SamplePlane, ...], matrix: Matrix) -> Reduced:
    """The small picture of planes before their conversion to fixed point."""
    size = small_size(*planes[0].plane.shape)
    means = [
        _means(part.plane, size) * np.float32(part.unit * part.slope / STEPS) + np.float32(part.offset / STEPS)
        for part in planes
    ]
    luma = np.clip(means[0], 0, 255)
    if len(means) < 3:
        none = np.zeros(size, np.float32)
        return Reduced(luma, none, none, luma)
    return Reduced(luma, means[1], means[2], peak_of(luma, means[1], means[2], matrix))


def reduce_planes(planes: tuple[Samples, ...], format: PixelFormat) -> Reduced:
    """The small picture of sample planes as `PixelFormat` lays them out."""
    return reduce_sample_planes(sample_planes(planes, format), format.matrix)


def _means(plane: Samples, size: tuple[int, int]) -> Floats:
    """Area means of samples at `size`, float32, in samples."""
    side, rest = divmod(plane.shape[0], size[0])
    if plane.dtype != np.uint8:
        return shrink(plane, size).astype(np.float32)
    if rest or side > 256 or plane.shape[:2] == size:
        return shrink(plane.astype(np.float32), size)
    # Sums of columns are exact, and NumPy adds bytes faster than OpenCV averages anything wider.
    if library.available() and plane.strides[1] == 1:
        sums = functions.sum_rows(plane, side)
    else:
        sums = np.add.reduce(plane.reshape(size[0], side, -1), axis=1, dtype=np.uint16)
    return cv2.resize(sums, size[::-1], interpolation=cv2.INTER_AREA) * np.float32(1 / side)


def reduce_rgb(rgb: Floats, matrix: Matrix = "bt709") -> Reduced:
    """The small picture of float32 RGB (H, W, 3), encoded, in 0..1."""
    small = shrink(rgb, small_size(*rgb.shape[:2])) * np.float32(255)
    kr, kb = LUMA_WEIGHTS[matrix]
    r, g, b = small[..., 0], small[..., 1], small[..., 2]
    luma = kr * r + (1 - kr - kb) * g + kb * b
    blue, red = (np.asarray((c - luma) / (2 - 2 * k), np.float32) for c, k in ((b, kb), (r, kr)))
    return Reduced(luma.astype(np.float32), blue, red, np.maximum(np.maximum(r, g), b))
