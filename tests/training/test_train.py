"""The first weights, the losses, and a training that ends, goes on and fails as it should."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from realtime.enhance.mbllen import build
from realtime.enhance.weights import find
from realtime.errors import TrainingError
from realtime.training import checkpoint, losses
from realtime.training.identity_init import set_identity
from realtime.training.settings import TrainingSettings
from realtime.training.train import WEIGHTS_NAME, train, training_model
from realtime.training.trainer import learning_rate

QUICK = TrainingSettings(steps=2, crop=32, batch=1, first_scenes=1, steps_per_scene=100)


def small(channels: int = 3) -> keras.Model:
    """A network that compiles in a second."""
    picture = keras.layers.Input((None, None, 3))
    return keras.Model(picture, keras.layers.Conv2D(3, 1)(keras.layers.Conv2D(channels, 1)(picture)))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small network instead of MBLLEN, and one scene to validate on."""
    monkeypatch.setattr("realtime.training.train.VALIDATION_SCENES", 1)
    monkeypatch.setattr("realtime.training.train.build", small)
    monkeypatch.setattr("realtime.training.train.set_identity", lambda network, seed: None)


def test_first_weights_return_the_input_to_the_border() -> None:
    network = build()
    set_identity(network, seed=0)
    picture = np.random.default_rng(0).random((1, 40, 46, 3), dtype=np.float32)
    assert abs(np.asarray(network(picture)) - picture).max() < 1e-5


def test_exported_weights_load_like_the_published_ones(tmp_path: Path) -> None:
    one, other = build(), build()
    checkpoint.export(tmp_path / "night.h5", one, metered=True)
    assert find(tmp_path / "night.h5").metered
    other.load_weights(tmp_path / "night.h5")
    assert all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))
    assert 1.9e6 < (tmp_path / "night.h5").stat().st_size < 2.2e6


def test_losses_are_zero_for_the_target_and_grow() -> None:
    target = np.random.default_rng(0).random((2, 32, 32, 3), dtype=np.float32)
    for name, loss in losses.parts(target, target).items():
        assert float(loss) == pytest.approx(0, abs=1e-5), name
    near, far = losses.parts(target, target * 0.9), losses.parts(target, target * 0.6)
    assert all(0 < float(near[name]) < float(far[name]) for name in near)
    without = losses.parts(target, target * 0.6, context_weight=0)
    assert float(without["context"]) == 0
    assert float(without["region"]) == float(far["region"])


def test_an_error_in_the_dark_costs_more() -> None:
    target = np.linspace(0, 1, 32 * 32, dtype=np.float32).reshape(1, 32, 32, 1).repeat(3, axis=-1)
    dark, bright = target.copy(), target.copy()
    dark[:, :8] += 0.1
    bright[:, -8:] -= 0.1
    assert float(losses.region(target, dark)) == pytest.approx(4 * float(losses.region(target, bright)), rel=1e-3)


def test_the_rate_warms_up_and_cools_down() -> None:
    rates = [learning_rate(step, 1000, 1e-3) for step in (0, 99, 500, 999)]
    assert rates[0] < rates[3] < rates[2] < rates[1] <= 1e-3


def test_trains_resumes_and_exports(
    quick: None, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, seen = tmp_path / "out", []

    def session(steps: int) -> Any:
        settings = replace(QUICK, steps=steps)
        return train([pictures], out, settings, progress=lambda step, total, numbers: seen.append((step, total)))

    assert session(2).finished
    assert seen == [(1, 2), (2, 2)]
    result = session(3)
    assert seen[2:] == [(3, 3)]
    assert result.steps == 3
    assert np.isfinite(result.psnr)
    small().load_weights(result.weights)
    assert all((out / name).exists() for name in ("state.npz", "state.npz.previous", "curve.csv", "samples.png"))

    (out / "state.npz").write_bytes(b"cut off")
    state = checkpoint.restore(out / "state.npz")
    assert state is not None
    assert state[0]["step"] == 2

    monkeypatch.setattr("realtime.training.train.build", lambda: small(5))
    with pytest.raises(TrainingError, match="another network"):
        session(4)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seed": 1}, r"was begun with seed 0, not 1; resume with the same"),
        ({"hold_out": ("picture1*",)}, r"was begun with hold out \[\], not \['picture1\*'\]"),
    ],
)
def test_a_resumed_training_notices_what_changed(
    quick: None, pictures: Path, tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    train([pictures], tmp_path, replace(QUICK, steps=1))
    before = (tmp_path / "state.npz").read_bytes()
    with pytest.raises(TrainingError, match=message):
        train([pictures], tmp_path, replace(QUICK, **changed))
    assert (tmp_path / "state.npz").read_bytes() == before
    # More steps, other crops and another rate are the usual reasons to go on.
    assert train([pictures], tmp_path, replace(QUICK, crop=48, rate=5e-4)).steps == 2


def test_a_changed_loss_or_beginning_is_noticed_as_well(quick: None, pictures: Path, tmp_path: Path) -> None:
    train([pictures], tmp_path, replace(QUICK, steps=1))
    with pytest.raises(TrainingError, match="context weight 1, not 0"):
        train([pictures], tmp_path, QUICK, context_weight=0.0)


def test_a_folder_of_an_older_version_is_refused(quick: None, pictures: Path, tmp_path: Path) -> None:
    train([pictures], tmp_path, replace(QUICK, steps=1))
    settings = tmp_path / "settings.json"
    values = json.loads(settings.read_text())
    settings.write_text(json.dumps(values | {"scene_version": 1}))
    with pytest.raises(TrainingError, match="begun with scene version 1"):
        train([pictures], tmp_path, QUICK)
    settings.unlink()
    with pytest.raises(TrainingError, match="older version"):
        train([pictures], tmp_path, QUICK)


def test_training_can_begin_with_other_weights(tmp_path: Path) -> None:
    first = build()
    first.set_weights([np.full_like(array, 0.001 * index) for index, array in enumerate(first.get_weights())])
    checkpoint.export(tmp_path / "first.h5", first, metered=True)
    model = training_model(start_from=find(tmp_path / "first.h5"))
    for one, other in zip(model.network.get_weights(), first.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_signal_ends_a_session_with_a_checkpoint(quick: None, pictures: Path, tmp_path: Path) -> None:
    def terminate(step: int, total: int, numbers: dict[str, float]) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    result = train([pictures], tmp_path / "out", replace(QUICK, steps=50), progress=terminate)
    assert not result.finished
    assert result.steps == 1
    assert signal.getsignal(signal.SIGTERM) is before
    state = checkpoint.restore(tmp_path / "out" / "state.npz")
    assert state is not None
    assert state[0]["step"] == 1


def test_nan_names_the_step(quick: None, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(losses, "STRUCTURE_WEIGHT", float("nan"))
    with pytest.raises(TrainingError, match="nan at step 0"):
        train([pictures], tmp_path / "out", QUICK)
    assert not (tmp_path / "out" / WEIGHTS_NAME).exists()


def test_a_full_disk_leaves_the_last_good_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.npz"
    checkpoint.save(path, {"step": 7}, network=[np.ones(2)])

    def full(*arguments: Any, **named: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(TrainingError, match="No space left"):
        checkpoint.save(path, {"step": 8}, network=[np.ones(2)])
    monkeypatch.undo()
    state = checkpoint.restore(path)
    assert state is not None
    assert state[0]["step"] == 7
    assert sorted(file.name for file in tmp_path.iterdir()) == ["state.npz"]


@pytest.mark.parametrize(
    "wrong", [{"batch": 0}, {"crop": 13}, {"crop": 500}, {"seed": -1}, {"rate": float("nan")}, {"steps": 0}]
)
def test_settings_out_of_range_are_refused(pictures: Path, tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(TrainingError, match="must be"):
        train([pictures], tmp_path / "out", replace(QUICK, **wrong))
    assert not (tmp_path / "out").exists()
