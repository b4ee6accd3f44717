"""What the engines make of a scene before they restore it: calmed over time, lifted place by place; and the target.

Uses the code of the exposure itself, so that training and use cannot differ.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from realtime.color import Matrix
from realtime.enhance.exposure.local_meter import exposure_map
from realtime.enhance.exposure.memory import FRAMES
from realtime.enhance.exposure.night import (
    STEPS,
    ExposureController,
    ExposureMap,
    Fine,
    Reduced,
    TemporalDenoiser,
    lift_planes,
    lift_rgb,
)
from realtime.training.camera_model import FRAME_RATE, yuv_to_rgb
from realtime.training.degradation import Scene
from realtime.training.illumination import Illumination

Floats = npt.NDArray[Any]

#: Share of scenes that are lifted by the light that they really lack; the others by what the meter finds.
TRUE_EXPOSURE_SHARE = 0.3
#: Standard deviation in stops of what is added to the meter's lift, so that the network knows its errors.
BIAS_DEVIATION = 0.35
#: Share of scenes that are calmed over time. Where much moves the memory gives way, and frames are as without it.
DENOISED_SHARE = 0.5
#: Frames of a scene that become examples, the last ones: codec and memory need some before them.
LAST_FRAMES = 2


class Example(NamedTuple):
    """A frame as an engine restores it, and what it is to make of it.

    - `fine`: the recorded frame, calmed and lifted, in fixed point, in `matrix`.
    - `target`: the scene without noise, color error and codec, lifted alike, float32 RGB (H, W, 3) in 0..1.
    """

    fine: Fine
    matrix: Matrix
    target: Floats

    @property
    def recorded(self) -> Floats:
        """The lifted frame as float32 RGB (H, W, 3) in 0..1, as the exact engine gets it."""
        return fine_to_rgb(self.fine, self.matrix)


def fine_to_rgb(fine: Fine, matrix: Matrix) -> Floats:
    """Planes in fixed point as float32 RGB (H, W, 3), clipped to 0..1, chroma repeated."""
    assert fine.blue is not None
    assert fine.red is not None
    unit = np.float32(1 / (255 * STEPS))
    return yuv_to_rgb(fine.luma * unit, fine.blue * unit, fine.red * unit, matrix)


def expose(scene: Scene, random: np.random.Generator, lifted: bool = True) -> list[Example]:
    """The last frames of a scene, exposed as a stream is: `LAST_FRAMES`, or one of a still; the last one first.

    Without `lifted` they are as they were recorded, in fixed point.
    """
    denoised, by_truth = random.random() < DENOISED_SHARE, random.random() < TRUE_EXPOSURE_SHARE
    denoiser = TemporalDenoiser(scene.format, FRAMES if lifted and denoised else 1)
    controller = ExposureController("auto" if lifted else "off")
    if lifted and scene.light.stops.max() > 0:
        controller.set("auto", float(random.normal(0, BIAS_DEVIATION)))
    examples = []
    for index, planes in enumerate(scene.frames):
        seconds = index / FRAME_RATE
        fine, small = denoiser(planes, seconds)
        exposure = controller(small, seconds, denoiser.noise)
        if lifted and by_truth:
            exposure = true_exposure(scene.light, small, denoiser.noise)
        if index >= len(scene.frames) - LAST_FRAMES:
            target = lift_rgb(scene.dark[index], exposure, scene.format.matrix)
            examples.append(Example(lift_planes(fine, exposure), scene.format.matrix, target))
    return examples[::-1]


def true_exposure(light: Illumination, small: Reduced, noise: float = 0.0) -> ExposureMap:
    """The map that brings a recorded frame back to daylight, as far as there is signal."""
    height, width = small.luma.shape
    return exposure_map(small, cv2.resize(light.stops, (width, height), interpolation=cv2.INTER_AREA), noise)
