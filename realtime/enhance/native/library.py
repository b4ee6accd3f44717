"""The functions of ``exposure.c``, ``restoration.c`` and ``network.c``, for NumPy arrays.

They are compiled when the package is built, where there is a C compiler (``hatch_build.py``); `available` says so. What
they do is otherwise done step by step with OpenCV, within a level of the result, in three times the time. Arrays are
C-contiguous; those in a `Plane` may have gaps between their rows. Other threads run meanwhile.
"""

from __future__ import annotations

import ctypes
import zlib
from ctypes import c_float, c_int32, c_int64, c_void_p
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Shorts = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float32]

#: What the build leaves beside this file. One name on all systems: it is loaded by its path.
FILE = Path(__file__).with_name("library.bin")


class Map(ctypes.Structure):
    """A small picture (h, w) over a plane, float32, enlarged bilinearly with half-pixel centers as it is needed."""

    _fields_ = (("_values", c_void_p), ("_width", c_int32), ("_height", c_int32))

    def __init__(self, values: npt.NDArray[Any]) -> None:
        values = np.ascontiguousarray(values, np.float32)
        super().__init__(values.ctypes.data, values.shape[1], values.shape[0])
        self._keep = values  # as long as C has its address


class Plane(ctypes.Structure):
    """Samples (H, W), uint8, uint16 or int16, as ``scale * sample + offset``. Unsigned ones are clipped before."""

    _fields_ = (
        ("_samples", c_void_p),
        ("_stride", c_int64),
        ("_bytes", c_int32),
        *((name, c_float) for name in ("_scale", "_offset", "_low", "_high")),
    )

    def __init__(self, samples: npt.NDArray[Any], scale: float, offset: float, limits: tuple[int, int] | None) -> None:
        if samples.strides[1] != samples.itemsize or samples.strides[0] % samples.itemsize:
            samples = np.ascontiguousarray(samples)
        low, high = limits or (0, 65535)
        size = 0 if samples.dtype == np.int16 else samples.itemsize
        stride = samples.strides[0] // samples.itemsize
        super().__init__(samples.ctypes.data, stride, size, scale, offset, low, high)
        self._keep = samples


class Curve(ctypes.Structure):
    """How luma is lifted, in fixed point: `LumaLift` has the formula; two lines (slope, constant) are its shoulder."""

    _fields_ = tuple(
        (name, c_float) for name in ("toe", "offset", "slope1", "constant1", "slope2", "constant2", "landing", "knee")
    )


#: The arguments of each function: pointers, integers and floats.
_ARGUMENTS = {
    "blend_and_lift_luma": "pppppppppii",
    "blend_and_lift_color": "ppppppii",
    "halve": "ppii",
    "halve_to_float": "pfpii",
    "roughness": "ppfpii",
    "restore_luma": "ppppppppffppii",
    "restore_chroma": "pppfpii",
    "sum_rows": "plipii",
    "convolve": "piiippfpiii",
    "restore": "pppiifffpiii",
}
_TYPES = {"p": c_void_p, "i": c_int32, "l": c_int64, "f": c_float}


@cache
def _library() -> Any:
    if not FILE.is_file():
        return None
    try:
        library = ctypes.CDLL(str(FILE))
        stamp = ctypes.c_uint32.in_dll(library, "sources").value
    except (OSError, ValueError):  # of another system, in a folder that two of them share
        return None
    sources = sorted([*FILE.parent.glob("*.c"), *FILE.parent.glob("*.h")])
    if stamp != zlib.crc32(b"".join(path.read_bytes() for path in sources)):
        return None  # compiled before the checkout changed
    for name, types in _ARGUMENTS.items():
        getattr(library, name).argtypes = [_TYPES[letter] for letter in types]
    return library


def available() -> bool:
    """Whether they can be used on this machine."""
    return _library() is not None


def _call(name: str, *arguments: Any) -> None:
    if getattr(_library(), name)(*map(_given, arguments)):
        raise MemoryError


def _given(argument: Any) -> Any:
    if isinstance(argument, np.ndarray):
        if not argument.flags.c_contiguous:
            raise ValueError("the array is not contiguous")
        return argument.ctypes.data
    return ctypes.addressof(argument) if isinstance(argument, ctypes.Structure) else argument


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
    _call("blend_and_lift_luma", before, now, share, memory, gain, keep, level, curve, lifted, *memory.shape[::-1])


def blend_and_lift_color(
    before: Shorts, now: Plane, share: Map | None, memory: Shorts, gain: Map | None, lifted: Shorts
) -> None:
    """The same for a color difference (H, W), whose lift is a product."""
    _call("blend_and_lift_color", before, now, share, memory, gain, lifted, *memory.shape[::-1])


def halve(plane: Shorts) -> Shorts:
    """Means of 2x2 of (H, W), both even, rounded."""
    height, width = plane.shape[0] // 2, plane.shape[1] // 2
    halved = np.empty((height, width), np.int16)
    _call("halve", plane, halved, width, height)
    return halved


def halve_to_float(plane: Shorts, scale: float) -> Floats:
    """The same, not rounded, times `scale`."""
    height, width = plane.shape[0] // 2, plane.shape[1] // 2
    halved = np.empty((height, width), np.float32)
    _call("halve_to_float", plane, scale, halved, width, height)
    return halved


def roughness(half: Shorts, quarter: Floats, scale: float) -> Floats:
    """The mean distance of `half` (H, W), times `scale`, from `quarter` (H/2, W/2), in 2x2."""
    rough = np.empty(quarter.shape, np.float32)
    _call("roughness", half, Map(quarter), scale, rough, *half.shape[::-1])
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
    _call("restore_luma", quarter, rough, *maps, smooth, top, gain, base, *quarter.shape[::-1])
    return gain, base


def restore_chroma(plane: Floats, gain: Floats, shift: Floats, top: float) -> Floats:
    """``(gain * plane + shift) * top``: `plane` (H, W), the maps (H/2, W/2)."""
    restored = np.empty(plane.shape, np.float32)
    _call("restore_chroma", plane, Map(gain), Map(shift), top, restored, *plane.shape[::-1])
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
    _call("restore", lifted, gain, base, grid[1], grid[0], scale, offset, top, out, out.itemsize, width, height)


def sum_rows(plane: npt.NDArray[np.uint8], rows: int) -> npt.NDArray[np.uint16]:
    """Sums over so many rows each of (H, W), as many as divide H; no more than 256. Rows may have gaps between them."""
    height, width = plane.shape[0] // rows, plane.shape[1]
    sums = np.empty((height, width), np.uint16)
    _call("sum_rows", plane.ctypes.data, plane.strides[0], rows, sums, width, height)
    return sums


#: Outputs of `convolve`.
OUTPUTS = 16


def convolve(source: Floats, step: int, weights: Floats, bias: Floats, least: float, target: Floats) -> None:
    """A convolution of 3x3 in steps of `step` pixels: `source` (H, W, C) has its border, `weights` are (3, 3, C, 16),
    `bias` (16,). Results are at least `least`. `target` (h, w, 16) has a border of a pixel, which is left alone."""
    height, width = target.shape[0] - 2, target.shape[1] - 2
    row, channels = source.shape[1] * source.shape[2], source.shape[2]
    inside = target[1:, 1:]
    into = inside.ctypes.data, target.shape[1] * OUTPUTS, width, height
    _call("convolve", source, row, channels, step, weights, bias, least, *into)
