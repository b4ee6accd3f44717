"""The memory of one stream: a recursive mean over time where the picture stands still, on planes, before the lift.

Each place keeps a running mean of up to `FRAMES` frames. What moves is found on the small picture, where the noise is
averaged over a cell while a moving thing is not: the mean difference of a neighbourhood, relative to what the noise
alone makes of it at that level (a one-pole recursive filter with motion detection: Brailean et al., "Noise reduction
filters for dynamic image sequences: a review", Proc. IEEE 1995).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from realtime.enhance.exposure.fine import STEPS, Fine, Shorts, to_fine
from realtime.enhance.exposure.local_meter import ramp
from realtime.enhance.exposure.reduced import Reduced, cell, peak_of, reduce_fine
from realtime.frame import PixelFormat, Samples

Floats = npt.NDArray[np.float32]

#: The longest memory, in frames: noise falls to 1 / sqrt(2 * FRAMES - 1) of itself, 0.21.
FRAMES = 12
#: The mean difference of a neighbourhood, relative to that of noise, at which the memory begins to give way, and is
#: gone.
GIVES, GONE = 1.6, 3.0
#: Levels at which the noise is known, and the least that a cell differs by noise and codec: H.264 lets still places
#: stand and
#: then moves them by half a level at once.
LEVELS = (2.0, 8.0, 20.0, 40.0, 70.0, 110.0, 160.0, 255.0)
LEAST = 0.5
#: The most, at black and at white, for a cell of a single pixel: a mean over a cell has less, the wider the less. A
#: noise of 6 levels is
#: about what a small sensor has at night; more than that must be movement.
MOST = (5.0, 14.0)
#: Of a new measure of the noise so much is taken at once, when it is more and when it is less than was known.
RISES, FALLS = 0.15, 0.4
#: The quietest quarter of the cells of a level shows its noise, even where most of the picture moves.
QUIET, QUIET_TO_MEAN = 0.25, 1.2
#: A share of the frame that gave way, from which on it is another picture: all is forgotten.
CUT = 0.85
#: A step in time by so many seconds, or back, forgets all.
GAP = 1.0
#: Levels of luma at and below which a place without structure is smoothed whole, and from which on it is not touched.
SMOOTH, ROUGH = 3.0, 9.0
#: The structure (a standard deviation over a neighbourhood of cells, in levels) that is certainly noise and codec,
#: and that is certainly there.
NO_STRUCTURE, STRUCTURE = 0.8, 2.0


#: Rows that are worked on at a time.
BAND = 64


def denoise_frames(denoise: str | int, exposed: bool) -> int:
    """The longest memory in frames that ``auto``, ``off`` or a number means; ``auto`` is `FRAMES` where frames are
    lifted, which lifts their noise as well."""
    if denoise == "auto":
        return FRAMES if exposed else 1
    return 1 if denoise == "off" else int(denoise)


@dataclass
class _Memory:
    fine: Fine
    small: Reduced
    count: Floats
    noise: Floats


class TemporalDenoiser:
    """One per stream; frames in order, one thread at a time.

    `frames` is the longest memory (`--denoise N`); 1 (`--denoise off`) passes frames on with their dark smoothed.
    """

    def __init__(self, format: PixelFormat, frames: int = FRAMES) -> None:
        self._format, self._frames = format, max(1, frames)
        self.reset()

    def reset(self) -> None:
        """Forgets the stream."""
        self._memory: _Memory | None = None
        self._when = 0.0

    @property
    def noise(self) -> float:
        """The noise of a cell in the dark, a standard deviation in levels; 0 before it is known."""
        return 0.0 if self._memory is None else float(self._memory.noise[0]) * 1.25

    def __call__(self, planes: tuple[Samples, ...], seconds: float) -> tuple[Fine, Reduced]:
        """The frame in fixed point, calmed, and its small picture, calmed alike; nobody may write to either."""
        fine = to_fine(planes, self._format)
        small = reduce_fine(fine, self._format.matrix)
        memory = self._memory
        if memory is None or memory.fine.luma.shape != fine.luma.shape or not 0 <= seconds - self._when <= GAP:
            memory = None
        self._when = seconds
        memory = self._first(fine, small) if memory is None or self._frames == 1 else self._next(memory, fine, small)
        self._memory = memory
        return smooth_dark(memory.fine, memory.small), memory.small

    def _first(self, fine: Fine, small: Reduced, noise: Floats | None = None) -> _Memory:
        if noise is None:
            noise = np.interp(LEVELS, (0, 255), MOST).astype(np.float32) / np.float32(2 * cell(*fine.luma.shape))
        return _Memory(fine, small, np.ones_like(small.luma), noise)

    def _next(self, memory: _Memory, fine: Fine, small: Reduced) -> _Memory:
        change = small.luma - memory.small.luma
        size = cv2.blur(abs(change), (5, 5))
        # What is coloured and of the same luma moves as well.
        tint = abs(small.blue - memory.small.blue) + abs(small.red - memory.small.red)
        expected = np.interp(np.arange(256), LEVELS, memory.noise).astype(np.float32)[small.luma.astype(np.uint8)]
        moved = np.maximum(size, np.float32(0.5) * cv2.blur(tint, (5, 5))) / expected
        noise = _noise(memory.noise, size, small.luma, cell(*fine.luma.shape))
        gone = np.clip((moved - np.float32(GIVES)) * np.float32(1 / (GONE - GIVES)), 0, 1)
        # A moving edge clears its surroundings, so that nothing trails it.
        gone = cv2.blur(cv2.dilate(gone, None), (3, 3))
        if float((gone > 0.5).mean()) > CUT:
            return self._first(fine, small, noise)
        count = np.minimum(memory.count * (1 - gone) + 1, np.float32(self._frames))
        share = np.maximum(1 / count, gone)
        luma, blue, red = (np.asarray(old + share * (new - old)) for old, new in zip(memory.small[:3], small[:3]))
        calm = Reduced(luma, blue, red, peak_of(luma, blue, red, self._format.matrix))
        return _Memory(_mixed(memory.fine, fine, share), calm, count, noise)


def _mixed(old: Fine, new: Fine, share: Floats) -> Fine:
    """`share` (h, w) of the new planes, the rest of the old."""
    luma = blend(old.luma, new.luma, share)
    if old.blue is None or old.red is None or new.blue is None or new.red is None:
        return Fine(luma, None, None)
    return Fine(luma, blend(old.blue, new.blue, share), blend(old.red, new.red, share))


def blend(before: Shorts, after: Shorts, share: Floats) -> Shorts:
    """``before + share * (after - before)``, the share enlarged; in bands, so that what lies between stays in the
    cache."""
    height, width = before.shape
    weight = np.rint(share * 256).astype(np.int16)
    if int(weight.min()) == 256:
        return after
    full = cv2.resize(weight, (width, height), interpolation=cv2.INTER_LINEAR)
    result = np.empty_like(before)
    scratch = np.empty((BAND, width), np.int16)
    for top in range(0, height, BAND):
        rows = slice(top, top + BAND)
        change = scratch[: len(before[rows])]
        cv2.subtract(after[rows], before[rows], dst=change)
        cv2.multiply(change, full[rows], dst=change, scale=1 / 256)
        cv2.add(before[rows], change, dst=result[rows])
    return result


def _noise(before: Floats, size: Floats, luma: Floats, side: int) -> Floats:
    """What a cell's difference amounts to where nothing moves, by level, followed over a dozen frames."""
    size, luma = size[::4, ::4].ravel(), luma[::4, ::4].ravel()
    nearest = np.searchsorted((np.array(LEVELS[1:]) + np.array(LEVELS[:-1])) / 2, luma)
    after = before.copy()
    for index, level in enumerate(LEVELS):
        some = size[nearest == index]
        if len(some) >= 40:
            quiet = float(np.partition(some, int(QUIET * len(some)))[int(QUIET * len(some))]) * QUIET_TO_MEAN
            most = float(np.interp(level, (0, 255), MOST)) / side
            step = min(max(quiet, LEAST), most) - float(before[index])
            after[index] += np.float32(step * (RISES if step > 0 else FALLS))
    return after


def smooth_dark(fine: Fine, small: Reduced) -> Fine:
    """What holds no signal made smooth: there an 8-pixel block of the codec is all the structure there is."""
    dark = ramp(small.luma, ROUGH, SMOOTH)
    if float(dark.max()) == 0:
        return fine
    mean = cv2.blur(small.luma, (9, 9))
    spread = np.sqrt(np.maximum(cv2.blur(small.luma * small.luma, (9, 9)) - mean * mean, 0))
    empty = dark * ramp(cv2.dilate(spread, None), STRUCTURE, NO_STRUCTURE)
    if float(empty.max()) == 0:
        return fine
    keep = cv2.blur(1 - empty, (5, 5))
    # The mean of the empty places alone: light from beside them must not leak in.
    half = (-(-small.luma.shape[1] // 2), -(-small.luma.shape[0] // 2))
    share = np.maximum(cv2.resize(empty, half, interpolation=cv2.INTER_AREA), np.float32(1e-3))
    coarse = cv2.resize(np.minimum(small.luma, np.float32(ROUGH)), half, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(coarse * share, (0, 0), 3) / cv2.GaussianBlur(share, (0, 0), 3)
    soft = np.rint(soft * STEPS).astype(np.int16)
    height, width = fine.luma.shape
    smooth: Shorts = np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR))
    return Fine(blend(smooth, fine.luma, keep), fine.blue, fine.red)
