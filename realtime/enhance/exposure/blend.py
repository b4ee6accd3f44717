"""The running mean on full-size planes: ``before + share * (now - before)``, the share from a small picture."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from realtime.enhance.exposure.buffers import Buffers, bands
from realtime.enhance.exposure.fine import Fine, Raw

Shorts = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float32]

#: Shares in fixed point: 1 is this.
ONE = 256


def converted(raw: tuple[Raw, ...], buffers: Buffers) -> Fine:
    """Planes in fixed point, as they are."""
    return _fine([_scaled(part, buffers.take(*part.plane.shape)) for part in raw])


def blended(before: Fine, raw: tuple[Raw, ...], share: Floats, buffers: Buffers) -> Fine:
    """`share` (h, w), 0..1, of the new planes and the rest of the old, in fixed point."""
    weight = np.rint(share * ONE).astype(np.int16)
    lows, highs = weight.min(axis=1).tolist(), weight.max(axis=1).tolist()
    planes: list[Shorts] = []
    full: Shorts | None = None
    for old, now in zip(before, raw):
        assert old is not None
        height, width = old.shape
        out = buffers.take(height, width)
        for rows in bands(height):
            cells = _seen(rows, height, len(weight))
            low, high = min(lows[cells]), max(highs[cells])
            part = Raw(now.plane[rows], now.slope, now.offset)
            if low == high:
                _even(old[rows], part, low / ONE, out[rows])
                continue
            if full is None or full.shape != old.shape:
                full = buffers.enlarged(weight, height, width)
            _uneven(old[rows], part, full[rows], out[rows])
        planes.append(out)
    return _fine(planes)


def _seen(rows: slice, length: int, cells: int) -> slice:
    """The rows of the small picture that a part of a plane's is enlarged from."""
    return slice(max(rows.start * cells // length - 1, 0), -(-rows.stop * cells // length) + 1)


def _scaled(now: Raw, out: Shorts) -> Shorts:
    return np.asarray(cv2.addWeighted(now.plane, now.slope, now.plane, 0, now.offset, out))


def _even(before: Shorts, now: Raw, share: float, out: Shorts) -> None:
    cv2.addWeighted(now.plane, now.slope * share, before, 1 - share, now.offset * share, out)


def _uneven(before: Shorts, now: Raw, weight: Shorts, out: Shorts) -> None:
    cv2.addWeighted(now.plane, now.slope, before, -1, now.offset, out)
    cv2.multiply(out, weight, out, scale=1 / ONE)
    cv2.add(before, out, out)


def _fine(planes: list[Shorts]) -> Fine:
    return Fine(planes[0], *planes[1:]) if len(planes) == 3 else Fine(planes[0], None, None)
