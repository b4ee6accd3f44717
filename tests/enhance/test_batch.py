"""How many frames at a time pay on a GPU: measured with doubles, remembered, bounded by the file."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime.enhance import autoselect as choice
from realtime.enhance.engines.base import Batch, Engine, Program, ProgramSpec
from realtime.enhance.engines.exact.oom import OomFallback
from realtime.enhance.enhancer import Enhancer
from realtime.enhance.tensorflow_loader import tf
from realtime.frame import RGB, Samples, StreamInfo


@pytest.mark.parametrize(
    ("seconds", "best"),
    [
        ({1: 10, 2: 12, 4: 16, 8: 24, 16: 40}, 16),  # the start of each batch is what costs
        ({1: 10, 2: 12, 4: 23.9}, 2),  # 6.0 to 5.98 a frame: not worth twice the memory
        ({1: 10, 2: 19.5}, 1),
        ({1: 10, 2: 12, 4: float("inf")}, 2),  # out of memory
        ({1: float("inf"), 2: float("inf")}, 1),
    ],
)
def test_the_largest_that_pays(seconds: dict[int, float], best: int) -> None:
    # A batch behind the first that does not pay is a KeyError here.
    assert choice.largest_that_pays(seconds.__getitem__) == best


class Card(Engine):
    """In the place of the exact engine on a GPU that starts slowly, and has memory for so many frames."""

    name, device, precision = "exact", "gpu:0", "float16"

    def __init__(self, fits: int = 99) -> None:
        self.fits = fits
        self.built: list[int] = []
        self.now = 0.0

    def program(self, job: ProgramSpec) -> Program:
        return OomFallback(self._build, job, 2048)

    def _build(self, job: ProgramSpec, window: int) -> Program:
        self.built.append(job.batch)
        if job.batch > self.fits:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM")

        def run(planes: Batch, strength: float, exposure: Samples) -> Batch:
            assert len(planes[0]) == len(exposure) == job.batch
            self.now += 1 + 0.1 * job.batch
            return planes

        return run


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Card:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = Card()
    monkeypatch.setattr("realtime.enhance.enhancer.create", lambda *_: made)
    monkeypatch.setattr(choice, "named", lambda device: f"{device} A Card")
    monkeypatch.setattr(choice, "perf_counter", lambda: made.now)
    return made


def film(frames: int | None = 5000, live: bool = False) -> StreamInfo:
    return StreamInfo(64, 48, RGB, rate=Fraction(25), frames=frames, live=live)


def prepared(weights: Path, info: StreamInfo, **options: Any) -> int:
    enhancer = Enhancer(weights, "exact", exposure="off", **options)
    enhancer.prepare(info, rgb=True)
    assert enhancer.describe()["batch"] == enhancer.batch
    return enhancer.batch


def test_measured_once_and_remembered(card: Card, weights: Path, tmp_path: Path) -> None:
    assert prepared(weights, film()) == 16
    assert card.built == [1, 2, 4, 8, 16], "and the program that was measured is the one that is used"
    (key,) = json.loads((tmp_path / "mbllen-realtime" / "speed.json").read_text())
    assert "A Card" in key
    assert "float16" in key
    assert "64x48" in key
    card.built.clear()
    assert prepared(weights, film(None)) == 16
    assert prepared(weights, film(frames=3)) == 3, "no more than there are"
    assert card.built == [16, 3]


def test_what_does_not_fit_is_not_taken(card: Card, weights: Path) -> None:
    card.fits = 4
    assert prepared(weights, film()) == 4
    assert card.built == [1, 2, 4, 8, 4]


@pytest.mark.parametrize("content", [0, 3, 1e99, "nan"])
def test_a_spoilt_memory_is_measured_anew(content: Any, card: Card, weights: Path, tmp_path: Path) -> None:
    assert prepared(weights, film()) == 16
    path = tmp_path / "mbllen-realtime" / "speed.json"
    path.write_text(json.dumps(dict.fromkeys(json.loads(path.read_text()), content)))
    assert prepared(weights, film()) == 16


def test_a_few_frames_are_not_worth_it(card: Card, weights: Path) -> None:
    assert prepared(weights, film(frames=100)) == choice.USUAL_BATCH
    assert prepared(weights, film(frames=1)) == 1
    assert card.built == [choice.USUAL_BATCH, 1]


def test_live_waits_for_no_other_frame(card: Card, weights: Path) -> None:
    assert prepared(weights, film(None, live=True)) == 1
    assert card.built == [1]


def test_a_wish_is_a_wish(card: Card, weights: Path) -> None:
    assert prepared(weights, film(), batch=3) == 3
    assert card.built == [3]


def test_pictures_need_no_measurement(card: Card, weights: Path) -> None:
    pictures = np.zeros((2, 48, 64, 3), np.uint8)
    assert np.array_equal(Enhancer(weights, "exact", exposure="off")(pictures), pictures)
    assert card.built == [2]
