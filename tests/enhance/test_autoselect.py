"""What ``auto`` means: which engine a stream gets and why, measured once and remembered."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synthetic
from streams import VIDEO, info, smooth

from realtime import Control, ControlState, EnhanceOptions, Enhancer, StreamInfo
from realtime.diagnostics import Severity
from realtime.enhance import autoselect
from realtime.enhance.engines.base import Engine, FrameBatch, PlaneBatch, Program, ProgramSpec
from realtime.enhance.engines.factory import create_engine
from realtime.enhance.weights import Weights, find
from realtime.frame import RGB

AUTO: dict[str, Any] = synthetic.QUICK | {"engine": "auto"}
REASON = "engine fast, since exact would take about 6.0 s a frame here, 10 min for all of it"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with what was measured; it does not exist yet."""
    monkeypatch.setattr(autoselect, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache" / "speed.json"


class StubEngine(Engine):
    """Stands for an engine, which takes seconds to build; its frames come out as they are."""

    precision = "float32"

    def __init__(self, name: str, weights: Weights, device: str, precision: str) -> None:
        self.device = device

    def program(self, spec: ProgramSpec) -> Program:
        return StubProgram()


class StubProgram:
    def new_state(self, independent: bool = False) -> None:
        return None

    def __call__(self, frames: FrameBatch, strength: float, state: None, level: int = 0) -> PlaneBatch:
        return frames.planes

    def skip(self, frames: FrameBatch, state: None, level: int = 0) -> None:
        pass


@pytest.fixture(autouse=True)
def stub_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.enhance.enhancer.create_engine", StubEngine)


@pytest.fixture
def automatic(student_weights: Path) -> Enhancer:
    return Enhancer(weights=student_weights, **AUTO)


def measured(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """The exact engine takes so long for a frame."""
    monkeypatch.setattr(autoselect, "_measure", lambda *_: seconds)


def chosen(enhancer: Enhancer, stream: StreamInfo) -> str:
    """The engine of a session, which is also the one that was planned."""
    planned = enhancer.plan(stream)
    assert stream.diagnostics.messages == (), "said when the session is made"
    session = enhancer.session(stream, VIDEO)
    about = session.describe()
    assert (planned.engine, planned.device, planned.precision) == (about.engine, about.device, about.precision)
    return about.engine


def test_exact_where_it_keeps_up(automatic: Enhancer, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, 0.001)
    stream = info(64, 48)
    assert chosen(automatic, stream) == "exact"
    assert stream.diagnostics.messages == ()


def test_fast_where_exact_is_too_slow_and_why(automatic: Enhancer, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, 6.0)
    stream = info(64, 48)
    assert chosen(automatic, stream) == "fast"
    assert [(m.severity, m.text) for m in stream.diagnostics.messages] == [(Severity.INFO, REASON)]
    assert stream.diagnostics.warnings == ()


def test_the_plan_holds_for_a_file_with_one_frame_left(automatic: Enhancer, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupted run is resumed with the engine that it began with, however little is left."""
    measured(monkeypatch, 6.0)
    stream = info(64, 48, frames=100)
    session = automatic.session(stream, VIDEO)
    session.skip([smooth(64, 48)])
    assert session.describe().engine == automatic.plan(stream).engine == "fast"


def test_one_picture_is_worth_the_wait(automatic: Enhancer, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, 6.0)
    used: list[str] = []
    make = automatic.program

    def program(name: str, spec: ProgramSpec) -> Program:
        used.append(name)
        return make(name, spec)

    monkeypatch.setattr(automatic, "program", program)
    assert chosen(automatic, info(64, 48, frames=1)) == "exact"
    automatic(np.zeros((1, 16, 16, 3), np.uint8))
    assert used == ["exact", "exact"]


@pytest.mark.parametrize("asked", ["exact", "fast"])
def test_an_engine_that_was_asked_for_is_not_measured(
    student_weights: Path, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autoselect, "frame_seconds", lambda *_: pytest.fail("measured"))
    stream = info(64, 48)
    assert chosen(Enhancer(weights=student_weights, **AUTO | {"engine": asked}), stream) == asked
    control = Control(ControlState(engine=asked))
    session = Enhancer(weights=student_weights, **AUTO).with_control(control).session(stream, VIDEO)
    assert session.describe().engine == asked
    assert stream.diagnostics.messages == ()


def test_without_a_student_auto_is_exact(weights: Path, tmp_path: Path) -> None:
    assert chosen(Enhancer(weights=weights, **AUTO), info(64, 48)) == "exact"
    assert autoselect.realtime_engine(find(weights)) is None


def test_an_altered_student_is_refused_rather_than_ignored(weights: Path, tmp_path: Path) -> None:
    """Nobody should wait for the exact engine without knowing why."""
    path = tmp_path / "mine.weights.h5"
    path.write_bytes(weights.read_bytes())
    find(path).student_path.write_bytes(b"altered")
    engine = autoselect.realtime_engine(find(path))
    assert engine is not None
    assert engine.name == "fast"


# What is remembered.


def test_a_measurement_is_remembered(automatic: Enhancer, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.enhance.enhancer.create_engine", create_engine)  # the engine that is really measured
    stream = info(32, 24, rate=Fraction(1, 100))
    engine = automatic.session(stream, VIDEO).describe().engine
    assert engine == "exact"
    (seconds,) = (value for key, value in json.loads(cache.read_text()).items() if "estimated" not in key)
    assert 0 < seconds < 80
    monkeypatch.setattr(autoselect, "_measure", lambda *_: pytest.fail("measured again"))
    assert automatic.session(stream, VIDEO).describe().engine == engine


@pytest.mark.parametrize("content", ["", "[1]", '{"a": "b"}', "\0"])
def test_a_damaged_cache_is_replaced(
    automatic: Enhancer, cache: Path, content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured(monkeypatch, 0.001)
    cache.parent.mkdir(parents=True)
    cache.write_text(content)
    assert chosen(automatic, info(64, 48)) == "exact"
    assert 0.001 in json.loads(cache.read_text()).values()


def test_a_cache_that_cannot_be_written_costs_only_time(
    automatic: Enhancer, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured(monkeypatch, 0.001)
    cache.parent.write_text("a file in the place of the folder")
    assert chosen(automatic, info(64, 48)) == "exact"


def test_no_engine_is_loaded_where_exact_is_out_of_the_question(
    automatic: Enhancer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autoselect, "_measure", lambda *_: pytest.fail("measured"))
    monkeypatch.setattr(autoselect, "speeds", lambda precisions, device: dict.fromkeys(precisions, 1e9))
    large = info(1920, 1080)
    assert automatic.choose_engine(large) == "fast"
    monkeypatch.setattr(autoselect, "speeds", lambda *_: pytest.fail("estimated again"))
    assert automatic.choose_engine(large) == "fast"


def test_an_estimate_near_the_limit_is_measured(automatic: Enhancer, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, 0.001)
    monkeypatch.setattr(autoselect, "speeds", lambda precisions, device: dict.fromkeys(precisions, 1e9))
    assert automatic.choose_engine(info(192, 108, rate=Fraction(1, 10))) == "exact"


def test_a_stream_without_a_rate_counts_as_an_ordinary_one() -> None:
    stream = info(64, 48, rate=None)
    assert autoselect.keeps_up(0.8 / autoselect.ASSUMED_RATE, stream)
    assert not autoselect.keeps_up(0.9 / autoselect.ASSUMED_RATE, stream)
    assert autoselect.keeps_up(0.9 / autoselect.ASSUMED_RATE, info(64, 48, format=RGB, rate=Fraction(10)))


def test_what_no_processor_can_do_is_not_measured(automatic: Enhancer, monkeypatch: pytest.MonkeyPatch) -> None:
    """8.3 million pixels are 3.7e12 multiply-adds: 3.1 s on four cores that each do 0.3e12 a second."""
    monkeypatch.setattr(autoselect, "speeds", lambda *_: pytest.fail("measured"))
    monkeypatch.setattr("realtime.enhance.autoselect.os.cpu_count", lambda: 4)
    stream = info(3840, 2160, live=True, frames=None)
    assert automatic.choose_engine(stream, tell=True) == "fast"
    (message,) = stream.diagnostics.messages
    assert message.text == "engine fast, since exact would take at least 3.1 s a frame here"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, False),
        ({"engine": "fast"}, False),
        ({"engine": "fast", "precision": "bfloat16"}, True),
        ({"engine": "exact"}, True),
        ({"device": "gpu:0"}, True),
    ],
    ids=str,
)
def test_which_streams_load_tensorflow(
    student_weights: Path, options: dict[str, Any], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.enhance.device.GPU_NODES", ())
    monkeypatch.setattr("realtime.enhance.autoselect.os.cpu_count", lambda: 4)
    wanted = EnhanceOptions(weights=student_weights, **options)
    assert autoselect.loads_tensorflow(wanted, info(1280, 720, live=True)) is expected


def test_a_machine_that_may_have_a_gpu_asks_tensorflow(
    student_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.enhance.device.GPU_NODES", (str(tmp_path),))
    assert autoselect.loads_tensorflow(EnhanceOptions(weights=student_weights), info(1280, 720, live=True))
