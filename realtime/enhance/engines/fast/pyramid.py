"""Restoration maps applied at full size, on planes, in 16-bit integers.

The lifted luma is split as a Laplacian pyramid (Burt and Adelson 1983) with two steps of detail, full size to a
quarter and a quarter to an eighth. The maps scale each step and shift the base, which is a guided filter's
``base + a * (picture - mean)`` (He, Sun and Tang, "Guided image filtering", TPAMI 2013). Its ``a`` comes from a learned
gain, a learned noise, and the roughness of the place, measured twice as finely as maps are: near 1 on edges, far below
where detail is only noise. Gains of 1, no offsets and no noise leave the lifted picture. Chroma is restored at a
quarter and enlarged once. There is no RGB and no float at full size.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np

from realtime.enhance.exposure.buffers import Buffers
from realtime.enhance.exposure.fine import STEPS, Floats, Shorts
from realtime.enhance.native import functions, library
from realtime.frame import Samples

#: White in fixed point.
TOP = 255 * STEPS
#: Sides are extended to a multiple of this.
GRID = 8
#: The power of detail that looks smooth at half the size: a tenth of a level. Without any noise all of it is kept.
SMOOTH = (0.1 / 255) ** 2
#: The most that fine detail is raised by: with more, a white sample leaves 16 bits.
MOST_GAIN = 4.0


class Pyramid(NamedTuple):
    """One frame, decomposed on the grid.

    - `luma` at full size: int16, 0..`TOP`.
    - `quarter`, `blue`, `red`: luma in 0..1, Cb and Cr about 0, at a quarter, float32. `eighth`: luma at an eighth.
    - `rough`: the mean distance of luma's four halves from their mean, at a quarter, float32.
    """

    luma: Shorts
    quarter: Floats
    blue: Floats
    red: Floats
    eighth: Floats
    rough: Floats

    @property
    def features(self) -> Floats:
        """What the student gets, float32 (H/4, W/4, 5). Made when asked for: most frames use the maps of others."""
        point = cv2.resize(self.luma, self.quarter.shape[::-1], interpolation=cv2.INTER_NEAREST) * np.float32(1 / TOP)
        return np.asarray(cv2.merge([self.quarter, point, self.blue, self.red, np.sqrt(self.rough)]))


def pad_edge(plane: Shorts, rows: int, columns: int) -> Shorts:
    """Repeats the last of so many rows and columns to the end."""
    plane[:rows, columns:] = plane[:rows, columns - 1 : columns]
    plane[rows:] = plane[rows - 1]
    return plane


class Restored(NamedTuple):
    """One frame, restored: luma is ``gain * lifted + base``, neither clipped nor cropped.

    - `lifted`: luma (H, W) on the grid, int16. `gain` and `base`: maps over it, float32 (H/4, W/4).
    - `blue`, `red`: color differences, float32, at a quarter of the size of luma or at half.

    All but the gain are in 1/`STEPS` of a level.
    """

    lifted: Shorts
    gain: Floats
    base: Floats
    blue: Floats
    red: Floats

    def planes(self) -> tuple[Floats, Floats, Floats]:
        """Luma (H, W) and color differences (H/2, W/2) in float: the reference of `output`."""
        height, width = self.lifted.shape
        gain, base = (cv2.resize(part, (width, height)) for part in (self.gain, self.base))
        blue, red = (np.asarray(cv2.resize(part, (width // 2, height // 2))) for part in (self.blue, self.red))
        return np.asarray(self.lifted * gain + base, np.float32), blue, red


def unrestored(luma: Shorts, blue: Shorts, red: Shorts) -> Restored:
    """Planes on the grid as they are, chroma at half the size."""
    one = np.ones((1, 1), np.float32)
    return Restored(luma, one, 0 * one, blue.astype(np.float32), red.astype(np.float32))


class Workspace:
    """Room to work on pictures of one size. Memory is taken once: fresh pages cost as much as the work."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.wide, self.tall = (-(-length // GRID) * GRID for length in (width, height))
        self.buffers = Buffers()
        self._half, self._away = np.empty((2, self.tall // 2, self.wide // 2), np.int16)

    def luma(self) -> Shorts:
        """A plane for luma, (H, W) on the grid."""
        return np.asarray(self.buffers.take(self.tall, self.wide))

    def chroma(self) -> Shorts:
        """A plane for chroma, (H/2, W/2) on the grid."""
        return np.asarray(self.buffers.take(self.tall // 2, self.wide // 2))

    def decompose(self, luma: Shorts, blue: Shorts, red: Shorts) -> Pyramid:
        """The pyramid of a lifted frame: `luma` (H, W), `blue` and `red` (H/2, W/2) on the grid, as `Fine` has them."""
        if library.available():
            half = functions.halve(luma)
            quarter, blue_, red_ = (functions.halve_to_float(plane, 1 / TOP) for plane in (half, blue, red))
            rough = functions.roughness(half, quarter, 1 / TOP)
        else:
            gray = _halve(_halve(luma, self._half))
            cv2.absdiff(self._half, _double(gray, self._away), self._away)
            rough = _halve(self._away) * np.float32(1 / TOP)
            quarter, blue_, red_ = (plane * np.float32(1 / TOP) for plane in (gray, _halve(blue), _halve(red)))
        return Pyramid(luma, quarter, blue_, red_, _halve(quarter), rough)

    def restore(self, pyramid: Pyramid, maps: Floats) -> Restored:
        """The frame restored. `maps` (H/8, W/8, 8): offsets in 0..1, gains, and noises in 0..1."""
        shift, shift_blue, shift_red, fine, middle, color, noise, middle_noise = cv2.split(maps)
        luma, chroma = restore_luma, restore_chroma
        if library.available():
            luma, chroma = functions.restore_luma, functions.restore_chroma
        fine = np.minimum(fine, np.float32(MOST_GAIN))
        maps_of_luma = shift, fine, middle, noise, middle_noise
        gain, base = luma(pyramid.quarter, pyramid.rough, pyramid.eighth, *maps_of_luma, SMOOTH, float(TOP))
        blue, red = (
            chroma(plane, color, offset, float(TOP))
            for plane, offset in ((pyramid.blue, shift_blue), (pyramid.red, shift_red))
        )
        return Restored(pyramid.luma, gain, base, blue, red)


def _halve(plane: Samples, out: Shorts | None = None) -> Samples:
    return np.asarray(cv2.resize(plane, (plane.shape[1] // 2, plane.shape[0] // 2), out, interpolation=cv2.INTER_AREA))


def _double(plane: Samples, out: Shorts | None = None) -> Samples:
    return np.asarray(cv2.resize(plane, (plane.shape[1] * 2, plane.shape[0] * 2), out))


def restore_luma(
    quarter: Floats,
    rough: Floats,
    eighth: Floats,
    shift: Floats,
    fine: Floats,
    middle: Floats,
    noise: Floats,
    middle_noise: Floats,
    smooth: float,
    top: float,
) -> tuple[Floats, Floats]:
    """Gain and base of `Restored`, the base times `top`: `quarter` and `rough` (H, W), the rest (H/2, W/2)."""
    detail = cv2.subtract(quarter, _double(eighth))
    middle = middle * wiener_gain(_halve(cv2.absdiff(detail, 0.0)), middle_noise, smooth)
    base = cv2.multiply(detail, _double(middle), detail)
    cv2.add(base, _double(cv2.add(eighth, shift)), base)
    gain = cv2.multiply(_double(fine), wiener_gain(rough, _double(noise), smooth))
    # quarter + gain * (luma - gray), as guided filters have it: gain * luma, and what does not depend on it.
    base -= gain * quarter
    return gain, base * np.float32(top)


def restore_chroma(plane: Floats, gain: Floats, shift: Floats, top: float) -> Floats:
    """``(gain * plane + shift) * top``: `plane` (H, W), the maps (H/2, W/2)."""
    return np.asarray(cv2.add(cv2.multiply(plane, _double(gain)), _double(shift)) * np.float32(top))


def wiener_gain(rough: Any, noise: Any, smooth: float = SMOOTH) -> Any:
    """The share of detail to keep where luma is so `rough` and has so much `noise`, both mean deviations in 0..1.

    Wiener's filter (Lim, "Two-dimensional signal and image processing", 1990, chapter 9).
    """
    power = rough * rough + smooth
    return power / (noise * noise + power)
