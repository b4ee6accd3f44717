"""The benchmark's tables: what a row says, in which precision, and where memory runs out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime.benchmarks import engines as timed
from realtime.benchmarks.layers import layers
from realtime.benchmarks.memory import forget_peak, peak_mb
from realtime.enhance.engines.base import Batch, Engine, Program, ProgramSpec
from realtime.enhance.engines.exact.oom import OomFallback
from realtime.enhance.enhancer import Enhancer
from realtime.enhance.tensorflow_loader import tf
from realtime.enhance.weights import Weights
from realtime.errors import DeviceError, SettingError
from realtime.frame import Samples


class Small(Engine):
    """An engine with memory for `fits` frames of any size, or for none of those that are 40 pixels wide."""

    name, precision = "exact", "float32"

    def __init__(self, name: str, weights: Weights, device: str, precision: str, metered: bool) -> None:
        self.device = device

    def program(self, job: ProgramSpec) -> Program:
        return OomFallback(self._build, job, 2048)

    def _build(self, job: ProgramSpec, window: int) -> Program:
        def run(planes: Batch, strength: float, exposure: Samples) -> Batch:
            if job.batch > 2 or job.width == 40:
                raise tf.errors.ResourceExhaustedError(None, None, "OOM")
            return planes

        return run


@pytest.fixture
def random_weights(weights: Path) -> Weights:
    return Weights("random.weights.h5", weights, metered=False)


@pytest.fixture(autouse=True)
def no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timed, "runtimes", lambda *_: {})
    monkeypatch.setattr(timed, "PEAK", timed.PEAK | {"channels": 4})


@pytest.fixture
def switch() -> Iterator[Any]:
    """Whether float32 may be rounded: the process's own switch, put back in the end."""
    kept = tf.config.experimental.tensor_float_32_execution_enabled()
    yield tf.config.experimental.tensor_float_32_execution_enabled
    tf.config.experimental.enable_tensor_float_32_execution(kept)


def test_a_row_for_everything_that_ran(random_weights: Weights) -> None:
    rows = timed.engines(random_weights, "cpu", [(32, 32)], [1, 2], ["float32", "bfloat16"], rounds=2)
    kinds = [(row["what"], row["precision"], row["batch"]) for row in rows]
    assert kinds == [
        ("model.predict", "float32", 1),
        *(("peak", "float32", 1), ("exact", "float32", 1), ("exact", "float32", 2)),
        *(("peak", "bfloat16", 1), ("exact", "bfloat16", 1), ("exact", "bfloat16", 2)),
    ]
    for row in rows:
        assert (row["width"], row["height"], row["note"]) == (32, 32, "")
        assert 0 < row["p50_ms"] <= row["p95_ms"]
        assert row["memory_mb"] > 10
        assert row["fps"] == pytest.approx(row["batch"] * 1000 / row["p50_ms"], rel=0.01)
        assert row["teraflops"] >= 0
        assert row["of_peak"] == 1 or row["what"] != "peak"
        assert (row["of_predict"] is None) == (row["what"] == "peak")
    assert rows[0]["of_predict"] == 1


def test_what_does_not_fit_is_said_and_the_rest_goes_on(
    random_weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timed, "create", Small)
    rows = timed.engines(random_weights, "cpu", [(40, 32), (32, 32)], [1, 2, 4], ["float32"], rounds=1)
    found = {(row["width"], row["batch"]): row for row in rows if row["what"] == "exact"}
    assert {place for place, row in found.items() if row["note"] == "out of memory"} == {
        (40, 1),
        (40, 2),
        (40, 4),
        (32, 4),
    }
    assert all((row["fps"] is None) == bool(row["note"]) for row in found.values())


def test_a_turn_that_fails_for_memory_is_the_last() -> None:
    turns: list[str] = []

    def fine() -> None:
        turns.append("fine")

    def short() -> None:
        turns.append("short")
        if turns.count("short") == 2:
            raise MemoryError

    times = timed.in_turns({"short": short, "fine": fine}, 3)
    assert (len(times["short"]), len(times["fine"])) == (0, 3)
    assert turns.count("short") == 2


def test_float32_is_float32_and_tf32_a_row_of_its_own(weights: Path, switch: Any) -> None:
    tf.config.experimental.enable_tensor_float_32_execution(True)
    Enhancer(weights, "exact", "float32", "cpu", exposure="off")
    assert not switch(), "the reference picture is not to be rounded"
    seen: list[bool] = []
    for precision in ("tf32", "float32", "tf32"):
        timed.Task(lambda: lambda: seen.append(switch()), precision, "gpu:0")()
    assert seen == [True, False, True]
    assert timed.computed_in("tf32", "gpu:0") == "float32"


def test_tf32_is_nothing_for_a_cpu(random_weights: Weights, switch: Any) -> None:
    with pytest.raises(SettingError, match="tf32"):
        timed.engines(random_weights, "cpu", [(32, 32)], [1], ["tf32"])
    with pytest.raises(SettingError, match="tf32"):
        layers(random_weights, "cpu", "tf32", 32, 32)


def test_layers_without_memory(random_weights: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.benchmarks.layers.in_turns", lambda tasks, _: {key: [] for key in tasks})
    with pytest.raises(DeviceError, match="no memory for the layers of 32x32"):
        layers(random_weights, "cpu", "float32", 32, 32)


def test_the_peak_of_memory_is_that_of_the_task() -> None:
    forget_peak("cpu")
    before = peak_mb("cpu")
    block = np.ones(100 << 20, np.uint8)
    assert peak_mb("cpu") >= before + 90
    del block
