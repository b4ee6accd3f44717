"""The running mean on full-size planes: ``before + share * (now - before)``, the share from a small picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from realtime.enhance.exposure.buffers import BAND, Buffers, Enlarged
from realtime.enhance.exposure.fine import SamplePlane

Shorts = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float32]

#: Shares in fixed point: 1 is this.
SHARE_UNIT = 256


class Blend:
    """The mean of planes (H, W): `share` (h, w), 0..1, of a new frame and the rest of the mean before; None for all of
    the new frame."""

    def __init__(self, share: Floats | None, height: int, width: int, buffers: Buffers) -> None:
        self._height = height
        self._weight = (
            np.full((1, 1), SHARE_UNIT, np.int16) if share is None else np.rint(share * SHARE_UNIT).astype(np.int16)
        )
        self._lows, self._highs = self._weight.min(axis=1).tolist(), self._weight.max(axis=1).tolist()
        self._full = Enlarged(self._weight, height, width, buffers)
        self._room = buffers.take(min(height, BAND), width)

    def band(self, rows: slice, before: Sequence[Shorts], now: Sequence[SamplePlane], out: Sequence[Shorts]) -> None:
        """Some rows of planes of the same size; `before` and `out` may be the same arrays."""
        cells = _seen(rows, self._height, len(self._weight))
        low, high = min(self._lows[cells]), max(self._highs[cells])
        weight = self._full.band(rows) if low < high else None
        for old, source, new in zip(before, now, out):
            part = source.band(rows, self._room[: rows.stop - rows.start])
            if weight is None:
                share = low / SHARE_UNIT
                cv2.addWeighted(part, source.slope * share, old[rows], 1 - share, source.offset * share, new[rows])
                continue
            change = self._room[: len(part)]
            cv2.addWeighted(part, source.slope, old[rows], -1, source.offset, change)
            cv2.multiply(change, weight, change, scale=1 / SHARE_UNIT)
            cv2.add(old[rows], change, new[rows])


def _seen(rows: slice, height: int, cells: int) -> slice:
    """The rows of the small picture that a part of a plane's is enlarged from."""
    return slice(max(rows.start * cells // height - 1, 0), -(-rows.stop * cells // height) + 1)
