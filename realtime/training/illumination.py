"""Light as night has it: which share of daylight reaches each point, and the lamps themselves.

Night is not a uniformly darkened day. Fields are float32 ``(H, W)`` in 0..1, the factor by which linear light falls;
lamps are float32 ``(H, W, 3)`` of linear light that is added.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[Any]

#: The darkest exposure; mid gray lands on level 20 of 255, about where 8 bits stop holding a picture.
DARKEST = 1 / 40
#: Night skies and walls that no lamp reaches.
BLACKEST = 1 / 400


def log_uniform(random: np.random.Generator, low: float, high: float) -> float:
    """A number between ``low`` and ``high``, every octave equally likely."""
    return float(np.exp(random.uniform(np.log(low), np.log(high))))


def _smooth(random: np.random.Generator, height: int, width: int, sd: float) -> Floats:
    """exp of a slow random surface: clouds, walls, fog."""
    coarse = random.normal(0, sd, (4, 5)).astype(np.float32)
    return np.exp(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))


def uneven(random: np.random.Generator, height: int, width: int) -> tuple[Floats, Floats]:
    """A field and its lamps: ambient light, headlights, street lamps with bloom, lit windows, a fall into black."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    y, x = y / height, x / height
    aspect = width / height
    field = np.float32(log_uniform(random, BLACKEST, 1 / 6)) * _smooth(random, height, width, random.uniform(0.1, 0.6))
    lamps = np.zeros((height, width, 3), np.float32)
    if random.random() < 0.4:  # headlights: two overlapping cones from below
        centre, spread, reach = random.uniform(0.2, 0.8) * aspect, random.uniform(0.15, 0.6), random.uniform(0.3, 0.9)
        depth = np.clip((1.1 - y) / 1.1, 0.02, 1)
        for side in (-0.08, 0.08):
            cone = np.exp(-(((x - centre - side) / (spread * (1.2 - depth))) ** 2)) * np.exp(-((depth / reach) ** 2))
            field += np.float32(random.uniform(0.1, 0.6)) * cone
    for _ in range(random.poisson(1.5)):  # street lamps: a pool of light, a small bright head, bloom around it
        cy, cx = random.uniform(-0.1, 0.9), random.uniform(-0.1, 1.1) * aspect
        pool = random.uniform(0.05, 0.5)
        radius = np.hypot(y - cy, x - cx)
        field += np.float32(log_uniform(random, 0.03, 1)) * (1 + (radius / pool) ** 2) ** -1.5
        if random.random() < 0.7:
            head = log_uniform(random, 0.004, 0.03)
            glare = np.exp(-((radius / head) ** 4)) + np.float32(log_uniform(random, 0.003, 0.06)) * np.exp(
                -radius / random.uniform(0.03, 0.2)
            )
            color = np.array([1, random.uniform(0.6, 1), random.uniform(0.25, 1)], np.float32)
            lamps += np.float32(random.uniform(0.4, 1.5)) * glare[..., None] * color
    for _ in range(random.poisson(0.6)):  # lit windows and shop fronts
        top, left = random.uniform(0, 0.8), random.uniform(0, 0.9) * aspect
        inside = (abs(y - top) < random.uniform(0.02, 0.2)) & (abs(x - left) < random.uniform(0.02, 0.25))
        field = np.where(inside, np.maximum(field, np.float32(random.uniform(0.2, 1))), field)
    if random.random() < 0.5:  # one side of the frame falls off into black
        angle, edge = random.uniform(0, 2 * np.pi), random.uniform(0.1, 0.9)
        along = (x - aspect / 2) * np.cos(angle) + (y - 0.5) * np.sin(angle) + 0.5
        field *= np.float32(0.01) + 1 / (1 + np.exp(-(along - edge) / random.uniform(0.03, 0.2)))
    return np.clip(field, 1e-4, 1).astype(np.float32), lamps


def needed_gain(field: Floats, scene: Floats) -> float:
    """The gain (1..1 / `DARKEST`) that a good exposure of this night asks for.

    ``field`` (H, W) is the light, ``scene`` (H, W, 3) the dark picture in linear light. The 65th percentile of the
    light comes back to daylight, exactly 1 / exposure where the light is even; but no more than a tenth of the frame
    may be pushed more than half a stop past white: what is lit stays lit, and the rest stays night.
    """
    gain = 1 / max(float(np.quantile(field, 0.65)), DARKEST)
    bright = float(np.quantile(scene.max(axis=-1), 0.9))
    return float(np.clip(min(gain, 1.5 / max(bright, 1e-4)), 1, 1 / DARKEST))
