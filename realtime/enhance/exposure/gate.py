"""Where the memory gives way: motion, told apart from noise on a small picture.

There noise is averaged over a cell and a moving object is not. The mean difference of a neighborhood is compared to
what the noise alone makes of it at that level (motion detection of a one-pole recursive filter: Brailean et al.,
"Noise reduction filters for dynamic image sequences: a review", Proc. IEEE 1995).
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from realtime.enhance.exposure.reduced import Reduced

Floats = npt.NDArray[np.float32]

#: The mean difference of a neighborhood, relative to that of noise, at which the memory begins to give way, and is
#: gone.
GIVES, GONE = 1.6, 3.0
#: The neighborhood, in cells each way; in a wider one a thin streak of rain passes for noise.
NEIGHBORHOOD = (3, 3)
#: Levels at which the noise is known, and the least that a cell differs by noise and codec: H.264 lets still places
#: stand and then moves them by half a level at once.
NOISE_LEVELS = (2.0, 8.0, 20.0, 40.0, 70.0, 110.0, 160.0, 255.0)
MIN_NOISE = 0.5
#: The most, at black and at white, for a cell of a single pixel: a mean over a cell has less, the wider the less. A
#: noise of 6 levels is about what a small sensor has at night; more than that must be movement.
MAX_NOISE = (5.0, 14.0)
#: Of a new measure of the noise so much is taken at once, when it is more and when it is less than was known.
RISES, FALLS = 0.15, 0.4
#: The quietest quarter of the cells of a level shows its noise, even where most of the picture moves.
QUIET, QUIET_TO_MEAN = 0.25, 1.2

_BETWEEN = (np.array(NOISE_LEVELS[1:]) + np.array(NOISE_LEVELS[:-1])) / 2


def first_noise(side: float) -> Floats:
    """What is believed before anything was measured, for cells of `side` pixels: half of the most, by level."""
    return np.interp(NOISE_LEVELS, (0, 255), MAX_NOISE).astype(np.float32) / np.float32(2 * side)


def moved(before: Reduced, now: Reduced, noise: Floats, side: float) -> tuple[Floats, Floats]:
    """Where the memory gives way, 0..1 (h, w), and the noise by level as it is known after this frame.

    `noise` as it was known; `side` the pixels of a cell of (h, w).
    """
    size = cv2.blur(cv2.absdiff(now.luma, before.luma), NEIGHBORHOOD)
    # What is colored and of the same luma moves as well.
    tint = cv2.blur(cv2.add(cv2.absdiff(now.blue, before.blue), cv2.absdiff(now.red, before.red)), NEIGHBORHOOD)
    table = np.interp(np.arange(256), NOISE_LEVELS, noise * np.float32(GONE - GIVES)).astype(np.float32)
    expected = cv2.LUT(now.luma.astype(np.uint8), table)
    change = np.maximum(size, tint * np.float32(0.5)) / expected
    gone = np.clip(change - np.float32(GIVES / (GONE - GIVES)), 0, 1)
    # A moving edge clears its surroundings, so that nothing trails it.
    return np.asarray(cv2.blur(cv2.dilate(gone, None), (3, 3))), _noise(noise, size, now.luma, side)


def _noise(before: Floats, size: Floats, luma: Floats, side: float) -> Floats:
    """What a cell's difference amounts to where nothing moves, by level, followed over a dozen frames."""
    step = 1 + luma.shape[1] // 120
    nearest = np.searchsorted(_BETWEEN, luma[::step, ::step].ravel())
    count = np.bincount(nearest, minlength=len(NOISE_LEVELS))
    # Sorted by level, then by size: one sort for all levels.
    ordered = np.sort(nearest * np.float32(1024) + size[::step, ::step].ravel())
    first = np.minimum(np.cumsum(count) - count + (QUIET * count).astype(int), len(ordered) - 1)
    found = (ordered[first] - np.arange(len(NOISE_LEVELS)) * 1024) * QUIET_TO_MEAN
    change = np.minimum(np.maximum(found, MIN_NOISE), np.interp(NOISE_LEVELS, (0, 255), MAX_NOISE) / side) - before
    change *= np.where(change > 0, RISES, FALLS) * (count >= 40)
    return np.asarray(before + change, np.float32)
