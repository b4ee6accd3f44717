"""Planes in fixed point: what the memory keeps and the lift works on, finer than 8-bit samples.

Luma is int16 in `STEPS` to a level of 0..255, chroma int16 in `STEPS` to a level about 0, whatever the range and the
depth of the samples.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from realtime.color import LUMA_WEIGHTS, rgb_to_ycbcr, sample_scale
from realtime.frame import PixelFormat, Samples

Shorts = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float32]

#: Fixed point: 32 steps to a level of 255; a product up to 1024 levels fits 16 bits.
STEPS = 32


class Fine(NamedTuple):
    """Luma (H, W) and two chroma planes, int16; the chroma planes are None for gray. Nobody writes to them."""

    luma: Shorts
    blue: Shorts | None
    red: Shorts | None


class SamplePlane(NamedTuple):
    """A plane (H, W) of samples, such that ``slope * band + offset`` is a band of it in fixed point. Both are constant,
    so a pass that combines planes converts them at no extra cost."""

    plane: Any
    unit: float
    slope: float
    offset: float
    limits: tuple[int, int] | None = None

    def band(self, rows: slice, out: Shorts) -> Shorts:
        """Some rows as int16, `unit` times the samples; `out` has as many rows. The fraction of samples of more than 13
        bits is cut."""
        part = self.plane[rows]
        if part.dtype == np.int16:
            return np.asarray(part)
        if self.limits is not None:
            part = np.clip(part, *self.limits)
        if self.unit >= 1:
            return np.multiply(part, np.int16(self.unit), out=out, dtype=np.int16, casting="unsafe")
        np.right_shift(part, int(-np.log2(self.unit)), out=out.view(np.uint16))
        return out


@lru_cache(maxsize=16)
def _tables(format: PixelFormat) -> tuple[Shorts, Shorts]:
    offset, span, middle, reach = sample_scale(format.bits, format.full_range)
    values = np.arange(1 << format.bits, dtype=np.float64)
    luma = np.clip(np.rint((values - offset) * (255 * STEPS / span)), 0, 255 * STEPS)
    chroma = np.rint((values - middle) * (255 * STEPS / reach))
    return luma.astype(np.int16), chroma.astype(np.int16)


def _look_up(plane: Samples, table: Shorts) -> Shorts:
    if plane.dtype == np.uint8:
        return np.asarray(cv2.LUT(plane, table), np.int16)
    return np.take(table, plane)  # contiguous, also where a plane is turned


def to_fine(planes: tuple[Samples, ...], format: PixelFormat) -> Fine:
    """Sample planes as `PixelFormat` lays them out, in fixed point."""
    if format.model == "rgb":
        matrix = (np.array(rgb_to_ycbcr(format.matrix)) * (255 * STEPS / ((1 << format.bits) - 1))).astype(np.float32)
        y, b, r = cv2.split(np.rint(cv2.transform(planes[0].astype(np.float32), matrix)).astype(np.int16))
        return Fine(y, b, r)
    luma_table, chroma_table = _tables(format)
    luma_plane = _look_up(planes[0], luma_table)
    if format.model == "gray":
        return Fine(luma_plane, None, None)
    return Fine(luma_plane, _look_up(planes[1], chroma_table), _look_up(planes[2], chroma_table))


def sample_planes(planes: tuple[Samples, ...], format: PixelFormat) -> tuple[SamplePlane, ...]:
    """Luma and chroma, clipped as `to_fine` does, for a conversion in bands."""
    if format.model == "rgb":
        return tuple(SamplePlane(plane, 1.0, 1.0, 0.0) for plane in to_fine(planes, format) if plane is not None)
    offset, span, middle, reach = sample_scale(format.bits, format.full_range)
    unit = STEPS * 2.0 ** (8 - format.bits)
    limits = None if format.full_range else (int(offset), int(offset + span))
    white = 255 * STEPS
    luma = SamplePlane(planes[0], unit, white / unit / span, -offset * white / span, limits)
    return (luma, *(SamplePlane(plane, unit, white / unit / reach, -middle * white / reach) for plane in planes[1:]))


@lru_cache(maxsize=8)
def dither(height: int, width: int, amplitude: int) -> Shorts:
    """A still ordered pattern of -amplitude..amplitude, an 8x8 Bayer matrix: under half a sample, so a whole sample
    stays what it is."""
    bayer = np.array([[0]])
    for _ in range(3):
        bayer = np.block([[4 * bayer, 4 * bayer + 2], [4 * bayer + 3, 4 * bayer + 1]])
    tile = np.rint(((bayer + 0.5) / 32 - 1) * amplitude).astype(np.int16)
    return np.ascontiguousarray(np.tile(tile, (-(-height // 8), -(-width // 8)))[:height, :width])


def to_samples(fine: Fine, format: PixelFormat) -> tuple[Samples, ...]:
    """Fixed point as sample planes, rounded, luma with an ordered dither; what was never changed comes back as it
    was."""
    offset, span, middle, reach = sample_scale(format.bits, format.full_range)
    if format.model == "rgb":
        return (_to_rgb(fine, format),)
    unit = 255 * STEPS / span
    luma = cv2.add(fine.luma, dither(*fine.luma.shape, int(0.45 * unit)))
    planes = [_rounded(luma, 1 / unit, offset, format.bits)]
    if fine.blue is not None and fine.red is not None:
        planes += [_rounded(plane, reach / (255 * STEPS), middle, format.bits) for plane in (fine.blue, fine.red)]
    return tuple(planes)


def _rounded(plane: Shorts, scale: float, offset: float, bits: int) -> Samples:
    if bits == 8:
        # Negative sums lie below level 0 by less than their offset, and would come back positive.
        low = max(int(np.ceil(-offset / scale)), -32768)
        # OpenCV's maximum makes four samples of one.
        positive = cv2.max(plane, low) if plane.size > 1 else np.maximum(plane, np.int16(low))
        return np.asarray(cv2.convertScaleAbs(positive, alpha=scale, beta=offset))
    return np.clip(np.rint(plane * np.float32(scale) + np.float32(offset)), 0, (1 << bits) - 1).astype(np.uint16)


def _to_rgb(fine: Fine, format: PixelFormat) -> Samples:
    kr, kb = LUMA_WEIGHTS[format.matrix]
    luma = fine.luma.astype(np.float32)
    assert fine.blue is not None
    assert fine.red is not None
    r, b = luma + np.float32(2 - 2 * kr) * fine.red, luma + np.float32(2 - 2 * kb) * fine.blue
    g = (luma - np.float32(kr) * r - np.float32(kb) * b) / np.float32(1 - kr - kb)
    top = (1 << format.bits) - 1
    rgb = np.stack([r, g, b], axis=-1) * np.float32(top / (255 * STEPS))
    return np.clip(np.rint(rgb), 0, top).astype(format.dtype)
