"""The lift on planes in 16-bit integers: `light.lift`, pass by pass, within a level of it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from realtime.enhance.exposure.fine import STEPS, Fine
from realtime.enhance.exposure.light import LANDING, OFFSET, ExposureMap, shoulder

Shorts = npt.NDArray[np.int16]

#: Fixed point of gains: then a gain is at the same time its product with `OFFSET` in `STEPS`, which saves a pass.
UNIT = int(OFFSET * STEPS)
#: Rows that are worked on at a time, so that what lies between two passes stays in the cache.
BAND = 64


def _enlarged(values: npt.NDArray[np.float32], height: int, width: int) -> Shorts:
    small = np.rint(values * np.float32(UNIT)).astype(np.int16)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))


def lift_planes(fine: Fine, exposure: ExposureMap) -> Fine:
    """Planes in fixed point, lifted by a map; the same `Fine` comes back where the map changes nothing."""
    if exposure.unchanged:
        return fine
    height, width = fine.luma.shape
    gain = _enlarged(exposure.gains, height, width)
    lines = [line for line in shoulder(exposure.white) if line[0] < 1]
    luma = np.empty_like(fine.luma)
    first, second = np.empty((2, BAND, width), np.int16)
    for top in range(0, height, BAND):
        part = fine.luma[top : top + BAND]
        _lift(part, gain[top : top + BAND], lines, luma[top : top + BAND], first[: len(part)], second[: len(part)])
    if fine.blue is None or fine.red is None:
        return Fine(luma, None, None)
    colour = _enlarged(exposure.colour, *fine.blue.shape)
    blue, red = (np.asarray(cv2.multiply(plane, colour, scale=1 / UNIT)) for plane in (fine.blue, fine.red))
    return Fine(luma, blue, red)


def _lift(part: Shorts, gain: Shorts, lines: list[tuple[float, float]], out: Shorts, one: Any, two: Any) -> None:
    """`light.lift` in seven passes: ``k y + max(0, min((TOE - 1) k y, OFFSET k) - OFFSET)`` is the same function."""
    cv2.multiply(part, gain, dst=one, scale=1 / UNIT)
    np.right_shift(one, 1, out=two)
    cv2.add(one, two, dst=two)
    cv2.min(two, gain, dst=two)
    cv2.subtract(two, UNIT, dst=two)
    cv2.max(two, 0, dst=two)
    cv2.add(one, two, dst=one)
    np.minimum(one, int((LANDING + 1) * STEPS), out=out)
    for slope, constant in lines:
        cv2.addWeighted(one, slope, one, 0, constant * STEPS, dst=two)
        cv2.min(out, two, dst=out)
    cv2.max(out, part, dst=out)
