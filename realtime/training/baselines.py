"""Methods without a network, which any network has to beat.

All map the frames of one clip, uint8 RGB (N, H, W, 3), to an array like it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from realtime.enhance.exposure.night import ExposureController, TemporalDenoiser, lift_planes, to_samples
from realtime.frame import RGB
from realtime.training.camera_model import FRAME_RATE

Bytes = npt.NDArray[Any]
EnhanceFunction = Callable[[Bytes], Bytes]

#: The mean level that a gain or a gamma aims for: 0.42 of the range, a usual mean of well exposed pictures.
TARGET_MEAN = 110.0
#: Halvings of the interval in which gain or gamma lies.
BISECTIONS = 20


def unchanged(pictures: Bytes) -> Bytes:
    """The input."""
    return pictures


def gain_to_mean(picture: Bytes) -> Bytes:
    """One picture times the gain (1..64) that brings its mean to `TARGET_MEAN`."""
    low, high = 1.0, 64.0
    for _ in range(BISECTIONS):  # clipping makes the mean nonlinear in the gain
        gain = (low * high) ** 0.5
        low, high = (gain, high) if np.minimum(picture * gain, 255).mean() < TARGET_MEAN else (low, gain)
    return np.rint(np.minimum(picture * low, 255)).astype(np.uint8)


def gamma_to_mean(picture: Bytes) -> Bytes:
    """One picture to the power (0.05..1) that brings its mean to `TARGET_MEAN`."""
    low, high = 0.05, 1.0
    levels = np.arange(256) / 255
    histogram = np.bincount(picture.ravel(), minlength=256) / picture.size
    for _ in range(BISECTIONS):
        gamma = (low * high) ** 0.5
        low, high = (low, gamma) if (levels**gamma * 255) @ histogram < TARGET_MEAN else (gamma, high)
    return np.rint(255 * levels**high).astype(np.uint8)[picture]


def exposure_alone(pictures: Bytes) -> Bytes:
    """What our exposure and memory make of a clip, before any network restores it."""
    denoiser, controller = TemporalDenoiser(RGB), ExposureController("auto")
    outputs = []
    for index, picture in enumerate(pictures):
        seconds = index / FRAME_RATE
        fine, small = denoiser((picture,), seconds)
        exposure = controller(small, seconds, denoiser.noise)
        outputs.append(to_samples(lift_planes(fine, exposure), RGB)[0])
    return np.stack(outputs)


def _on_lightness(picture: Bytes, change: Callable[[Bytes], Bytes]) -> Bytes:
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
    lab[..., 0] = change(np.ascontiguousarray(lab[..., 0]))
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.uint8)


def _for_each(change: Callable[[Bytes], Bytes]) -> EnhanceFunction:
    return lambda pictures: np.stack([change(picture) for picture in pictures])


#: By the name shown in tables. CLAHE with a clip limit of 3 and 8x8 tiles.
BASELINES: dict[str, EnhanceFunction] = {
    "input": unchanged,
    "gain to mean": _for_each(gain_to_mean),
    "gamma to mean": _for_each(gamma_to_mean),
    "CLAHE": _for_each(lambda picture: _on_lightness(picture, cv2.createCLAHE(3.0, (8, 8)).apply)),
    "histogram eq.": _for_each(lambda picture: _on_lightness(picture, cv2.equalizeHist)),
    "exposure alone": exposure_alone,
}
