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
BAND = 270


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


class Enlarged:
    """A small picture over a plane (H, W), bilinear with half-pixel centers, a band at a time: a whole one would be
    written to memory and read again."""

    def __init__(self, values: Shorts, height: int, width: int, buffers: Buffers) -> None:
        self._values, self._width = values, width
        self._side, rest = divmod(height, len(values))
        if rest or len(values) == 1:
            # Sizes that do not divide are enlarged at once; a single row is the same everywhere.
            rows = min(height, BAND) if len(values) == 1 else height
            self._side, self._room = 0, buffers.take(rows, width)
            cv2.resize(values, (width, rows), self._room, interpolation=cv2.INTER_LINEAR)
        else:
            self._room = buffers.take((BAND // self._side + 4) * self._side, width)

    def band(self, rows: slice) -> Shorts:
        """Some rows; valid until the next call."""
        if not self._side:
            return self._room[: rows.stop - rows.start] if len(self._values) == 1 else self._room[rows]
        top = max(rows.start // self._side - 1, 0)
        some = self._values[top : -(-rows.stop // self._side) + 1]
        size = (self._width, len(some) * self._side)
        full = cv2.resize(some, size, self._room[: size[1]], interpolation=cv2.INTER_LINEAR)
        return np.asarray(full[rows.start - top * self._side : rows.stop - top * self._side])


def bands(height: int) -> Iterator[slice]:
    """Rows to work on a plane in: what lies between two passes stays in the cache, and a band may do without passes
    that others need. Whole rows, since OpenCV takes twice as long for what is not contiguous."""
    for top in range(0, height, BAND):
        yield slice(top, min(top + BAND, height))
