"""The functions of `library`, for NumPy arrays: C-contiguous, but for those in a `Plane`, whose rows may have gaps
between them. Other threads run meanwhile."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from realtime.enhance.native.library import Curve, Map, Plane, call

Shorts = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float32]

#: Outputs of `convolve`.
OUTPUTS = 16


def blend_and_lift_luma(
    before: Shorts,
    now: Plane,
    share: Map | None,
    memory: Shorts,
    lift: tuple[Map, Map | None, Map | None, Curve] | None,
    lifted: Shorts,
) -> None:
    """Writes ``before + share * (now - before)`` to `memory` (H, W) and what `lift` makes of it to `lifted`.

    Without `share` all of `now` is taken; `before` and `memory` may be the same. `lift` holds gains, then two maps in
    place of the gain where `Dark` says so, a factor and a summand, and the curve; without it `lifted` is left alone.
    """
    gain, keep, level, curve = lift or (None, None, None, None)
    call("blend_and_lift_luma", before, now, share, memory, gain, keep, level, curve, lifted, *memory.shape[::-1])


def blend_and_lift_color(
    before: Shorts, now: Plane, share: Map | None, memory: Shorts, gain: Map | None, lifted: Shorts
) -> None:
    """The same for a color difference (H, W), whose lift is a product."""
    call("blend_and_lift_color", before, now, share, memory, gain, lifted, *memory.shape[::-1])


def halve(plane: Shorts) -> Shorts:
    """Means of 2x2 of (H, W), both even, rounded."""
    height, width = plane.shape[0] // 2, plane.shape[1] // 2
    halved = np.empty((height, width), np.int16)
    call("halve", plane, halved, width, height)
    return halved


def halve_to_float(plane: Shorts, scale: float) -> Floats:
    """The same, not rounded, times `scale`."""
    height, width = plane.shape[0] // 2, plane.shape[1] // 2
    halved = np.empty((height, width), np.float32)
    call("halve_to_float", plane, scale, halved, width, height)
    return halved


def roughness(half: Shorts, quarter: Floats, scale: float) -> Floats:
    """The mean distance of `half` (H, W), times `scale`, from `quarter` (H/2, W/2), in 2x2."""
    rough = np.empty(quarter.shape, np.float32)
    call("roughness", half, Map(quarter), scale, rough, *half.shape[::-1])
    return rough


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
    """Gain and base of `pyramid.Restored`, the base times `top`: `quarter`, `rough` (H, W), the rest (H/2, W/2)."""
    gain, base = (np.empty(quarter.shape, np.float32) for _ in range(2))
    maps = [Map(part) for part in (eighth, shift, fine, middle, noise, middle_noise)]
    call("restore_luma", quarter, rough, *maps, smooth, top, gain, base, *quarter.shape[::-1])
    return gain, base


def restore_chroma(plane: Floats, gain: Floats, shift: Floats, top: float) -> Floats:
    """``(gain * plane + shift) * top``: `plane` (H, W), the maps (H/2, W/2)."""
    restored = np.empty(plane.shape, np.float32)
    call("restore_chroma", plane, Map(gain), Map(shift), top, restored, *plane.shape[::-1])
    return restored


def restore(
    lifted: Shorts | None,
    gain: Map | None,
    base: Map,
    grid: tuple[int, int],
    scale: float,
    offset: float,
    top: int,
    out: npt.NDArray[Any],
) -> None:
    """Writes ``(gain * lifted + base) * scale + offset`` as samples 0..`top` to `out`, uint8 or uint16 (H, W).

    `lifted` and the maps cover the `grid` (height, width), of which `out` is the upper left. Without `lifted`, `base`
    is all there is.
    """
    height, width = out.shape
    call("restore", lifted, gain, base, grid[1], grid[0], scale, offset, top, out, out.itemsize, width, height)


def sum_rows(plane: npt.NDArray[np.uint8], rows: int) -> npt.NDArray[np.uint16]:
    """Sums over so many rows each of (H, W), as many as divide H; no more than 256. Rows may have gaps between them."""
    height, width = plane.shape[0] // rows, plane.shape[1]
    sums = np.empty((height, width), np.uint16)
    call("sum_rows", plane.ctypes.data, plane.strides[0], rows, sums, width, height)
    return sums


def convolve(source: Floats, step: int, weights: Floats, bias: Floats, least: float, target: Floats) -> None:
    """A convolution of 3x3 in steps of `step` pixels: `source` (H, W, C) has its border, `weights` are (3, 3, C, 16),
    `bias` (16,). Results are at least `least`. `target` (h, w, 16) has a border of a pixel, which is left alone."""
    height, width = target.shape[0] - 2, target.shape[1] - 2
    row, channels = source.shape[1] * source.shape[2], source.shape[2]
    inside = target[1:, 1:]
    into = inside.ctypes.data, target.shape[1] * OUTPUTS, width, height
    call("convolve", source, row, channels, step, weights, bias, least, *into)
