"""Training the meter."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime.enhance.exposure.meter import features, measure, stops_of
from realtime.errors import TrainingError
from realtime.training.meter_training import MeterSamples, _gradients, fit, train_meter


def test_gradients_are_those_of_the_loss() -> None:
    random = np.random.default_rng(0)
    shapes = [(2, 5, 4), (2, 1, 4), (2, 4, 3), (2, 1, 3), (2, 3, 1), (2, 1, 1)]
    weights = [random.normal(0, 0.5, shape) for shape in shapes]
    x, target = random.normal(size=(2, 7, 5)), random.normal(size=(2, 7, 1))

    def loss() -> float:
        y = x
        for layer in (0, 2):
            y = np.maximum(y @ weights[layer] + weights[layer + 1], 0)
        error = abs(y @ weights[4] + weights[5] - target)
        return float(np.where(error < 0.5, error**2 / 2, 0.5 * (error - 0.25)).sum() / 7)

    gradients = _gradients(weights, x, target)
    for array, gradient in zip(weights, gradients, strict=True):
        index = tuple(random.integers(0, n) for n in array.shape)
        before = loss()
        array[index] += 1e-6
        assert abs((loss() - before) / 1e-6 - gradient[index]) < 1e-4
        array[index] -= 1e-6


def test_fit_finds_a_simple_rule() -> None:
    random = np.random.default_rng(0)
    seen = random.normal(size=(1500, 6)).astype(np.float32)
    stops = np.clip(2.5 - seen[:, 0], 0, 6).astype(np.float32)
    arrays = fit(MeterSamples(seen[:1200], stops[:1200]), steps=800)
    assert np.mean(abs(stops_of(seen[1200:], arrays) - stops[1200:])) < 0.25


def test_a_trained_meter_is_what_measure_reads(pictures: Path, tmp_path: Path) -> None:
    path = tmp_path / "out" / "weights.meter.npz"
    error = train_meter([pictures], path, scenes=6)
    assert 0 <= error <= 6
    frame = cv2.imread(str(pictures / "picture0.png"))[::4, ::4].astype(np.float32) / 255
    assert features(frame).ndim == 1
    gains, whites = measure(frame[None], path)
    assert 1 <= gains[0] <= 64
    assert 0 < whites[0] <= 1


def test_errors_advise_what_helps_a_meter(pictures: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "small.png"), np.zeros((40, 60, 3), np.uint8))
    with pytest.raises(TrainingError, match=r"small\.png is 60x40, smaller than 96 pixels: remove it$"):
        train_meter([tmp_path], tmp_path / "weights.meter.npz", scenes=3)
    with pytest.raises(TrainingError, match="0 scenes are too few"):
        train_meter([pictures], tmp_path / "weights.meter.npz", scenes=0)
    (tmp_path / "file").touch()
    with pytest.raises(TrainingError, match="cannot make the folder"):
        train_meter([pictures], tmp_path / "file" / "weights.meter.npz", scenes=10**9)
