"""Night light: which share of daylight reaches each pixel, and the lamps themselves.

Night is not a uniformly darkened day. Everything is drawn at random from a NumPy generator.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[Any]

#: The darkest even exposure. It puts mid gray on level 20 of 255, about where 8 bits stop holding a picture.
MIN_EXPOSURE = 1 / 40
#: Ambient light of a mixed night scene: from skies and walls that no lamp reaches to dusk.
MIXED_AMBIENT = (1 / 400, 1 / 6)
#: Ambient light of a drive without street lighting, beside its headlights.
DRIVE_AMBIENT = (1 / 150, 1 / 60)
#: Light of a well exposed picture and more is as much as a field can say.
MIN_FIELD = 1e-4


class Illumination(NamedTuple):
    """The light of one scene, in linear light.

    - `field`: float32 (H, W) in `MIN_FIELD`..1, the factor on daylight.
    - `lamps`: float32 (H, W, 3), what light sources in the picture add.
    """

    field: Floats
    lamps: Floats

    @property
    def stops(self) -> Floats:
        """How many stops of light each pixel lacks, float32 (H, W), 0 or more: the truth for a local meter."""
        return np.asarray(-np.log2(self.field), np.float32)


def log_uniform(random: np.random.Generator, low: float, high: float) -> float:
    """A number between `low` and `high`, every octave equally likely."""
    return float(np.exp(random.uniform(np.log(low), np.log(high))))


def even(height: int, width: int, exposure: float) -> Illumination:
    """The same share of daylight everywhere, no lamps."""
    return Illumination(np.full((height, width), exposure, np.float32), np.zeros((height, width, 3), np.float32))


def night_drive(random: np.random.Generator, height: int, width: int) -> Illumination:
    """A road at night: headlights in front of the camera, one to four street lamps, little light elsewhere."""
    grid = _Grid(random, height, width)
    grid.ambient(DRIVE_AMBIENT, 0.1)
    grid.headlights()
    for _ in range(int(random.integers(1, 5))):
        grid.street_lamp()
    return grid.illumination()


def mixed_night(random: np.random.Generator, height: int, width: int) -> Illumination:
    """Any of ambient light, headlights, street lamps with bloom, lit windows, one side that falls off into black."""
    grid = _Grid(random, height, width)
    grid.ambient(MIXED_AMBIENT, random.uniform(0.1, 0.6))
    if random.random() < 0.4:
        grid.headlights()
    for _ in range(random.poisson(1.5)):
        grid.street_lamp()
    for _ in range(random.poisson(0.6)):
        grid.lit_window()
    if random.random() < 0.5:
        grid.falloff()
    return grid.illumination()


class _Grid:
    """A scene's light under construction. Coordinates are in units of the picture's height."""

    def __init__(self, random: np.random.Generator, height: int, width: int) -> None:
        self._random, self._size = random, (height, width)
        self._aspect = width / height
        self._y, self._x = (axis.astype(np.float32) / height for axis in np.mgrid[0:height, 0:width])
        self._field = np.zeros((height, width), np.float32)
        self._lamps = np.zeros((height, width, 3), np.float32)

    def illumination(self) -> Illumination:
        return Illumination(np.clip(self._field, MIN_FIELD, 1).astype(np.float32), self._lamps)

    def ambient(self, exposure: tuple[float, float], deviation: float) -> None:
        """Light from everywhere, times exp of a slow random surface (clouds, walls, fog) of that deviation."""
        coarse = self._random.normal(0, deviation, (4, 5)).astype(np.float32)
        surface = cv2.resize(coarse, self._size[::-1], interpolation=cv2.INTER_CUBIC)
        self._field += np.float32(log_uniform(self._random, *exposure)) * np.exp(surface)

    def headlights(self) -> None:
        """Two overlapping cones from below, which end a little above the horizon and light no sky."""
        random = self._random
        center, horizon = random.uniform(0.2, 0.8) * self._aspect, random.uniform(0.35, 0.6)
        spread, opening = random.uniform(0.08, 0.2) * self._aspect, random.uniform(0.3, 0.7) * self._aspect
        below = np.clip(self._y - horizon, 0, 1)
        end = 1 / (1 + np.exp(-(self._y - horizon - random.uniform(-0.05, 0.15)) / random.uniform(0.02, 0.08)))
        for side in (-0.08, 0.08):
            across = (self._x - center - side) / (spread + opening * below)
            self._field += (np.float32(random.uniform(0.1, 0.6)) * np.exp(-(across**2)) * end).astype(np.float32)

    def street_lamp(self) -> None:
        """A pool of light; mostly also the lamp itself, a small bright head with bloom around it."""
        random = self._random
        y, x = random.uniform(-0.1, 0.9), random.uniform(-0.1, 1.1) * self._aspect
        pool = random.uniform(0.05, 0.5)
        radius = np.hypot(self._y - y, self._x - x)
        self._field += np.float32(log_uniform(random, 0.03, 1)) * (1 + (radius / pool) ** 2) ** -1.5
        if random.random() < 0.7:
            head = log_uniform(random, 0.004, 0.03)
            bloom = np.float32(log_uniform(random, 0.003, 0.06)) * np.exp(-radius / random.uniform(0.03, 0.2))
            glare = np.exp(-((radius / head) ** 4)) + bloom
            color = np.array([1, random.uniform(0.6, 1), random.uniform(0.25, 1)], np.float32)
            self._lamps += np.float32(random.uniform(0.4, 1.5)) * glare[..., None] * color

    def lit_window(self) -> None:
        """A rectangle that is lit from within: a window, a shop front."""
        random = self._random
        y, x = random.uniform(0, 0.8), random.uniform(0, 0.9) * self._aspect
        inside = (abs(self._y - y) < random.uniform(0.02, 0.2)) & (abs(self._x - x) < random.uniform(0.02, 0.25))
        lit = np.maximum(self._field, np.float32(random.uniform(0.2, 1)))
        self._field = np.where(inside, lit, self._field)

    def falloff(self) -> None:
        """One side of the frame falls off into black, in any direction."""
        random = self._random
        angle, edge = random.uniform(0, 2 * np.pi), random.uniform(0.1, 0.9)
        along = (self._x - self._aspect / 2) * np.cos(angle) + (self._y - 0.5) * np.sin(angle) + 0.5
        self._field *= np.float32(0.01) + 1 / (1 + np.exp(-(along - edge) / random.uniform(0.03, 0.2)))
