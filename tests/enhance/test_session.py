"""A session: formats, grouping, resuming, time jumps, the user's control; and sessions beside each other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streams
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import VIDEO, difference, info, night

from realtime import Control, ControlState, Enhancer, PixelFormat, StreamInfo
from realtime.control import Standing
from realtime.enhance.engines.factory import create_engine
from realtime.enhance.engines.registry import ENGINES
from realtime.enhance.session import LARGEST_GAP, EnhanceSession
from realtime.frame import RGB, Frame

NAMES = [engine.name for engine in ENGINES]
#: How far apart outputs may be that an engine computed in batches of different sizes: the exact engine's sums may take
#: another order.
TOLERANCE = {"exact": 1, "fast": 0}
NIGHT = night(14)
SIZE = (70, 50)


@pytest.fixture(scope="module")
def make(student_weights: Path) -> Callable[..., Enhancer]:
    """Enhancers by engine, batch and other options, each made once."""
    known: dict[str, Enhancer] = {}

    def enhancer(engine: str, **options: Any) -> Enhancer:
        options = synthetic.QUICK | {"engine": engine, "exposure": "auto", "weights": student_weights} | options
        key = repr(sorted(options.items()))
        if key not in known:
            known[key] = Enhancer(**options)
        return known[key]

    return enhancer


def session(enhancer: Enhancer, **fields: Any) -> EnhanceSession:
    return enhancer.session(info(*SIZE, **fields), VIDEO)


# What comes out.


@pytest.mark.parametrize("engine", NAMES)
@pytest.mark.parametrize("target", [RGB, VIDEO, PixelFormat("yuv", 10, (2, 2), "bt2020", full_range=False)], ids=str)
@pytest.mark.parametrize("source", streams.FORMATS, ids=str)
def test_every_format_comes_out_as_asked(
    make: Callable[..., Enhancer], engine: str, source: PixelFormat, target: PixelFormat
) -> None:
    stream = make(engine, exposure=2.0).session(info(33, 31, source), target)
    before = replace(streams.smooth(33, 31, source), pts=7, captured_at=1.5)
    (after,) = stream.process([before])
    assert (stream.format, after.format) == (target, target)
    assert (after.width, after.height) == (33, 31)
    assert (after.pts, after.time_base, after.captured_at) == (7, before.time_base, 1.5)
    assert after.original is None


def test_a_live_frame_holds_its_original(make: Callable[..., Enhancer]) -> None:
    live = session(make("fast"), live=True)
    assert live.batch == 1
    (after,) = live.process(NIGHT[:1])
    assert after.original is NIGHT[0]


@pytest.mark.parametrize("engine", NAMES)
def test_frames_may_change_their_size_and_format(make: Callable[..., Enhancer], engine: str) -> None:
    frames = [streams.smooth(64, 48), streams.smooth(33, 31), streams.smooth(64, 48, RGB), streams.smooth(64, 48)]
    outputs = streams.run(make(engine).session(info(64, 48), VIDEO), frames, len(frames))
    assert [(frame.width, frame.height) for frame in outputs] == [(64, 48), (33, 31), (64, 48), (64, 48)]
    assert {frame.format for frame in outputs} == {VIDEO}


@pytest.mark.parametrize("engine", NAMES)
def test_strength_0_is_the_input_exactly(make: Callable[..., Enhancer], engine: str) -> None:
    """Any sample value at all, also those outside the legal range."""
    for format in (RGB, VIDEO, PixelFormat("yuv", 8, (2, 2), "bt601", full_range=True)):
        stream = make(engine, strength=0.0).session(info(33, 31, format), format)
        frames = [streams.frame(synthetic.random_planes(format, 33, 31, seed), format, seed) for seed in range(3)]
        assert difference(streams.run(stream, frames), frames) == 0


@pytest.mark.parametrize("engine", NAMES)
def test_strength_blends_linearly(make: Callable[..., Enhancer], engine: str) -> None:
    whole = streams.run(session(make(engine)), NIGHT[:2])
    half = streams.run(session(make(engine, strength=0.5)), NIGHT[:2])
    for before, middle, after in zip(NIGHT, half, whole):
        for plane, blended, enhanced in zip(before.planes, middle.planes, after.planes):
            expected = plane + 0.5 * (enhanced.astype(float) - plane)
            assert np.abs(blended - expected).max() <= 1


# Grouping.


@pytest.mark.parametrize("engine", NAMES)
@settings(max_examples=4)
@given(batch=st.integers(2, 4), group=st.integers(1, 6), count=st.integers(1, len(NIGHT)))
def test_grouping_changes_nothing(
    make: Callable[..., Enhancer], engine: str, batch: int, group: int, count: int
) -> None:
    alone = streams.run(session(make(engine, batch=1)), NIGHT[:count])
    grouped = streams.run(session(make(engine, batch=batch)), NIGHT[:count], group)
    assert difference(alone, grouped) <= TOLERANCE[engine]


@pytest.mark.parametrize("engine", NAMES)
def test_the_next_frame_does_not_see_padding(make: Callable[..., Enhancer], engine: str) -> None:
    """A short batch in the middle: what fills it up must not count as frames of the stream."""
    whole, cut = session(make(engine, batch=4)), session(make(engine, batch=4))
    expected = streams.run(whole, NIGHT)
    outputs = [*cut.process(NIGHT[:3]), *cut.process(NIGHT[3:4]), *streams.run(cut, NIGHT[4:])]
    assert difference(expected, outputs) == 0


# Resuming.


@pytest.mark.parametrize("engine", NAMES)
@pytest.mark.parametrize("done", [1, 5, 8, 13])
def test_a_resumed_run_equals_one_run(make: Callable[..., Enhancer], engine: str, done: int) -> None:
    expected = streams.run(session(make(engine)), NIGHT)[done:]
    resumed = session(make(engine))
    for at in range(0, done, resumed.batch):
        resumed.skip(NIGHT[at : min(at + resumed.batch, done)])
    assert difference(expected, streams.run(resumed, NIGHT[done:])) == 0


def test_memory_makes_a_difference(make: Callable[..., Enhancer]) -> None:
    """What the test above compares depends on the frames before."""
    expected = streams.run(session(make("fast")), NIGHT)[5:]
    assert difference(expected, streams.run(session(make("fast")), NIGHT[5:])) > 0


@pytest.mark.parametrize("engine", NAMES)
def test_restarting_forgets(make: Callable[..., Enhancer], engine: str) -> None:
    stream = session(make(engine))
    streams.run(stream, NIGHT)
    stream.restart()
    assert difference(streams.run(stream, NIGHT[3:]), streams.run(session(make(engine)), NIGHT[3:])) == 0


@pytest.mark.parametrize("jump", [-1.0, LARGEST_GAP + 1], ids=["back", "forward"])
def test_a_jump_in_time_starts_anew(make: Callable[..., Enhancer], jump: float) -> None:
    """A seek, a loop or a lost connection, also in the middle of a call."""
    moved = [replace(frame, pts=frame.pts + round(jump * streams.RATE)) for frame in NIGHT[5:]]
    stream = session(make("fast", batch=3))
    outputs = streams.run(stream, [*NIGHT[:5], *moved])[5:]
    assert difference(outputs, streams.run(session(make("fast", batch=3)), moved)) == 0


def test_memory_is_in_seconds_not_in_frames(make: Callable[..., Enhancer]) -> None:
    """A stream with every second frame dropped is enhanced as the whole one is."""
    still = [replace(night(1)[0], pts=index) for index in range(24)]
    engine, asked = make("fast").engine("fast"), []
    compute = engine.maps  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:

        def counting(features: Any) -> Any:
            asked.append(1)
            return compute(features)

        patch.setattr(engine, "maps", counting)
        counts = []
        for every in (1, 2, 4):
            asked.clear()
            streams.run(session(make("fast")), still[::every])
            counts.append(len(asked))
    assert counts == [4, 4, 3]  # at 0, 0.2, 0.4 and 0.6 s; of every fourth frame at 0, 0.27 and 0.53 s


# Beside each other.


@pytest.mark.parametrize("engine", NAMES)
@pytest.mark.parametrize("threads", [False, True], ids=["interleaved", "threads"])
def test_two_streams_do_not_disturb_each_other(make: Callable[..., Enhancer], engine: str, threads: bool) -> None:
    first, second = NIGHT, [replace(frame, pts=index) for index, frame in enumerate(NIGHT[::-1])]
    alone = [streams.run(session(make(engine)), frames, 2) for frames in (first, second)]
    sessions = [session(make(engine)) for _ in range(2)]
    outputs: list[list[Frame]] = [[], []]

    def process(index: int, at: int) -> None:
        outputs[index] += sessions[index].process((first, second)[index][at : at + 2])

    if threads:

        def process_all(index: int) -> None:
            for at in range(0, 14, 2):
                process(index, at)

        running = [threading.Thread(target=process_all, args=(index,)) for index in range(2)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
    else:
        for at in range(0, 14, 2):
            process(0, at)
            process(1, at)
    assert [difference(a, b) for a, b in zip(alone, outputs)] == [0, 0]
    assert difference(alone[0], alone[1]) > 0


# The user's control.


def controlled(enhancer: Enhancer, **fields: Any) -> tuple[EnhanceSession, Control, StreamInfo]:
    control, stream = Control(ControlState()), info(*SIZE, **fields)
    made = enhancer.with_control(control).session(stream, VIDEO)
    assert isinstance(made, EnhanceSession)
    return made, control, stream


def test_strength_and_exposure_change_between_frames(make: Callable[..., Enhancer]) -> None:
    stream, control, _ = controlled(make("fast"))
    dark = streams.flat(*SIZE, level=40)

    def mean(index: int, **changes: Any) -> float:
        control.update(**changes)
        return float(stream.process([replace(dark, pts=index)])[0].planes[0].mean())

    lifted = mean(0, exposure=3.0)
    assert mean(1, exposure=1.0) < lifted - 20
    assert mean(2, strength=0.0) == 40
    assert mean(3, strength=1.0, exposure="off") == pytest.approx(40, abs=1)
    assert mean(4, exposure=3.0, enhanced=False) == 40
    assert mean(5, enhanced=True) == pytest.approx(lifted, abs=2)
    metered = mean(6, exposure="scene")
    assert mean(7, exposure_bias=1.0) > metered + 10


def test_passing_through_keeps_the_format(make: Callable[..., Enhancer]) -> None:
    control = Control(ControlState(enhanced=False))
    stream = make("fast").with_control(control).session(info(*SIZE, format=RGB), VIDEO)
    (after,) = stream.process([streams.smooth(*SIZE, format=RGB)])
    assert after.format == VIDEO


def test_another_engine_takes_over(make: Callable[..., Enhancer]) -> None:
    stream, control, about = controlled(make("exact"), live=True)
    events: list[Any] = []
    about.events.subscribe(events.append)
    assert stream.describe().engine == "exact"
    control.update(engine="fast")
    stream.process(NIGHT[:1])
    stream._loader.join()
    stream.restart()
    outputs = streams.run(stream, NIGHT[:4])
    assert stream.describe().engine == "fast"
    assert [(event.kind, event.details["engine"]) for event in events] == [
        ("engine_loading", "fast"),
        ("engine_changed", "fast"),
    ]
    expected = [frame.planes[0] for frame in streams.run(session(make("fast"), live=True), NIGHT[:4])]
    assert all(np.array_equal(frame.planes[0], plane) for frame, plane in zip(outputs, expected))
    control.update(engine="auto")  # the enhancer's own engine again
    stream.process(NIGHT[4:5])
    stream._loader.join()
    stream.process(NIGHT[5:6])
    assert stream.describe().engine == "exact"


def test_an_engine_that_cannot_be_used_leaves_the_present_one(weights: Path) -> None:
    enhancer = Enhancer(weights=weights, **synthetic.QUICK)
    stream, control, about = controlled(enhancer)
    for change in ({"engine": "fast"}, {"strength": 0.5}, {"engine": "magic"}):
        control.update(**change)
        assert len(stream.process(NIGHT[:1])) == 1
    assert stream.describe().engine == "exact"
    first, second = about.diagnostics.warnings
    assert first.startswith("the engine stays exact: weights ")
    assert second.startswith("the engine stays exact: engine 'magic' is not one of auto, exact, fast")


@pytest.fixture
def loading(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """The exact engine is made when this is set."""
    allowed, make_engine = threading.Event(), create_engine

    def create(name: str, *arguments: Any) -> Any:
        if name == "exact":
            assert allowed.wait(60)
        return make_engine(name, *arguments)

    monkeypatch.setattr("realtime.enhance.enhancer.create_engine", create)
    return allowed


def loading_session(student_weights: Path) -> tuple[EnhanceSession, Control, list[tuple[str, Any]]]:
    """A live stream of the fast engine, and its events."""
    enhancer = Enhancer(**synthetic.QUICK | {"engine": "fast", "exposure": "auto", "weights": student_weights})
    stream, control, about = controlled(enhancer, live=True)
    heard: list[tuple[str, Any]] = []
    about.events.subscribe(lambda event: heard.append((event.kind, event.details["engine"])))
    return stream, control, heard


def test_the_picture_goes_on_while_an_engine_loads(loading: threading.Event, student_weights: Path) -> None:
    stream, control, heard = loading_session(student_weights)
    woken = threading.Event()
    stream.watch(woken.set)
    control.update(engine="exact")
    stream.process(NIGHT[:1])
    woken.clear()
    stream.restart()  # what compiles for the present engine does not wait either
    assert len(streams.run(stream, NIGHT[1:4])) == 3
    assert stream.describe().engine == "fast"
    assert heard == [("engine_loading", "exact")]
    loading.set()
    stream._loader.join()
    assert woken.is_set(), "a picture that stands still must hear of it"
    stream.process(NIGHT[4:5])
    assert stream.describe().engine == "exact"
    assert heard[1:] == [("engine_changed", "exact")]
    control.update(engine="fast")  # that is loaded already
    stream.process(NIGHT[5:6])
    assert stream.describe().engine == "fast"
    assert heard[2:] == [("engine_changed", "fast")]


def test_who_changes_their_mind_while_an_engine_loads_keeps_the_present_one(
    loading: threading.Event, student_weights: Path
) -> None:
    stream, control, heard = loading_session(student_weights)
    for index, name in enumerate(("exact", "fast")):
        control.update(engine=name)
        stream.process(NIGHT[index : index + 1])
    loading.set()
    stream._loader.join()
    stream.process(NIGHT[2:3])
    assert stream.describe().engine == "fast"
    assert heard == [("engine_loading", "exact"), ("engine_changed", "fast")]


def test_closing_does_not_wait_for_an_engine(loading: threading.Event, student_weights: Path) -> None:
    stream, control, heard = loading_session(student_weights)
    control.update(engine="exact")
    stream.process(NIGHT[:1])
    stream.close()
    loading.set()
    stream._loader.join()
    assert heard == [("engine_loading", "exact")]


def test_a_live_engine_that_does_not_load_is_told_and_the_present_one_goes_on(
    monkeypatch: pytest.MonkeyPatch, student_weights: Path
) -> None:
    stream, control, heard = loading_session(student_weights)

    def fails(*arguments: Any) -> Any:
        raise ImportError("no such library")

    monkeypatch.setattr("realtime.enhance.enhancer.create_engine", fails)
    control.update(engine="exact")
    stream.process(NIGHT[:1])
    stream._loader.join()
    stream.process(NIGHT[1:2])
    assert heard == [("engine_loading", "exact"), ("engine_failed", "exact")]
    assert (stream.describe().engine, control.state.engine) == ("fast", "fast")


# A picture that stands still.


def test_a_paused_source_shows_what_is_changed_and_remembers_the_stream(make: Callable[..., Enhancer]) -> None:
    (stream, control, _), (other, _, _) = controlled(make("fast"), live=True), controlled(make("fast"), live=True)
    *_, shown = streams.run(stream, NIGHT[:6])
    streams.run(other, NIGHT[:6])
    assert stream.refresh() is None
    control.hold(Standing.SOURCE)
    assert stream.refresh() is None, "it is as it was"
    changes: list[dict[str, Any]] = [{"exposure_bias": 1.0}, {"strength": 0.0}, {"enhanced": False}, {"enhanced": True}]
    levels = []
    for change in changes:
        control.update(**change)
        again = stream.refresh()
        assert again is not None
        assert (again.repeated, again.pts, again.original) == (True, shown.pts, NIGHT[5])
        assert stream.refresh() is None
        levels.append(float(again.planes[0].mean()))
    dark = float(NIGHT[5].planes[0].mean())
    assert levels[0] > float(shown.planes[0].mean()) + 2
    assert levels[1:] == [dark] * 3
    control.update(strength=1.0, exposure_bias=0.0)
    assert stream.refresh() is not None
    control.hold(Standing.NO)
    assert difference(streams.run(stream, NIGHT[6:]), streams.run(other, NIGHT[6:])) == 0


def test_a_picture_held_beside_a_camera_that_goes_on(make: Callable[..., Enhancer]) -> None:
    (stream, control, _), (other, _, _) = controlled(make("fast"), live=True), controlled(make("fast"), live=True)
    *_, shown = streams.run(stream, NIGHT[:4])
    streams.run(other, NIGHT[:4])
    control.hold(Standing.PICTURE)
    held = stream.refresh()
    assert held is not None
    assert (held.pts, held.repeated) == (shown.pts, True)
    assert (held.planes[0] == shown.planes[0]).all()
    assert difference(streams.run(stream, NIGHT[4:8]), streams.run(other, NIGHT[4:8])) == 0
    assert stream.refresh() is None
    control.update(exposure_bias=1.0)
    brighter = stream.refresh()
    assert brighter is not None
    assert (brighter.pts, brighter.original) == (shown.pts, NIGHT[3])
    assert brighter.planes[0].mean() > held.planes[0].mean() + 2
    control.hold(Standing.NO)
    assert stream.refresh() is None


def test_enhancing_is_switched_on_while_the_picture_stands_still(make: Callable[..., Enhancer]) -> None:
    stream, control, _ = controlled(make("fast"), live=True)
    control.update(enhanced=False)
    stream.process(NIGHT[:1])
    control.hold(Standing.SOURCE)
    control.update(enhanced=True)
    again = stream.refresh()
    assert again is not None
    assert again.planes[0].mean() > NIGHT[0].planes[0].mean() + 2


def test_the_control_says_what_the_weights_were_trained_for(weights: Path) -> None:
    """Keys change the exposure from there."""
    _, control, _ = controlled(Enhancer(weights=weights, **synthetic.QUICK | {"exposure": None}))
    assert control.state.exposure == "off"


# The governor.


def test_a_live_stream_that_is_too_fast_gets_a_lower_level(
    make: Callable[..., Enhancer], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("realtime.enhance.session.perf_counter", lambda: now.__setitem__(0, now[0] + 0.05) or now[0])
    stream = session(make("fast"), live=True)
    assert stream.describe().governor == {"level": 0, "lowest": 0, "changes": 0}
    for index in range(2 * streams.RATE):
        stream.process([replace(NIGHT[0], pts=index)])
    governor = stream.describe().governor
    assert governor is not None
    assert (governor["level"], governor["lowest"]) == (2, 2)
    assert session(make("exact"), live=True).describe().governor is None
    assert session(make("fast")).describe().governor is None
