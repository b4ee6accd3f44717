"""Places without signal are made smooth: the only structure in them is the codec's blocks of 8 pixels."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from realtime.enhance.exposure.local_meter import ramp
from realtime.enhance.exposure.reduced import Reduced

Floats = npt.NDArray[np.float32]

#: Levels of luma at and below which a place without structure is smoothed whole, and from which on it is not touched.
SMOOTHED_LEVEL, UNTOUCHED_LEVEL = 3.0, 9.0
#: The structure (a standard deviation over a neighborhood of cells, in levels) that is certainly noise and codec,
#: and that is certainly there.
NO_STRUCTURE, STRUCTURE = 0.8, 2.0


class Dark(NamedTuple):
    """Luma becomes ``keep * luma + level``: float32 (h, w) over the whole frame, `keep` 0..1, `level` in levels."""

    keep: Floats
    level: Floats


def dark_of(small: Reduced) -> Dark | None:
    """What becomes of places without signal; None where there are none."""
    luma = small.luma
    dark = ramp(luma, UNTOUCHED_LEVEL, SMOOTHED_LEVEL)
    if float(dark.max()) == 0:
        return None
    mean = cv2.blur(luma, (9, 9))
    spread = np.sqrt(np.maximum(cv2.blur(luma * luma, (9, 9)) - mean * mean, 0))
    empty = dark * ramp(cv2.dilate(spread, None), STRUCTURE, NO_STRUCTURE)
    if float(empty.max()) == 0:
        return None
    keep = cv2.blur(1 - empty, (5, 5))
    # The mean of the empty places alone: light from beside them must not leak in.
    half = (-(-luma.shape[1] // 2), -(-luma.shape[0] // 2))
    share = np.maximum(cv2.resize(empty, half, interpolation=cv2.INTER_AREA), np.float32(1e-3))
    coarse = cv2.resize(np.minimum(luma, np.float32(UNTOUCHED_LEVEL)), half, interpolation=cv2.INTER_AREA)
    soft = _wide(coarse * share) / _wide(share)
    return Dark(np.asarray(keep), np.asarray((1 - keep) * cv2.resize(soft, luma.shape[::-1])))


def _wide(values: Floats) -> Floats:
    """Nearly a Gaussian of 3 cells: two boxes take a third of its time."""
    return np.asarray(cv2.blur(cv2.blur(values, (7, 7)), (7, 7)))
