"""Full-size arrays that are used again: fresh pages cost as much as the work on them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Shorts = npt.NDArray[np.int16]

#: Rows of a band.
BAND = 60


def _holders(arrays: list[Any], index: int) -> int:
    return sys.getrefcount(arrays[index])


#: What `_holders` counts for an array that only its list holds.
_UNUSED = _holders([np.empty(1, np.int16)], 0)


class Buffers:
    """Arrays (H, W) that are handed out as long as nobody else holds them or a view of them.

    An array that is still referred to is never handed out a second time, so what a caller got does not change. One
    thread at a time takes; any thread may let go.
    """

    def __init__(self) -> None:
        self._arrays: dict[tuple[int, int, Any], list[Any]] = {}

    def take(self, height: int, width: int, dtype: Any = np.int16) -> Any:
        """An array with arbitrary content."""
        arrays = self._arrays.setdefault((height, width, dtype), [])
        for index in range(len(arrays)):
            if _holders(arrays, index) == _UNUSED:
                return arrays[index]
        arrays.append(np.empty((height, width), dtype))
        return arrays[-1]

    def enlarged(self, values: Shorts, height: int, width: int) -> Shorts:
        """A small picture over a frame of that size, bilinear with half-pixel centres."""
        return np.asarray(cv2.resize(values, (width, height), self.take(height, width), interpolation=cv2.INTER_LINEAR))


def bands(height: int) -> Iterator[slice]:
    """Rows to work on a plane in: what lies between two passes stays in the cache, and a band may do without passes
    that others need. Whole rows, since OpenCV takes twice as long for what is not contiguous."""
    for top in range(0, height, BAND):
        yield slice(top, min(top + BAND, height))
