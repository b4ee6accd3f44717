"""The lift on planes in 16-bit integers: `light.lift`, pass by pass, within a level of it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from realtime.enhance.exposure.buffers import BAND, Buffers, bands
from realtime.enhance.exposure.dark import Dark
from realtime.enhance.exposure.fine import STEPS, Fine
from realtime.enhance.exposure.light import KNEE, LANDING, OFFSET, TOE, ExposureMap, enlarge, shoulder

Shorts = npt.NDArray[np.int16]

#: Fixed point of gains: then a gain is at the same time its product with `OFFSET` in `STEPS`, which saves a pass.
UNIT = int(OFFSET * STEPS)


def lift_planes(fine: Fine, exposure: ExposureMap, dark: Dark | None = None, buffers: Buffers | None = None) -> Fine:
    """Planes in fixed point, lifted by a map, after what `dark` says was made smooth.

    Planes that do not change come back as they are; others are taken from `buffers`.
    """
    if exposure.unchanged and dark is None:
        return fine
    buffers = Buffers() if buffers is None else buffers
    luma = _Lift(fine.luma, exposure, dark, buffers)()
    if exposure.unchanged or fine.blue is None or fine.red is None:
        return Fine(luma, fine.blue, fine.red)
    colour = buffers.enlarged(_fixed(exposure.colour), *fine.blue.shape)
    blue, red = (
        np.asarray(cv2.multiply(plane, colour, buffers.take(*plane.shape), scale=1 / UNIT))
        for plane in (fine.blue, fine.red)
    )
    return Fine(luma, blue, red)


def _fixed(values: npt.NDArray[np.float32]) -> Shorts:
    return np.rint(values * np.float32(UNIT)).astype(np.int16)


class _Lift:
    """The lift of one plane of luma. Unsigned integers, whose differences stop at 0."""

    def __init__(self, luma: Shorts, exposure: ExposureMap, dark: Dark | None, buffers: Buffers) -> None:
        height, width = luma.shape
        self._luma, self._out = luma, buffers.take(height, width)
        self._gain = buffers.enlarged(_fixed(exposure.gains), height, width)
        self._most = float(exposure.gains.max())
        self._lines = [line for line in shoulder(exposure.white) if line[0] < 1]
        self._keep = self._level = None
        if dark is not None:
            gains = enlarge(exposure.gains, *dark.keep.shape)
            self._keep = buffers.enlarged(_fixed(gains * dark.keep), height, width)
            level = np.rint(gains * dark.level * np.float32(STEPS)).astype(np.int16)
            self._level = buffers.enlarged(level, height, width)
        self._scratch = [np.empty((min(BAND, height), width), np.uint16) for _ in range(2)]

    def __call__(self) -> Shorts:
        for rows in bands(len(self._luma)):
            self._band(rows)
        return self._out

    def _band(self, rows: slice) -> None:
        """``k y + max(0, min((TOE - 1) k y, OFFSET k) - OFFSET)`` is `light.lift` before its shoulder."""
        luma, gain, out = (plane[rows].view(np.uint16) for plane in (self._luma, self._gain, self._out))
        if self._keep is None or self._level is None:
            cv2.multiply(luma, gain, out, scale=1 / UNIT)
        else:
            cv2.multiply(luma, self._keep[rows].view(np.uint16), out, scale=1 / UNIT)
            cv2.add(out, self._level[rows].view(np.uint16), out)
        scratch: Any = self._scratch[0][: len(luma)]
        cv2.addWeighted(gain, 1, out, 1 - TOE, 0, scratch)
        cv2.addWeighted(gain, 1, scratch, -1, -UNIT, scratch)
        cv2.add(out, scratch, out)
        highest = self._most * (float(luma.max()) / STEPS + OFFSET) - OFFSET
        if highest > (KNEE if self._lines else LANDING + 1):
            self._bend(luma, out)

    def _bend(self, luma: Any, out: Any) -> None:
        """The shoulder of `light.lift`; what is brighter than that stays as it is."""
        one, two = (scratch[: len(luma)] for scratch in self._scratch)
        if self._lines:
            for (slope, constant), line in zip(self._lines, (one, two)):
                cv2.addWeighted(out, slope, out, 0, constant * STEPS, line)
            cv2.min(one, two, one)
            cv2.min(out, one, out)
        cv2.min(out, (LANDING + 1) * STEPS, out)
        # Luma that was made smooth is dark, and does not count.
        cv2.threshold(luma.view(np.int16), KNEE * STEPS, 0, cv2.THRESH_TOZERO, one.view(np.int16))
        cv2.max(out, one, out)
