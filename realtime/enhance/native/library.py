"""The library that ``exposure.c``, ``restoration.c`` and ``network.c`` are compiled to; `functions` are its functions.

That happens when the package is built, where there is a C compiler (``hatch_build.py``); `available` says so. What it
does is otherwise done step by step with OpenCV, within a level of the result, in two to three times the time.
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


def call(name: str, *arguments: Any) -> None:
    """Calls a function of the library. Arrays must be contiguous. Raises MemoryError where memory does not suffice."""
    if getattr(_library(), name)(*map(_given, arguments)):
        raise MemoryError


def _given(argument: Any) -> Any:
    if isinstance(argument, np.ndarray):
        if not argument.flags.c_contiguous:
            raise ValueError("the array is not contiguous")
        return argument.ctypes.data
    return ctypes.addressof(argument) if isinstance(argument, ctypes.Structure) else argument
