"""The benchmarks: what a row says, in which precision, and where memory runs out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime.benchmarks import engines as timed
from realtime.benchmarks.closeness import closeness
from realtime.benchmarks.layers import layers
from realtime.benchmarks.memory import peak_mb, reset_peak
from realtime.benchmarks.stages import stages, synthetic
from realtime.benchmarks.transcode import transcode
from realtime.config import EncodingOptions
from realtime.enhance.engines.base import Engine, FrameBatch, PlaneBatch, Program, ProgramSpec
from realtime.enhance.engines.exact.oom import Compiled, OomFallback
from realtime.enhance.enhancer import Enhancer
from realtime.enhance.tensorflow_loader import tf
from realtime.enhance.weights import Weights
from realtime.errors import DeviceError, SettingError
from realtime.sources.registry import open_source


class SmallEngine(Engine):
    """An engine with memory for two frames of any size, or for none of those that are 40 pixels wide."""

    precision = "float32"

    def __init__(self, name: str, weights: Weights, device: str, precision: str) -> None:
        self.device = device

    def program(self, spec: ProgramSpec) -> Program:
        return SmallProgram(OomFallback(self._build, spec, 2048))

    def _build(self, spec: ProgramSpec, tile: int) -> Compiled:
        def compute(frames: FrameBatch, strength: float) -> PlaneBatch:
            if spec.batch > 2 or spec.width == 40:
                raise tf.errors.ResourceExhaustedError(None, None, "OOM")
            return frames.planes

        compute(spec.blank(), 1.0)
        return compute


class SmallProgram:
    def __init__(self, compute: OomFallback) -> None:
        self._compute = compute

    @property
    def batch(self) -> int:
        return self._compute.batch

    def new_state(self, independent: bool = False) -> None:
        return None

    def __call__(self, frames: FrameBatch, strength: float, state: None, level: int = 0) -> PlaneBatch:
        return self._compute(frames, strength)

    def skip(self, frames: FrameBatch, state: None, level: int = 0) -> None:
        pass


@pytest.fixture
def random_weights(weights: Path) -> Weights:
    return Weights("random.weights.h5", weights, metered=False)


@pytest.fixture(autouse=True)
def small_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timed, "runtimes", lambda *_: {})
    monkeypatch.setattr(timed, "PEAK", timed.PEAK | {"channels": 4})


@pytest.fixture
def tf32_switch() -> Iterator[Any]:
    """Reads whether float32 may be rounded: a switch of the process, put back in the end."""
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    yield tf.config.experimental.tensor_float_32_execution_enabled
    tf.config.experimental.enable_tensor_float_32_execution(before)


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
    monkeypatch.setattr(timed, "create_engine", SmallEngine)
    rows = timed.engines(random_weights, "cpu", [(40, 32), (32, 32)], [1, 2, 4], ["float32"], rounds=1)
    found = {(row["width"], row["batch"]): row for row in rows if row["what"] == "exact"}
    assert {size_and_batch for size_and_batch, row in found.items() if row["note"] == "out of memory"} == {
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

    times = timed.time_in_turns({"short": short, "fine": fine}, 3)
    assert (len(times["short"]), len(times["fine"])) == (0, 3)
    assert turns.count("short") == 2


def test_every_turn_is_taken_in_its_precision_and_the_switch_put_back(
    random_weights: Weights, monkeypatch: pytest.MonkeyPatch, tf32_switch: Any
) -> None:
    seen: list[bool] = []
    for precision in ("tf32", "float32", "tf32"):
        timed.Task(lambda: lambda: seen.append(tf32_switch()), precision, "gpu:0")()
    assert seen == [True, False, True]
    assert timed.set_precision("tf32", "gpu:0") == "float32"
    monkeypatch.setattr(timed, "create_engine", SmallEngine)
    timed.engines(random_weights, "cpu", [(32, 32)], [1], ["float32"], rounds=1)
    assert tf32_switch()


def test_tf32_is_nothing_for_a_cpu(random_weights: Weights, tf32_switch: Any) -> None:
    with pytest.raises(SettingError, match="tf32"):
        timed.engines(random_weights, "cpu", [(32, 32)], [1], ["tf32"])
    with pytest.raises(SettingError, match="tf32"):
        layers(random_weights, "cpu", "tf32", 32, 32)


def test_layers_without_memory(random_weights: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.benchmarks.layers.time_in_turns", lambda tasks, _: {key: [] for key in tasks})
    with pytest.raises(DeviceError, match="no memory for the layers of 32x32"):
        layers(random_weights, "cpu", "float32", 32, 32)


def test_the_peak_of_memory_is_that_of_the_task() -> None:
    reset_peak("cpu")
    before = peak_mb("cpu")
    block = np.ones(100 << 20, np.uint8)
    assert peak_mb("cpu") >= before + 90
    del block


def test_stages_apart_and_together(tmp_path: Path, weights: Path) -> None:
    enhancer = Enhancer(weights=weights, engine="exact", precision="float32", device="cpu")
    path = synthetic(tmp_path / "dark.mp4", 64, 48, 5)
    rows = stages(enhancer, lambda: open_source(str(path)), tmp_path, EncodingOptions(preset="ultrafast"))
    assert [row["stage"] for row in rows] == ["capture", "inference", "writing", "together", "model.predict"]
    for row in rows:
        assert (row["frames"], row["engine"], row["device"]) == (5, "exact", "cpu")
        assert row["fps"] == pytest.approx(5 / row["seconds"], rel=0.05)
    assert rows[3]["of_slowest_stage"] > 0
    assert rows[4]["of_inference"] > 0


def test_what_enhancing_costs_beside_transcoding(tmp_path: Path, student_weights: Path) -> None:
    path = synthetic(tmp_path / "dark.mp4", 64, 48, 6)
    rows = transcode(path, ["fast"], "ultrafast", seconds=1.0, rounds=1, weights=student_weights)
    assert [row["engine"] for row in rows] == ["none", "fast"]
    assert rows[0]["of_plain"] == 1
    assert all(row["fps"] > 0 and row["cpu_ms"] > 0 for row in rows)


def test_closeness_compares_both_engines_behind_the_same_exposure(long_clip: Path) -> None:
    """Against itself an engine is exact; the student is near its teacher, and not the same."""
    exact, fast = Enhancer(engine="exact"), Enhancer(engine="fast")
    assert {row["psnr"] for row in closeness(long_clip, fast, fast)} == {99.0}
    rows = closeness(long_clip, exact, fast)
    assert [row["seconds"] for row in rows] == [1.3, 1.9, 2.0, 2.1, 4.3, 4.9, 5.0, 5.1]
    assert all(25 < row["psnr"] < 99 for row in rows)
