"""The meter's map and the curve: what must be lifted, and what must not."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from realtime.enhance.exposure.fine import STEPS, Fine, to_fine, to_samples
from realtime.enhance.exposure.light import ExposureMap, from_tone, to_tone
from realtime.enhance.exposure.night import (
    ExposureController,
    even,
    lift,
    lift_planes,
    lift_rgb,
    reduce_rgb,
)
from realtime.frame import RGB, PixelFormat


def day(height: int = 180, width: int = 320) -> Any:
    """A well lit scene in linear light: bright sky, mid gray ground with texture, some shadow."""
    random = np.random.default_rng(3)
    light = np.full((height, width), 0.2, np.float32) * np.exp(random.normal(0, 0.4, (height, width))).astype(
        np.float32
    )
    light[: height // 3] = 0.9
    light[-30:, :60] = 0.04
    return np.repeat(cv2.GaussianBlur(light, (0, 0), 1.5)[..., None], 3, axis=2)


def encode(light: Any) -> Any:
    bright = 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055
    return np.where(light <= 0.0031308, light * 12.92, bright).astype(np.float32)


def exposure_of(light: Any, mode: str | float = "auto") -> ExposureMap:
    return ExposureController(mode)(
        reduce_rgb(np.rint(encode(np.clip(light, 0, 1)) * 255).astype(np.float32) / 255), 0.0
    )


def test_a_lift_is_exact_in_linear_light_above_the_toe() -> None:
    light = np.geomspace(0.004, 0.1, 30).astype(np.float32)
    lifted = lift(encode(light) * 255, np.full(30, 2 ** (3 / 2.4), np.float32), 255.0)
    assert np.abs(lifted - encode(light * 8) * 255)[light * 8 < 0.85].max() < 0.6


@pytest.mark.parametrize("gain", [1.0, 1.7, 4.0, 8.0])
@pytest.mark.parametrize("white", [255.0, 300.0, 900.0])
def test_a_lift_never_darkens_nor_reverses_nor_blows(gain: float, white: float) -> None:
    levels = np.linspace(0, 255, 1021, dtype=np.float32)
    lifted = lift(levels, np.full_like(levels, gain), white)
    assert (np.diff(lifted) >= 0).all()
    assert (lifted >= levels).all()
    assert (lifted[levels < 249] <= 249).all()
    if gain == 1:
        assert np.abs(lifted - levels).max() < 1e-4
    assert np.abs(from_tone(to_tone(levels)) - levels).max() < 1e-4


def test_a_well_lit_scene_comes_out_unchanged() -> None:
    assert exposure_of(day()).unchanged


@pytest.mark.parametrize("exposure", [0.03, 0.08, 0.25])
def test_an_evenly_dark_scene_gets_an_even_map_of_the_right_height(exposure: float) -> None:
    stops = exposure_of(day() * exposure).stops
    assert abs(float(np.median(stops)) + np.log2(exposure)) < 0.5
    assert float(np.percentile(stops, 98) - np.percentile(stops, 2)) < 0.3


def test_at_night_the_dark_is_lifted_and_the_lit_keeps_its_level() -> None:
    light = day() / 120
    light[60:120, 120:200] = 0.7
    stops = exposure_of(light).stops
    assert stops[70:110, 130:190].max() < 0.6
    assert np.median(stops[10:50, 20:100]) > 1.5


def test_what_holds_no_signal_stays_dark_and_neutral() -> None:
    random = np.random.default_rng(5)
    rgb: Any = random.integers(0, 4, (180, 320, 3)).astype(np.float32) / 255
    rgb[60:120, 120:200] = 0.8
    lifted = lift_rgb(rgb, ExposureController()(reduce_rgb(rgb), 0.0))[5:50] * 255
    assert lifted.mean() < 20
    assert np.abs(lifted.mean(axis=(0, 1)) - lifted.mean()).max() < 2


@pytest.mark.parametrize("level", [0, 255])
def test_all_black_and_all_white_stay(level: int) -> None:
    rgb: Any = np.full((90, 160, 3), level / 255, np.float32)
    assert np.abs(lift_rgb(rgb, ExposureController()(reduce_rgb(rgb), 0.0)) - rgb).max() < 1 / 255


def test_letterbox_bars_stay_black_and_do_not_make_a_day_a_night() -> None:
    light = np.concatenate([np.zeros((60, 320, 3), np.float32), day(120), np.zeros((60, 320, 3), np.float32)])
    assert exposure_of(light).unchanged
    lifted = lift_rgb(encode(light * 0.05), exposure_of(light * 0.05))
    assert lifted[:50].max() * 255 < 2


def test_a_flashing_lamp_does_not_make_the_frame_pump() -> None:
    controller, medians = ExposureController(), []
    for index in range(120):
        light = day() * 0.02
        if index // 6 % 2:
            light[80:100, 150:180] = 1.0
        medians.append(float(np.median(controller(reduce_rgb(encode(light)), index / 24).stops)))
    late = medians[72:]
    assert max(late) - min(late) < 0.4


def test_a_cut_is_followed_at_once_and_a_drift_calmly_at_any_rate() -> None:
    dark = np.ascontiguousarray(day()[::-1]) * 0.05
    cut = ExposureController()
    cut(reduce_rgb(encode(day())), 0.0)
    assert abs(cut(reduce_rgb(encode(dark)), 0.04).scene - exposure_of(dark).scene) < 0.2
    reached = []
    for rate in (10, 60):
        controller = ExposureController()
        for index in range(2 * rate + 1):
            light = day() * (0.1 if index / rate < 1 else 0.06)
            scene = controller(reduce_rgb(encode(light)), index / rate).scene
        reached.append(scene)
    assert abs(reached[0] - reached[1]) < 0.1


def test_modes() -> None:
    light = day() / 100
    light[60:120, 120:200] = 0.7
    assert exposure_of(light, "off").unchanged
    assert np.ptp(exposure_of(light, "scene").stops) == 0
    assert exposure_of(light, 2.5).scene == 2.5


@pytest.mark.parametrize("white", [255.0, 269.0, 420.0])
def test_planes_equal_the_reference_within_a_level(white: float) -> None:
    random = np.random.default_rng(1)
    luma = random.integers(0, 255 * STEPS + 1, (120, 160)).astype(np.int16)
    stops = np.linspace(0, 6.5, 15 * 20, dtype=np.float32).reshape(15, 20)
    exposure = ExposureMap(stops, np.ones_like(stops), 0.0, white)
    lifted = lift_planes(Fine(luma, None, None), exposure).luma / np.float32(STEPS)
    gain: Any = cv2.resize(exposure.gains, (160, 120))
    assert np.abs(lifted - lift(luma / np.float32(STEPS), gain, white)).max() < 1


@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("full", [False, True])
def test_unlifted_planes_come_back_exactly(bits: int, full: bool) -> None:
    format = PixelFormat("yuv", bits, (2, 2), "bt709", full)
    low, high = (0, 255) if full else (16, 235)
    unit = 1 << (bits - 8)
    random = np.random.default_rng(2)
    planes = tuple(
        random.integers(low * unit, high * unit + 1, shape).astype(format.dtype) for shape in format.shapes(90, 61)
    )
    for before, after in zip(planes, to_samples(lift_planes(to_fine(planes, format), even(0.0)), format)):
        np.testing.assert_array_equal(before, after)


def test_rgb_survives_the_way_through_fixed_point() -> None:
    rgb = np.random.default_rng(4).integers(0, 256, (40, 50, 3)).astype(np.uint8)
    assert np.abs(to_samples(to_fine((rgb,), RGB), RGB)[0].astype(int) - rgb).max() <= 1
