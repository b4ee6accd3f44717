"""The first weights, the losses, and a training that ends, goes on and fails as it should."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import pytest

from realtime.enhance.mbllen import build
from realtime.enhance.weights import find
from realtime.errors import TrainingError
from realtime.training import checkpoint, losses
from realtime.training.identity_init import answer_the_input
from realtime.training.train import train
from realtime.training.trainer import rate_at

QUICK: dict[str, Any] = {"batch": 1, "crop": 32, "first_scenes": 1, "steps_per_scene": 100, "precision": "float32"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pictures"
    made.mkdir()
    random = np.random.default_rng(0)
    for index in range(2):
        smooth = cv2.resize(random.integers(0, 255, (6, 8, 3), dtype=np.uint8), (400, 300))
        cv2.imwrite(str(made / f"picture{index}.png"), smooth)
    return made


def small(channels: int = 3) -> keras.Model:
    """A network that compiles in a second."""
    picture = keras.layers.Input((None, None, 3))
    return keras.Model(picture, keras.layers.Conv2D(3, 1)(keras.layers.Conv2D(channels, 1)(picture)))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.training.train.JUDGE_SCENES", 1)
    monkeypatch.setattr("realtime.training.train.build", small)
    monkeypatch.setattr("realtime.training.train.answer_the_input", lambda network, seed: None)


def test_first_weights_answer_the_input_to_the_border() -> None:
    network = build()
    answer_the_input(network, seed=0)
    picture = np.random.default_rng(0).random((1, 40, 46, 3), dtype=np.float32)
    assert abs(np.asarray(network(picture)) - picture).max() < 1e-5


def test_exported_weights_load_like_the_published_ones(tmp_path: Path) -> None:
    one, other = build(), build()
    checkpoint.export(tmp_path / "night.h5", one, metered=True)
    assert find(tmp_path / "night.h5").metered
    other.load_weights(tmp_path / "night.h5")
    assert all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))
    assert 1.9e6 < (tmp_path / "night.h5").stat().st_size < 2.2e6


def test_losses_are_zero_for_the_truth_and_grow() -> None:
    truth = np.random.default_rng(0).random((2, 32, 32, 3), dtype=np.float32)
    for name, loss in losses.parts(truth, truth).items():
        assert float(loss) == pytest.approx(0, abs=1e-5), name
    near, far = losses.parts(truth, truth * 0.9), losses.parts(truth, truth * 0.6)
    assert all(0 < float(near[name]) < float(far[name]) for name in near)


def test_an_error_in_the_dark_costs_more() -> None:
    truth = np.linspace(0, 1, 32 * 32, dtype=np.float32).reshape(1, 32, 32, 1).repeat(3, axis=-1)
    dark, bright = truth.copy(), truth.copy()
    dark[:, :8] += 0.1
    bright[:, -8:] -= 0.1
    assert float(losses.region(truth, dark)) == pytest.approx(4 * float(losses.region(truth, bright)), rel=1e-3)


def test_rate_warms_up_and_cools_down() -> None:
    rates = [rate_at(step, 1000, 1e-3) for step in (0, 99, 500, 999)]
    assert rates[0] < rates[3] < rates[2] < rates[1] <= 1e-3


def test_trains_resumes_and_exports(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, seen = tmp_path / "out", []
    half = train([folder], out, steps=2, progress=lambda step, total, numbers: seen.append((step, total)), **QUICK)
    assert half.finished
    assert seen == [(1, 2), (2, 2)]
    whole = train([folder], out, steps=3, progress=lambda step, total, numbers: seen.append((step, total)), **QUICK)
    assert seen[2:] == [(3, 3)]
    assert whole.steps == 3
    assert np.isfinite(whole.psnr)
    small().load_weights(whole.weights)
    assert all((out / name).exists() for name in ("state.npz", "state.npz.previous", "curve.csv", "samples.png"))

    (out / "state.npz").write_bytes(b"cut off")
    found = checkpoint.restore(out / "state.npz")
    assert found is not None
    assert found[0]["step"] == 2

    monkeypatch.setattr("realtime.training.train.build", lambda: small(5))
    with pytest.raises(TrainingError, match="another network"):
        train([folder], out, steps=4, **QUICK)


def test_sigterm_ends_a_sitting_with_a_checkpoint(folder: Path, tmp_path: Path) -> None:
    def ask(step: int, total: int, numbers: dict[str, float]) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    outcome = train([folder], tmp_path / "out", steps=50, progress=ask, **QUICK)
    assert not outcome.finished
    assert outcome.steps == 1
    assert signal.getsignal(signal.SIGTERM) is before
    found = checkpoint.restore(tmp_path / "out" / "state.npz")
    assert found is not None
    assert found[0]["step"] == 1


def test_nan_names_the_step(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(losses, "STRUCTURE_WEIGHT", float("nan"))
    with pytest.raises(TrainingError, match="nan at step 0"):
        train([folder], tmp_path / "out", steps=2, **QUICK)
    assert not (tmp_path / "out" / "night.h5").exists()


def test_a_full_disk_leaves_the_last_good_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.npz"
    checkpoint.save(path, {"step": 7}, network=[np.ones(2)])

    def full(*arguments: Any, **named: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(TrainingError, match="No space left"):
        checkpoint.save(path, {"step": 8}, network=[np.ones(2)])
    monkeypatch.undo()
    found = checkpoint.restore(path)
    assert found is not None
    assert found[0]["step"] == 7
    assert sorted(f.name for f in tmp_path.iterdir()) == ["state.npz"]


@pytest.mark.parametrize("wrong", [{"batch": 0}, {"crop": 13}, {"seed": -1}, {"rate": float("nan")}, {"steps": 0}])
def test_settings_out_of_range_are_refused(folder: Path, tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(TrainingError, match="must be"):
        train([folder], tmp_path / "out", **QUICK | {"steps": 1} | wrong)
    assert not (tmp_path / "out").exists()
