"""What ``auto`` means: measured once, remembered, and said."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synthetic

from realtime.enhance import autoselect as choice
from realtime.enhance.engines.fast import student
from realtime.enhance.engines.base import Engine, Program, ProgramSpec
from realtime.enhance.engines.registry import create
from realtime.enhance.enhancer import Enhancer
from realtime.enhance.weights import Weights
from realtime.frame import PixelFormat, StreamInfo
from realtime.training.checkpoint import export

AUTO: dict[str, Any] = synthetic.QUICK | {"engine": "auto"}
VIDEO = PixelFormat("yuv", 8, (2, 2), "bt709", full_range=False)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "mbllen-realtime" / "speed.json"


class Stand(Engine):
    """In the place of an engine, which takes seconds to build."""

    precision = "float32"

    def __init__(self, name: str, weights: Weights, device: str, *options: object) -> None:
        self.name, self.device = name, device

    def program(self, job: ProgramSpec) -> Program:
        return lambda planes, strength, exposure: planes


@pytest.fixture(autouse=True)
def stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.enhance.enhancer.create", Stand)


@pytest.fixture
def automatic(tmp_path: Path, weights: Path) -> Enhancer:
    path = Path(shutil.copy(weights, tmp_path / "mine.weights.h5"))
    export(tmp_path / "mine.weights.fast.h5", student.build())
    student.sign(tmp_path / "mine.weights.fast.h5", Weights("mine.weights.h5", path, metered=False))
    return Enhancer(path, **AUTO)


def stream(width: int = 64, height: int = 48, rate: int = 25, frames: int | None = 100) -> StreamInfo:
    return StreamInfo(width, height, VIDEO, rate=Fraction(rate), frames=frames)


def test_without_a_student_auto_is_exact_and_says_nothing(tmp_path: Path, weights: Path) -> None:
    path = Path(shutil.copy(weights, tmp_path / "alone.weights.h5"))
    assert choice.first(Weights("alone.weights.h5", path, metered=False)) == "exact"
    # One that is there and altered is for the engine to refuse: nobody should wait for exact without knowing why.
    (tmp_path / "alone.weights.fast.h5").write_bytes(b"altered")
    assert choice.first(Weights("alone.weights.h5", path, metered=False)) == "fast"


def test_exact_where_it_keeps_up(automatic: Enhancer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_measure", lambda *_: 0.001)
    info = stream()
    automatic.prepare(info, rgb=False)
    assert (automatic.engine.name, info.diagnostics.sentences) == ("exact", ())


def test_fast_where_exact_is_too_slow_and_why(automatic: Enhancer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_measure", lambda *_: 6.0)
    info = stream()
    automatic.prepare(info, rgb=False)
    assert automatic.engine.name == "fast"
    assert info.diagnostics.sentences == (
        "engine fast, since exact would take about 6.0 s a frame here, 10 min for all of it; "
        "--engine exact has it anyway",
    )


def test_one_picture_is_worth_the_wait(automatic: Enhancer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_measure", lambda *_: 6.0)
    automatic.prepare(stream(frames=1), rgb=False)
    assert automatic.engine.name == "exact"
    automatic.prepare(stream(), rgb=False)
    automatic(np.zeros((1, 16, 16, 3), np.uint8))
    assert automatic.engine.name == "exact"


def test_a_measurement_is_remembered(automatic: Enhancer, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.enhance.enhancer.create", create)  # the engine that is really measured
    automatic.prepare(stream(), rgb=False)
    assert cache.is_file()
    monkeypatch.setattr(choice, "_measure", lambda *_: pytest.fail("measured again"))
    automatic.prepare(stream(), rgb=False)


@pytest.mark.parametrize("content", ["", "[1]", '{"a": "b"}', "\0"])
def test_a_spoilt_memory_is_measured_anew(automatic: Enhancer, cache: Path, content: str) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_text(content)
    automatic.prepare(stream(), rgb=False)
    assert automatic.engine.name in ("exact", "fast")


def test_without_a_student_auto_is_exact(weights: Path) -> None:
    enhancer = Enhancer(weights, **AUTO)
    enhancer.prepare(stream(), rgb=False)
    assert enhancer.engine.name == "exact"


def test_no_engine_is_built_where_exact_is_out_of_the_question(
    automatic: Enhancer, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "_measure", lambda *_: pytest.fail("measured"))
    monkeypatch.setattr(choice, "speeds", lambda precisions, device: dict.fromkeys(precisions, 1e9))
    automatic.prepare(stream(1920, 1080), rgb=False)
    assert automatic.engine.name == "fast"
    monkeypatch.setattr(choice, "speeds", lambda *_: pytest.fail("estimated again"))
    automatic.prepare(stream(1920, 1080), rgb=False)
    monkeypatch.setattr(choice, "_measure", lambda *_: 0.001)
    # An estimate that leaves a doubt is no answer: a picture in ten seconds is another matter.
    slow = StreamInfo(192, 108, VIDEO, rate=Fraction(1, 10), frames=100)
    monkeypatch.setattr(choice, "speeds", lambda precisions, device: dict.fromkeys(precisions, 1e9))
    automatic.prepare(slow, rgb=False)
    assert automatic.engine.name == "exact"
