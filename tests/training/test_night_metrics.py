"""Measures of night pictures, with known results."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from realtime.training import night_metrics
from realtime.training.evaluate import kilobits


def picture(seed: int = 0, size: tuple[int, int] = (96, 128)) -> Any:
    random = np.random.default_rng(seed)
    return cv2.resize(random.integers(0, 255, (6, 8, 3), dtype=np.uint8), size[::-1], interpolation=cv2.INTER_CUBIC)


def noisy(level: float, deviation: float, count: int = 12, seed: int = 0) -> Any:
    random = np.random.default_rng(seed)
    return np.clip(np.rint(random.normal(level, deviation, (count, 64, 64, 3))), 0, 255).astype(np.uint8)


def test_what_is_empty_and_what_is_visible() -> None:
    source = np.zeros((64, 64, 3), np.uint8)
    source[:, 32:] = 40
    output = np.full((64, 64, 3), 10, np.uint8)
    output[:32, 32:] = 120
    assert night_metrics.level_of_empty(source, output) == pytest.approx(10, abs=0.01)
    visible = night_metrics.visible_share(source, output)
    assert visible == pytest.approx(50 * 32 / 36, abs=6)  # the window makes the edge of the empty half count as signal
    assert night_metrics.level_of_empty(source + 50, output) is None


def test_structure_forgives_brightness_and_not_other_pictures() -> None:
    truth = picture()
    assert night_metrics.structure(truth // 2, truth) > 0.95
    assert night_metrics.structure(picture(1), truth) < 0.6
    assert night_metrics.structure(truth, truth) == pytest.approx(1)


def test_noise_is_relative_to_the_brightened_input() -> None:
    source = noisy(20, 2)
    assert night_metrics.relative_noise(source, source) == pytest.approx(1, abs=0.01)
    assert night_metrics.relative_noise(source, source * 3) == pytest.approx(1, abs=0.05)
    calm = np.stack([source.mean(axis=0).astype(np.uint8)] * len(source))
    assert night_metrics.relative_noise(source, calm) == pytest.approx(0, abs=0.01)
    moving = np.stack([picture(seed) for seed in range(6)])
    assert night_metrics.relative_noise(moving, moving) is None
    # A blink in one pixel of a thousand is no noise to speak of; a ratio to it would say nothing.
    quiet = np.full((6, 64, 64, 3), 60, np.uint8)
    quiet[3, ::32, ::32] = 61
    assert night_metrics.relative_noise(quiet, quiet) is None


def test_a_halo_is_seen_beside_edges() -> None:
    truth = np.full((160, 160, 3), 60, np.uint8)
    truth[:, 80:] = 180
    distance = abs(np.arange(160) - 80)
    with_halo = np.clip(truth.astype(float) + (20 * (distance < 18) * (distance > 0))[None, :, None], 0, 255)
    assert night_metrics.halo(truth, truth) == 0
    assert night_metrics.halo((truth * 0.8).astype(np.uint8), truth) < 2
    assert night_metrics.halo(with_halo.astype(np.uint8), truth) > 3


def test_brightness_over_time() -> None:
    truth = np.full((6, 32, 32, 3), 100, np.uint8)
    flickering = truth + (np.arange(6) % 2 * 10).astype(np.uint8)[:, None, None, None]
    assert night_metrics.ab_var(truth + 20, truth) == pytest.approx(0)
    assert night_metrics.ab_var(flickering, truth) == pytest.approx(25)
    assert night_metrics.mabd_error(truth + 20, truth) == pytest.approx(0)
    assert night_metrics.mabd_error(flickering, truth) == pytest.approx(100)


def test_noise_costs_bits() -> None:
    assert kilobits(noisy(100, 8)) > 4 * kilobits(noisy(100, 0.01)) > 0
