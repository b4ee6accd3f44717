"""What the maps make of planes, written as samples: in one pass of `native`, or in bands with OpenCV."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from realtime.enhance.engines.fast.pyramid import TOP
from realtime.enhance.exposure.buffers import BAND, Buffers, Enlarged, bands
from realtime.enhance.exposure.fine import Floats, Shorts
from realtime.enhance.native import functions, library
from realtime.frame import Samples

#: Gains in fixed point: 1 is this, and none is more than `MOST_GAIN`.
GAIN_UNIT = 4096


class Scale(NamedTuple):
    """Levels as samples: ``offset + span * level / 255``, rounded, of `bits`."""

    offset: float
    span: float
    bits: int


def write_luma(lifted: Shorts, gain: Floats, base: Floats, scale: Scale, out: Samples, buffers: Buffers) -> None:
    """Writes ``gain * lifted + base`` to `out`, uint8 or uint16, the upper left of the grid that `lifted` covers."""
    tall, wide = lifted.shape
    if library.available():
        maps = library.Map(gain), library.Map(base)
        functions.restore(lifted, *maps, (tall, wide), scale.span / TOP, scale.offset, (1 << scale.bits) - 1, out)
        return
    gains, bases = (Enlarged(part, tall, wide, buffers) for part in (_short(gain, GAIN_UNIT), _short(base)))
    room = buffers.take(min(BAND, tall), wide)
    for rows in bands(len(out)):
        luma = room[: rows.stop - rows.start]
        cv2.multiply(lifted[rows], gains.band(rows), luma, scale=1 / GAIN_UNIT)
        cv2.add(luma, bases.band(rows), luma)
        _to_samples(luma[:, : out.shape[1]], scale, out[rows])


def write_chroma(plane: Floats, grid: tuple[int, int], scale: Scale, out: Samples, buffers: Buffers) -> None:
    """Writes a color difference to `out`, the upper left of `grid` (height, width), to which `plane` is enlarged."""
    if grid[0] > 2 * len(plane) or grid[1] > 2 * plane.shape[1]:
        # In two steps, which is smoother.
        plane = cv2.resize(plane, (plane.shape[1] * 2, plane.shape[0] * 2))
    if library.available():
        top = (1 << scale.bits) - 1
        functions.restore(None, None, library.Map(plane), grid, scale.span / TOP, scale.offset, top, out)
        return
    enlarged = cv2.resize(_short(plane), grid[::-1], buffers.take(*grid))
    _to_samples(enlarged[: out.shape[0], : out.shape[1]], scale, out)


def _short(values: Floats, scale: float = 1.0) -> Shorts:
    # Rounded, and kept within int16, in one pass.
    return np.asarray(cv2.multiply(values, float(scale), dtype=cv2.CV_16S))


def _to_samples(values: Shorts, scale: Scale, out: Samples) -> None:
    offset, span, bits = scale
    if bits > 8:
        result = np.maximum(values * np.float32(span / TOP) + np.float32(offset + 0.5), 0)
        out[:] = np.minimum(result, (1 << bits) - 1)
        return
    # The conversion to bytes takes absolute values: nothing may fall below 0. OpenCV's maximum takes a fifth of NumPy's
    # time, but makes four samples of one.
    least = max(-offset * TOP / span, -32768.0)
    clipped = cv2.max(values, least) if values.size > 1 else np.maximum(values, np.int16(least))
    cv2.convertScaleAbs(clipped, out, alpha=span / TOP, beta=offset)
