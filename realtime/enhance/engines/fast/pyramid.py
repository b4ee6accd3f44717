"""Restoration maps applied at full size, on planes, in 16-bit integers.

The lifted luma is split as a Laplacian pyramid (Burt and Adelson 1983) with two steps of detail, full size to a
quarter and a quarter to an eighth. The maps scale each step and shift the base, which is a guided filter's
``base + a * (picture - mean)`` (He, Sun and Tang, "Guided image filtering", TPAMI 2013). Its ``a`` comes from a learned
gain, a learned noise, and the roughness of the place, measured twice as finely as maps are: near 1 on edges, far below
where detail is only noise. Gains of 1, no offsets and no noise leave the lifted picture. Chroma is restored at a
quarter and enlarged once. There is no RGB and no float at full size.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import cv2
import numpy as np

from realtime.enhance.exposure.buffers import BAND, Buffers, Enlarged, bands
from realtime.enhance.exposure.fine import STEPS, Floats, Shorts
from realtime.frame import Samples

#: White in fixed point.
TOP = 255 * STEPS
#: Sides are extended to a multiple of this.
GRID = 8
#: Gains in fixed point: 1 is this, and none is more than 8.
GAIN_UNIT = 4096
#: The power of detail that looks smooth at half the size: a tenth of a level. Without any noise all of it is kept.
SMOOTH = (0.1 / 255) ** 2


class Pyramid(NamedTuple):
    """One frame, decomposed on the grid.

    - `luma` at full size and `gray` at a quarter: int16, 0..`TOP`.
    - `quarter`, `blue`, `red`: luma in 0..1, Cb and Cr about 0, at a quarter, float32. `eighth`: luma at an eighth.
    - `rough`: the mean distance of luma's four halves from their mean, at a quarter, float32.
    """

    luma: Shorts
    gray: Shorts
    quarter: Floats
    blue: Floats
    red: Floats
    eighth: Floats
    rough: Floats

    @property
    def features(self) -> Floats:
        """What the student gets, float32 (H/4, W/4, 5). Made when asked for: most frames use the maps of others."""
        point = cv2.resize(self.luma, self.gray.shape[::-1], interpolation=cv2.INTER_NEAREST) * np.float32(1 / TOP)
        return np.asarray(cv2.merge([self.quarter, point, self.blue, self.red, np.sqrt(self.rough)]))


def pad_edge(plane: Shorts, rows: int, columns: int) -> Shorts:
    """Repeats the last of so many rows and columns to the end."""
    plane[:rows, columns:] = plane[:rows, columns - 1 : columns]
    plane[rows:] = plane[rows - 1]
    return plane


class Restored(NamedTuple):
    """One frame, restored: luma as what makes it of the lifted one, chroma about 0 (H/2, W/2), neither clipped nor
    cropped, in 1/`STEPS` of a level."""

    lifted: Shorts
    gain: Enlarged
    base: Enlarged
    blue: Shorts
    red: Shorts
    room: Shorts

    def luma(self) -> Iterator[tuple[slice, Shorts]]:
        """Rows, and luma there; it may be written to, and is valid until the next."""
        for rows in bands(len(self.lifted)):
            luma = self.room[: rows.stop - rows.start]
            cv2.multiply(self.lifted[rows], self.gain.band(rows), luma, scale=1 / GAIN_UNIT)
            yield rows, np.asarray(cv2.add(luma, self.base.band(rows), luma))


class Workspace:
    """Room to work on pictures of one size. Memory is taken once: fresh pages cost as much as the work."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.wide, self.tall = (-(-length // GRID) * GRID for length in (width, height))
        self.buffers = Buffers()
        self._half, self._away = np.empty((2, self.tall // 2, self.wide // 2), np.int16)
        self._room = np.empty((min(BAND, self.tall), self.wide), np.int16)

    def luma(self) -> Shorts:
        """A plane for luma, (H, W) on the grid."""
        return np.asarray(self.buffers.take(self.tall, self.wide))

    def chroma(self) -> Shorts:
        """A plane for chroma, (H/2, W/2) on the grid."""
        return np.asarray(self.buffers.take(self.tall // 2, self.wide // 2))

    def decompose(self, luma: Shorts, blue: Shorts, red: Shorts) -> Pyramid:
        """The pyramid of a lifted frame: `luma` (H, W), `blue` and `red` (H/2, W/2) on the grid, as `Fine` has them."""
        gray = _halve(_halve(luma, self._half))
        cv2.absdiff(self._half, _double(gray, self._away), self._away)
        rough = _halve(self._away) * np.float32(1 / TOP)
        quarter, blue_, red_ = (plane * np.float32(1 / TOP) for plane in (gray, _halve(blue), _halve(red)))
        return Pyramid(luma, gray, quarter, blue_, red_, _halve(quarter), rough)

    def restore(self, pyramid: Pyramid, maps: Floats) -> Restored:
        """The frame restored. `maps` (H/8, W/8, 8): offsets in 0..1, gains, and noises in 0..1."""
        shift, shift_blue, shift_red, fine, middle, color, noise, middle_noise = cv2.split(maps)
        # At a quarter of the size the work is small enough for float.
        detail = cv2.subtract(pyramid.quarter, _double(pyramid.eighth))
        middle *= wiener_gain(_halve(cv2.absdiff(detail, 0.0)), middle_noise)
        base = cv2.multiply(detail, _double(middle), detail)
        cv2.add(base, _double(cv2.add(pyramid.eighth, shift)), base)
        gain = cv2.multiply(_double(fine), wiener_gain(pyramid.rough, _double(noise)))
        # quarter + gain * (luma - gray), as guided filters have it: gain * luma, and what does not depend on it.
        base -= gain * pyramid.quarter
        gain_map, base_map = (
            Enlarged(part, self.tall, self.wide, self.buffers) for part in (_short(gain, GAIN_UNIT), _short(base))
        )
        color = _double(color)
        lifted = ((pyramid.blue, shift_blue), (pyramid.red, shift_red))
        blue, red = (
            _double(_short(cv2.add(cv2.multiply(plane, color), _double(shift))), self.chroma())
            for plane, shift in lifted
        )
        return Restored(pyramid.luma, gain_map, base_map, blue, red, self._room)

    def reconstruct(self, pyramid: Pyramid, maps: Floats) -> tuple[Shorts, Shorts, Shorts]:
        """As `restore`, luma as one plane (H, W)."""
        restored, luma = self.restore(pyramid, maps), np.empty((self.tall, self.wide), np.int16)
        for rows, band in restored.luma():
            luma[rows] = band
        return luma, restored.blue, restored.red


def _halve(plane: Samples, out: Shorts | None = None) -> Samples:
    return np.asarray(cv2.resize(plane, (plane.shape[1] // 2, plane.shape[0] // 2), out, interpolation=cv2.INTER_AREA))


def _double(plane: Samples, out: Shorts | None = None) -> Samples:
    return np.asarray(cv2.resize(plane, (plane.shape[1] * 2, plane.shape[0] * 2), out))


def wiener_gain(rough: Any, noise: Any) -> Any:
    """The share of detail to keep where luma is so `rough` and has so much `noise`, both mean deviations in 0..1.

    Wiener's filter (Lim, "Two-dimensional signal and image processing", 1990, chapter 9).
    """
    power = rough * rough + SMOOTH
    return power / (noise * noise + power)


def _short(values: Floats, scale: float = TOP) -> Shorts:
    # Rounded, and kept within int16, in one pass.
    return np.asarray(cv2.multiply(values, float(scale), dtype=cv2.CV_16S))


def to_samples(values: Shorts, offset: float, span: float, bits: int, out: Samples) -> None:
    """Writes 1/`STEPS` of levels as samples ``offset + span * value / 255``, rounded, within `bits`, to `out`. Uses up
    `values`."""
    if bits > 8:
        result = np.maximum(values * np.float32(span / TOP) + np.float32(offset + 0.5), 0)
        out[:] = np.minimum(result, (1 << bits) - 1)
        return
    # The conversion to bytes takes absolute values: nothing may fall below 0. OpenCV's maximum takes a fifth of NumPy's
    # time, but makes four samples of one.
    least = max(-offset * TOP / span, -32768.0)
    clipped = cv2.max(values, least, values) if values.size > 1 else np.maximum(values, np.int16(least))
    cv2.convertScaleAbs(clipped, out, alpha=span / TOP, beta=offset)
