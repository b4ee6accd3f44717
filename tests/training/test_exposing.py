"""Frames as the engines restore them, and their targets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from realtime.enhance.color_ops import fine_to_rgb as graph_fine_to_rgb
from realtime.enhance.exposure.night import STEPS, Fine, reduce_planes, to_fine
from realtime.frame import RGB
from realtime.training import exposing
from realtime.training.camera_model import encoded, linear
from realtime.training.degradation import Scene, SimulatedCamera
from realtime.training.exposing import LAST_FRAMES, expose, fine_to_rgb, true_exposure
from realtime.training.illumination import Illumination, even


def picture(height: int = 96, width: int = 128) -> Any:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.stack([x / width, y / height, 0.5 + 0.4 * np.sin(x / 7)], axis=-1).astype(np.float32)


def scene(light: Illumination, camera: SimulatedCamera, frames: int = 1) -> Scene:
    """A scene of which nothing moves."""
    dark = [np.clip(linear(picture()) * light.field[..., None] + light.lamps, 0, 1)] * frames
    recorded = camera.record(dark, np.random.default_rng(0))
    return Scene(recorded, camera.format, [encoded(d) for d in dark], [picture()] * frames, light)


CLEAN = SimulatedCamera(0.0, 0.0, codec=None)


def test_rgb_of_fine_planes_is_what_the_exact_engine_gets() -> None:
    random = np.random.default_rng(0)
    luma = random.integers(0, 255 * STEPS, (1, 32, 48), np.int16)
    blue, red = random.integers(-900, 900, (2, 1, 16, 24), np.int16)
    expected = np.asarray(graph_fine_to_rgb((luma, blue, red), "bt601"))[0]
    assert abs(fine_to_rgb(Fine(luma[0], blue[0], red[0]), "bt601") - expected).max() < 1e-5


def test_what_was_recorded_without_faults_is_its_own_target() -> None:
    for exposure in (1.0, 1 / 8):
        for seed in range(6):
            example = expose(scene(even(96, 128, exposure), CLEAN), np.random.default_rng(seed))[0]
            # Half a level of rounding is lifted by at most the gain.
            assert abs(example.recorded - example.target).mean() < 0.6 / 255 * (1 / exposure) ** (1 / 2.4)


def test_dark_scenes_are_lifted_and_lit_ones_are_not() -> None:
    dark, lit = (expose(scene(even(96, 128, e), CLEAN), np.random.default_rng(1))[0] for e in (1 / 16, 1.0))
    assert dark.target.mean() > 2 * encoded(linear(picture()) / 16).mean()
    assert abs(lit.target - picture()).max() < 2 / 255


def test_without_lift_frames_are_as_they_were_recorded() -> None:
    night = scene(even(96, 128, 1 / 16), CLEAN)
    example = expose(night, np.random.default_rng(1), lifted=False)[0]
    assert abs(example.target - night.dark[0]).max() < 1e-4
    assert abs(example.fine.luma - to_fine(night.frames[0], RGB).luma).mean() < STEPS / 4


def test_the_last_frames_of_a_clip_come_last_one_first() -> None:
    clip = scene(even(96, 128, 0.2), SimulatedCamera(1e-4, 1e-3, quality=18), frames=5)
    clip = clip._replace(dark=[d * np.float32(0.8 + 0.05 * i) for i, d in enumerate(clip.dark)])
    examples = expose(clip, np.random.default_rng(0))
    assert len(examples) == LAST_FRAMES
    assert examples[0].target.mean() > examples[1].target.mean()


def test_the_true_exposure_brings_back_daylight() -> None:
    field = np.where(np.arange(128) < 64, 1 / 4, 1.0).astype(np.float32) * np.ones((96, 1), np.float32)
    light = Illumination(field, np.zeros((96, 128, 3), np.float32))
    night = scene(light, CLEAN)
    exposure = true_exposure(light, reduce_planes(night.frames[0], RGB))
    assert exposure.stops.shape == (96, 128)
    bright = (picture().mean(axis=-1) > 0.3) & (np.arange(128) < 56)
    assert np.median(exposure.stops[bright]) == pytest.approx(2, abs=0.05)
    assert abs(exposure.stops[:, 72:]).max() < 0.05


def test_memory_calms_what_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    clip = scene(even(96, 128, 0.1), SimulatedCamera(1e-3, 4e-3, codec="mjpeg", quality=2), frames=6)
    errors = []
    for share in (0.0, 1.0):
        monkeypatch.setattr(exposing, "DENOISED_SHARE", share)
        example = expose(clip, np.random.default_rng(0))[0]
        errors.append(abs(example.recorded - example.target).mean())
    assert errors[1] < 0.8 * errors[0]
