"""Exposure: the curve, what the meter measures, and its memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime.enhance.exposure.meter import MAX_GAIN, Meter, apply_exposure, encoded, features, linear, measure, suppress_false_chroma

LEARNED = Path(__file__).resolve().parents[2] / "weights" / "meter.npz"
RAMP = np.linspace(0, 1, 1025, dtype=np.float32)


def developed(rgb: Any, gain: float, white: float) -> Any:
    return np.asarray(apply_exposure(rgb[None], np.array([gain], np.float32), np.array([white], np.float32)))[0]


def gray_ramp() -> Any:
    return np.repeat(encoded(RAMP)[None, :, None], 3, axis=-1)


def street(exposure: float = 1.0, shape: tuple[int, int] = (90, 160)) -> Any:
    """Sky above road, textured, in the light of ``exposure``."""
    random = np.random.default_rng(0)
    rows = np.linspace(0, 1, shape[0])[:, None, None]
    light = np.where(rows < 0.4, np.array([0.55, 0.7, 0.95]), np.array([0.16, 0.16, 0.15]))
    light = np.clip(light * random.uniform(0.7, 1.1, (*shape, 1)), 0, 1)
    return np.rint(encoded((light * exposure).astype(np.float32)) * 255).astype(np.float32) / 255


def test_srgb_there_and_back() -> None:
    assert np.allclose(linear(encoded(RAMP)), RAMP, atol=1e-6)
    assert linear(np.array([0.5], np.float32))[0] == pytest.approx(0.21404, abs=1e-5)


def test_a_black_one_chroma_step_off_is_grey_and_a_color_stays() -> None:
    # What swscale makes of luma 17..22 with both chroma planes at 129, in 8 bits: a purple that is a rounding error.
    black = np.array([[3, 0, 4], [2, 1, 4], [5, 2, 6], [10, 7, 11]], np.float32)[None, None] / 255
    gray = np.asarray(suppress_false_chroma(black, np.array([40], np.float32)))
    assert np.ptp(gray, axis=-1).max() * 255 < 0.15
    red = np.array([[30, 8, 8]], np.float32)[None, None] / 255
    assert np.allclose(suppress_false_chroma(red, np.array([40], np.float32)), red)
    assert np.allclose(suppress_false_chroma(black, np.array([1], np.float32)), black)


def test_gain_one_is_the_identity() -> None:
    noise = np.random.default_rng(0).random((20, 30, 3), dtype=np.float32)
    for white in (0.1, 0.9, 1.0):
        assert np.allclose(developed(noise, 1, white), noise, atol=1e-6)


def test_exactly_linear_while_white_fits() -> None:
    rgb = gray_ramp() * np.float32(0.3)
    white = float(linear(np.array([0.3], np.float32))[0])
    assert np.allclose(linear(developed(rgb, 1 / white, white)), linear(rgb) / white, atol=1e-5)


@pytest.mark.parametrize("gain", [1.5, 4, 40])
def test_shoulder_keeps_order_hue_and_lamps(gain: float) -> None:
    answer = developed(gray_ramp(), gain, 1.0)[0, :, 0]
    assert np.all(np.diff(answer) > -1e-6)
    assert answer.max() <= 251.5 / 255
    assert len(np.unique(np.rint(answer[RAMP > 0.5] * 255))) > 1 / gain
    lamp = np.array([[[0.9, 0.6, 0.2]]], np.float32)
    before, after = linear(lamp)[0, 0], linear(developed(lamp, gain, 1.0))[0, 0]
    assert np.allclose(after / after[0], before / before[0], atol=1e-3)


def test_rows_of_a_batch_have_their_own_exposure() -> None:
    rgb = np.stack([gray_ramp(), gray_ramp()]) * np.float32(0.2)
    both = np.asarray(apply_exposure(rgb, np.array([1, 8], np.float32), np.array([0.05, 0.05], np.float32)))
    assert np.allclose(both[0], rgb[0], atol=1e-6)
    assert both[1].mean() > 2 * both[0].mean()


def test_features_are_those_of_the_frame_not_of_its_size() -> None:
    small, large = features(street()), features(street(shape=(108, 192)))
    assert small.shape == large.shape
    assert np.allclose(small, large, atol=1.0)
    assert np.isfinite(features(np.zeros((90, 160, 3), np.float32))).all()


def test_dark_is_lifted_and_daylight_is_left() -> None:
    gains, whites = measure(np.stack([street(), street(0.05)]), LEARNED)
    assert gains[0] < 1.25
    assert 8 < gains[1] <= MAX_GAIN
    assert whites[1] == pytest.approx(0.05, abs=0.01)


def test_calm_within_a_shot() -> None:
    meter = Meter(LEARNED)
    first = meter(street(0.05), 0.0)
    assert first.gain == pytest.approx(float(measure(street(0.05)[None], LEARNED)[0][0]))
    after = [meter(street(0.06), seconds).gain for seconds in (0.04, 0.5, 5.0)]
    goal = float(measure(street(0.06)[None], LEARNED)[0][0])
    steps = [abs(np.log2(gain / goal)) for gain in (first.gain, *after)]
    assert steps[0] > steps[1] > steps[2] > steps[3]
    assert abs(np.log2(after[0] / first.gain)) < 0.1 * abs(np.log2(goal / first.gain))
    assert steps[3] < 0.05 * steps[0]


def test_measured_now_and_then_and_followed_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    gains: list[float] = []

    def noted(points: Any, path: Path) -> Any:
        asked.append(len(gains))
        return measure(points, path)

    monkeypatch.setattr("realtime.enhance.exposure.meter.measure", noted)
    meter = Meter(LEARNED, every=0.1)
    for place in range(10):
        gains.append(meter(street(0.05 if place == 0 else 0.06), place / 32).gain)
    assert asked == [0, 4, 8]
    assert gains[4:] == sorted(set(gains[4:]), reverse=True)


@pytest.mark.parametrize("every", [0.0, 10.0])
def test_at_once_at_a_cut(every: float) -> None:
    meter = Meter(LEARNED, every)
    meter(street(0.03), 0.0)
    assert meter(street(), 0.04).gain == pytest.approx(float(measure(street()[None], LEARNED)[0][0]))


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 3), (1, 400), (400, 1), (3, 300), (7, 160)])
def test_tiny_and_thin_frames_are_metered(shape: tuple[int, int]) -> None:
    dark = np.full((*shape, 3), 0.05, np.float32)
    gains, whites = measure(dark[None], LEARNED)
    assert 1 <= gains[0] <= MAX_GAIN
    assert 0 < whites[0] <= 1
    assert Meter(LEARNED)(dark, 0.0).gain == pytest.approx(gains[0])
