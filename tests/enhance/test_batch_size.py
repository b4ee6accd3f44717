"""Frames at a time on a GPU: measured with doubles, remembered, bounded by the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streams import info

from realtime import Enhancer, StreamInfo
from realtime.enhance import autoselect
from realtime.enhance.engines.base import Engine, FrameBatch, PlaneBatch, Program, ProgramSpec
from realtime.enhance.engines.exact.engine import _ExactProgram
from realtime.enhance.engines.exact.oom import Compiled, OomFallback
from realtime.enhance.tensorflow_loader import tf
from realtime.frame import RGB


@pytest.mark.parametrize(
    ("seconds", "best"),
    [
        ({1: 10, 2: 12, 4: 16, 8: 24, 16: 40}, 16),  # starting a batch is what costs
        ({1: 10, 2: 12, 4: 23.9}, 2),  # 6.0 to 5.98 a frame: not worth twice the memory
        ({1: 10, 2: 19.5}, 1),
        ({1: 10, 2: 12, 4: float("inf")}, 2),  # out of memory
        ({1: float("inf"), 2: float("inf")}, 1),
    ],
)
def test_the_largest_that_pays(seconds: dict[int, float], best: int) -> None:
    # A batch behind the first that does not pay is a KeyError here.
    assert autoselect.largest_batch_that_pays(seconds.__getitem__) == best


class Gpu(Engine):
    """Stands for the exact engine on a GPU that takes long to start, and has memory for `fits` frames."""

    device, precision = "gpu:0", "float16"

    def __init__(self, fits: int = 99) -> None:
        self.fits = fits
        self.built: list[int] = []
        self.now = 0.0

    def program(self, spec: ProgramSpec) -> Program:
        return _ExactProgram(OomFallback(self._build, spec, 2048))

    def _build(self, spec: ProgramSpec, tile: int) -> Compiled:
        self.built.append(spec.batch)
        if spec.batch > self.fits:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM")

        def run(frames: FrameBatch, strength: float) -> PlaneBatch:
            assert len(frames.planes[0]) == len(frames) == spec.batch
            self.now += 1 + 0.1 * spec.batch
            return frames.planes

        return run


@pytest.fixture
def gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gpu:
    engine = Gpu()
    monkeypatch.setattr(autoselect, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr("realtime.enhance.enhancer.create_engine", lambda *_: engine)
    monkeypatch.setattr(autoselect, "device_label", lambda device: f"{device} A GPU")
    monkeypatch.setattr(autoselect, "perf_counter", lambda: engine.now)
    return engine


def video(frames: int | None = 5000, live: bool = False) -> StreamInfo:
    return info(64, 48, RGB, frames=frames, live=live)


def batch(weights: Path, stream: StreamInfo, **options: Any) -> int:
    session = Enhancer(weights=weights, engine="exact", exposure="off", **options).session(stream, RGB)
    assert session.describe().batch == session.batch
    return session.batch


def test_measured_once_and_remembered(gpu: Gpu, weights: Path, tmp_path: Path) -> None:
    assert batch(weights, video()) == 16
    assert gpu.built == [1, 2, 4, 8, 16], "and the program that was measured is the one that is used"
    (key,) = json.loads((tmp_path / "speed.json").read_text())
    assert all(part in key for part in ("A GPU", "float16", "64x48"))
    gpu.built.clear()
    assert batch(weights, video(None)) == 16
    assert batch(weights, video(frames=3)) == 3, "no more than there are"
    assert gpu.built == [16, 3]


def test_what_does_not_fit_is_not_taken(gpu: Gpu, weights: Path) -> None:
    gpu.fits = 4
    assert batch(weights, video()) == 4
    assert gpu.built == [1, 2, 4, 8, 4]


@pytest.mark.parametrize("content", [0, 3, 1e99, "nan"])
def test_a_damaged_cache_is_replaced(content: Any, gpu: Gpu, weights: Path, tmp_path: Path) -> None:
    assert batch(weights, video()) == 16
    path = tmp_path / "speed.json"
    path.write_text(json.dumps(dict.fromkeys(json.loads(path.read_text()), content)))
    assert batch(weights, video()) == 16


def test_a_few_frames_are_not_worth_measuring(gpu: Gpu, weights: Path) -> None:
    assert batch(weights, video(frames=100)) == autoselect.DEFAULT_BATCH
    assert batch(weights, video(frames=1)) == 1
    assert gpu.built == [autoselect.DEFAULT_BATCH, 1]


def test_a_live_frame_waits_for_no_other(gpu: Gpu, weights: Path) -> None:
    assert batch(weights, video(None, live=True)) == 1
    assert gpu.built == [1]


def test_a_given_batch_is_taken(gpu: Gpu, weights: Path) -> None:
    assert batch(weights, video(), batch=3) == 3
    assert gpu.built == [3]


def test_arrays_need_no_measurement(gpu: Gpu, weights: Path) -> None:
    pictures = np.zeros((2, 48, 64, 3), np.uint8)
    assert np.array_equal(Enhancer(weights=weights, engine="exact", exposure="off")(pictures), pictures)
    assert gpu.built == [2]
