"""The lift on planes in 16-bit integers: `light.lift`, pass by pass, within a level of it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from realtime.enhance.exposure.buffers import BAND, Buffers, Enlarged, bands
from realtime.enhance.exposure.dark import Dark
from realtime.enhance.exposure.fine import STEPS, Fine
from realtime.enhance.exposure.light import KNEE, LANDING, OFFSET, TOE, ExposureMap, enlarge, shoulder

Shorts = npt.NDArray[np.int16]

#: Fixed point of gains: then a gain is at the same time its product with `OFFSET` in `STEPS`, which saves a pass.
UNIT = int(OFFSET * STEPS)


def lift_planes(fine: Fine, exposure: ExposureMap) -> Fine:
    """Planes in fixed point, lifted by a map; the same `Fine` comes back where the map changes nothing."""
    if exposure.unchanged:
        return fine
    buffers = Buffers()
    luma = np.empty_like(fine.luma)
    lift = LumaLift(exposure, None, luma.shape[0], luma.shape[1], buffers)
    for rows in bands(len(luma)):
        lift.band(rows, fine.luma[rows], luma[rows])
    if fine.blue is None or fine.red is None:
        return Fine(luma, None, None)
    blue, red = np.empty_like(fine.blue), np.empty_like(fine.red)
    color = ColorLift(exposure, blue.shape[0], blue.shape[1], buffers)
    for rows in bands(len(blue)):
        color.band(rows, [fine.blue[rows], fine.red[rows]], [blue[rows], red[rows]])
    return Fine(luma, blue, red)


def _fixed(values: npt.NDArray[np.float32], unit: float = UNIT) -> Shorts:
    return np.rint(values * np.float32(unit)).astype(np.int16)


class ColorLift:
    """Color differences (H, W) by a map."""

    def __init__(self, exposure: ExposureMap, height: int, width: int, buffers: Buffers) -> None:
        self._color = Enlarged(_fixed(exposure.color), height, width, buffers)

    def band(self, rows: slice, planes: list[Shorts], out: list[Shorts]) -> None:
        """Some rows of planes, `planes` and `out` being those rows."""
        color = self._color.band(rows)
        for plane, lifted in zip(planes, out):
            cv2.multiply(plane, color, lifted, scale=1 / UNIT)


class LumaLift:
    """Luma (H, W) by a map, after what `dark` says was made smooth. Unsigned integers, whose differences stop at 0."""

    def __init__(self, exposure: ExposureMap, dark: Dark | None, height: int, width: int, buffers: Buffers) -> None:
        self._gain = Enlarged(_fixed(exposure.gains), height, width, buffers)
        self._most = float(exposure.gains.max())
        self._lines = shoulder(exposure.white)
        self._dark = None
        if dark is not None:
            gains = enlarge(exposure.gains, *dark.keep.shape)
            maps = _fixed(gains * dark.keep), _fixed(gains * dark.level, STEPS)
            self._dark = [Enlarged(part, height, width, buffers) for part in maps]
        self._room = [buffers.take(min(BAND, height), width).view(np.uint16) for _ in range(2)]

    def band(self, rows: slice, plane: Shorts, lifted: Shorts) -> None:
        """Some rows, `plane` and `lifted` being those rows.

        ``k y + max(0, min((TOE - 1) k y, OFFSET k) - OFFSET)`` is `light.lift` before its shoulder.
        """
        luma, out = plane.view(np.uint16), lifted.view(np.uint16)
        gain: Any = self._gain.band(rows).view(np.uint16)
        if self._dark is None:
            cv2.multiply(luma, gain, out, scale=1 / UNIT)
        else:
            keep, level = (part.band(rows).view(np.uint16) for part in self._dark)
            cv2.multiply(luma, keep, out, scale=1 / UNIT)
            cv2.add(out, level, out)
        extra: Any = self._room[0][: len(luma)]
        cv2.addWeighted(gain, 1, out, 1 - TOE, 0, extra)
        cv2.addWeighted(gain, 1, extra, -1, -UNIT, extra)
        cv2.add(out, extra, out)
        highest = self._most * (float(luma.max()) / STEPS + OFFSET) - OFFSET
        if highest > (KNEE if self._lines else LANDING + 1):
            self._bend(luma, out)

    def _bend(self, luma: Any, out: Any) -> None:
        """The shoulder of `light.lift`; what is brighter than that stays as it is."""
        one, two = (room[: len(luma)] for room in self._room)
        if self._lines:
            for (slope, constant), line in zip(self._lines, (one, two)):
                cv2.addWeighted(out, slope, out, 0, constant * STEPS, line)
            if len(self._lines) > 1:
                cv2.min(one, two, one)
            cv2.min(out, one, out)
        # No minimum: OpenCV makes four samples of one there.
        cv2.threshold(out, (LANDING + 1) * STEPS, 0, cv2.THRESH_TRUNC, out)
        # Luma that was made smooth is dark, and does not count.
        cv2.threshold(luma.view(np.int16), KNEE * STEPS, 0, cv2.THRESH_TOZERO, one.view(np.int16))
        cv2.max(out, one, out)
