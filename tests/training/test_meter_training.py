"""Learning the meter."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from realtime.enhance.exposure.meter import features, measure, stops_of
from realtime.training.meter_training import Views, _slopes, fit, learn


def test_slopes_are_those_of_the_loss() -> None:
    random = np.random.default_rng(0)
    shapes = [(2, 5, 4), (2, 1, 4), (2, 4, 3), (2, 1, 3), (2, 3, 1), (2, 1, 1)]
    weights = [random.normal(0, 0.5, shape) for shape in shapes]
    x, wanted = random.normal(size=(2, 7, 5)), random.normal(size=(2, 7, 1))

    def loss() -> float:
        y = x
        for layer in (0, 2):
            y = np.maximum(y @ weights[layer] + weights[layer + 1], 0)
        error = abs(y @ weights[4] + weights[5] - wanted)
        return float(np.where(error < 0.5, error**2 / 2, 0.5 * (error - 0.25)).sum() / 7)

    slopes = _slopes(weights, x, wanted)
    for place in range(6):
        spot = tuple(random.integers(0, n) for n in shapes[place])
        before = loss()
        weights[place][spot] += 1e-6
        assert abs((loss() - before) / 1e-6 - slopes[place][spot]) < 1e-4
        weights[place][spot] -= 1e-6


def test_fit_finds_a_simple_rule() -> None:
    random = np.random.default_rng(0)
    seen = random.normal(size=(1500, 6)).astype(np.float32)
    stops = np.clip(2.5 - seen[:, 0], 0, 6).astype(np.float32)
    learned = fit(Views(seen[:1200], stops[:1200], []), steps=800)
    assert np.mean(abs(stops_of(seen[1200:], learned) - stops[1200:])) < 0.25


def test_learn_writes_what_measure_reads(tmp_path: Path) -> None:
    picture = cv2.resize(np.random.default_rng(0).integers(0, 255, (6, 8, 3), dtype=np.uint8), (400, 300))
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    error = learn([tmp_path], tmp_path / "meter.npz", count=6)
    assert np.isfinite(error)
    frame = picture[::4, ::4].astype(np.float32) / 255
    assert features(frame).ndim == 1
    gains, whites = measure(frame[None], tmp_path / "meter.npz")
    assert 1 <= gains[0] <= 64
    assert 0 < whites[0] <= 1
