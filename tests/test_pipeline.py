"""The whole way of a frame: what is lost, what is counted, and how it all ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import synthetic
from doubles import Echo, RecordingSink, ScriptedSource, Viewer, gray

from realtime import (
    Discard,
    Enhancer,
    Frame,
    PixelFormat,
    Report,
    Session,
    Sink,
    SinkError,
    Source,
    SourceError,
    StopStreaming,
    StreamInfo,
    open_sink,
    open_source,
    run,
)

TIMEOUT = 20


def waiting(event: threading.Event) -> None:
    assert event.wait(TIMEOUT), "the other side never came"


def pause(source: ScriptedSource) -> None:
    """A frame every millisecond."""
    source.stopped.wait(0.001)


def raising(error: BaseException, at: int) -> Callable[[int], None]:
    def each(index: int) -> None:
        if index == at:
            raise error

    return each


# Files lose nothing.


@pytest.mark.parametrize("batch", [1, 3, 8])
def test_a_file_loses_nothing(batch: int) -> None:
    source, sink = ScriptedSource(30), RecordingSink()
    report = run(source, Echo(batch), sink)
    assert sink.indices == sink.pts == list(range(30))
    assert (report.frames, report.total, report.dropped) == (30, 30, 0)
    assert report.latency_ms is None
    assert sink.calls == ["open", "close"]
    assert source.closed == 1


def test_a_slow_sink_loses_nothing_and_holds_the_source_back() -> None:
    ahead = threading.Event()
    source = ScriptedSource(30, between=lambda index: ahead.set() if index == 7 else None)
    most = 0

    def slow(index: int) -> None:
        nonlocal most
        waiting(ahead)
        most = max(most, source.delivered - index)

    sink = RecordingSink(slow)
    report = run(source, Echo(2), sink)
    assert sink.indices == list(range(30))
    assert report.dropped == 0
    # Two channels of two batches, a batch at work, and one frame in each of three hands.
    assert most <= 4 + 2 + 4 + 3


def test_an_empty_source_makes_an_empty_run() -> None:
    sink = RecordingSink()
    assert run(ScriptedSource(0), Echo(), sink).frames == 0
    assert sink.calls == ["open", "close"]


def test_the_writer_is_the_calling_thread() -> None:
    sink = RecordingSink()
    run(ScriptedSource(3), Echo(), sink)
    assert sink.threads == {threading.current_thread()}


def test_a_real_file_keeps_order_and_timestamps(clip: Path, plain: Enhancer, tmp_path: Path) -> None:
    report = run(open_source(clip), plain, open_sink(tmp_path / "out.mp4"))
    assert synthetic.read_clip(tmp_path / "out.mp4") == synthetic.regular()
    assert (report.frames, report.total) == (synthetic.COUNT, synthetic.COUNT)


def test_irregular_timestamps_come_out_exactly(plain: Enhancer, tmp_path: Path) -> None:
    times = [0, 40, 41, 100, 350, 351, 900, 1000]
    source = synthetic.clip(tmp_path / "vfr.mkv", times=times, time_base=Fraction(1, 1000))
    run(open_source(source), plain, open_sink(tmp_path / "out.mkv"))
    expected = [(Fraction(time, 1000), index) for index, time in enumerate(times)]
    assert synthetic.read_clip(tmp_path / "out.mkv") == expected


def test_progress_ends_with_the_final_report() -> None:
    reports: list[Report] = []
    report = run(ScriptedSource(5), Echo(), RecordingSink(), progress=reports.append)
    assert reports[-1] == report
    assert report.frames == 5
    assert report.fps > 0


# Live drops the oldest, at capture, and counts.


def test_live_drops_the_oldest_at_capture_and_counts_it() -> None:
    entered, gone = threading.Event(), threading.Event()

    def between(index: int) -> None:
        if index == 0:
            waiting(entered)  # the worker holds frame 0 and will not come back before `gone`
        elif index == 9:
            gone.set()

    def busy(index: int) -> None:
        entered.set()
        waiting(gone)

    sink = RecordingSink()
    report = run(ScriptedSource(10, live=True, between=between), Echo(1, busy), sink)
    assert sink.indices == [0, 9]
    assert (report.frames, report.dropped) == (2, 8)


def test_a_slow_window_never_loses_recorded_frames() -> None:
    taken = threading.Semaphore(0)
    recorded_all = threading.Event()

    def between(index: int) -> None:
        assert taken.acquire(timeout=TIMEOUT)  # nothing is dropped at capture: each frame waits for the worker

    record = RecordingSink(lambda index: recorded_all.set() if index == 29 else None)
    window = Viewer(lambda index: waiting(recorded_all))
    source = ScriptedSource(30, live=True, between=between)
    report = run(source, Echo(1, lambda index: taken.release()), [window, record])
    assert record.indices == list(range(30))
    assert report.dropped == 0
    assert window.indices == sorted(window.indices)
    assert 1 <= len(window.indices) < 30
    assert window.indices[-1] == 29
    assert record.threads != {threading.current_thread()}
    assert record.calls == window.calls == ["open", "close"]


def test_a_slow_recording_beside_a_window_loses_nothing() -> None:
    taken = threading.Semaphore(0)
    shown = threading.Event()

    def between(index: int) -> None:
        assert taken.acquire(timeout=TIMEOUT)

    window = Viewer(lambda index: shown.set())
    record = RecordingSink(lambda index: waiting(shown))
    run(ScriptedSource(20, live=True, between=between), Echo(1, lambda index: taken.release()), [window, record])
    assert record.indices == list(range(20))


class Repeating(Echo):
    """Its session makes the frame of that number anew when it is woken."""

    def __init__(self, number: int) -> None:
        super().__init__(1)
        self._number = number
        self.wake: Callable[[], None] = lambda: None

    def watch(self, wake: Callable[[], None]) -> None:
        self.wake = wake

    def refresh(self) -> Frame | None:
        return replace(gray(self._number), repeated=True)


class Showing(Viewer):
    """A viewer that belongs to the main thread, as a window does."""

    poll_interval = 0.001

    def poll(self) -> None:
        pass


@pytest.mark.parametrize(("number", "in_page"), [(2, 2), (1, 1)])
def test_a_picture_made_anew_reaches_who_still_shows_it_and_no_recording(number: int, in_page: int) -> None:
    """A window may stand still at an older one; a page has gone on. It counts as no frame."""
    processor, shown = Repeating(number), [threading.Semaphore(0) for _ in range(2)]

    def between(index: int) -> None:
        for one in shown:
            assert one.acquire(timeout=TIMEOUT)
        if index == 2:
            processor.wake()
            assert shown[0].acquire(timeout=TIMEOUT)

    source = ScriptedSource(3, live=True, between=between)
    window, page = Showing(lambda index: shown[0].release()), Viewer(lambda index: shown[1].release())
    recording = RecordingSink()
    report = run(source, processor, [window, page, recording])
    assert window.indices == [0, 1, 2, number]
    assert page.indices == [0, 1, 2, 2][: 2 + in_page]
    assert recording.indices == [0, 1, 2]
    assert [output.frames for output in report.outputs] == [3, 3, 3]


def test_a_sink_hears_the_end_while_another_still_writes() -> None:
    heard = threading.Event()

    class Page(Viewer):
        def end(self) -> None:
            heard.set()

    recording = RecordingSink(lambda index: waiting(heard) if index == 2 else None)
    source = ScriptedSource(3, live=True, between=lambda index: pause(source))
    run(source, Echo(1), [Page(), recording])
    assert recording.calls == ["open", "close"]


# Every error reaches the caller as it was raised.

ERRORS = [SourceError("broken"), ValueError("not ours"), OSError(28, "no room")]


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("at", [0, 12])
@pytest.mark.parametrize("stage", ["source", "processor", "sink", "record"])
def test_the_error_of_any_stage_reaches_the_caller(stage: str, at: int, error: Exception) -> None:
    each = raising(error, at)
    source = ScriptedSource(1000, between=each if stage == "source" else None)
    sink, record = RecordingSink(each if stage == "sink" else None), RecordingSink(each if stage == "record" else None)
    with pytest.raises(type(error)) as caught:
        run(source, Echo(2, each if stage == "processor" else None), [sink, record])
    assert caught.value is error
    assert sink.calls == record.calls == ["open", "abort"]
    assert source.closed == 1
    assert source.stopped.is_set()


def test_an_error_while_opening_a_sink() -> None:
    error = SinkError("will not open")

    class Shut(RecordingSink):
        def open(self, info: StreamInfo) -> None:
            super().open(info)
            raise error

    source, sink, record = ScriptedSource(5), Shut(), RecordingSink()
    with pytest.raises(SinkError) as caught:
        run(source, Echo(), [record, sink])
    assert caught.value is error
    assert sink.calls == record.calls == ["open", "abort"]
    assert (source.delivered, source.closed) == (0, 1)


def test_an_error_while_closing_a_sink() -> None:
    error = SinkError("cannot be finished")

    class Stuck(RecordingSink):
        def close(self) -> None:
            super().close()
            raise error

    source = ScriptedSource(5)
    with pytest.raises(SinkError) as caught:
        run(source, Echo(), Stuck())
    assert caught.value is error
    assert source.closed == 1


def test_an_error_while_preparing_closes_the_source() -> None:
    error = ValueError("no memory for this size")

    class Small(Echo):
        def session(self, info: StreamInfo, format: PixelFormat) -> Session:
            raise error

    source, sink = ScriptedSource(5), RecordingSink()
    with pytest.raises(ValueError, match="no memory") as caught:
        run(source, Small(), sink)
    assert caught.value is error
    assert (source.delivered, source.closed, sink.calls) == (0, 1, [])


def test_an_error_of_progress_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.report.PROGRESS_INTERVAL", 0.0)
    error = BrokenPipeError("nobody reads this")

    def progress(report: Report) -> None:
        raise error

    sink = RecordingSink()
    with pytest.raises(BrokenPipeError) as caught:
        run(ScriptedSource(1000), Echo(), sink, progress=progress)
    assert caught.value is error
    assert sink.calls == ["open", "abort"]


def test_a_failed_run_leaves_a_part_file_and_no_output(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="broken"):
        run(open_source(clip), Echo(1, raising(ValueError("broken"), 4)), open_sink(tmp_path / "out.mp4"))
    assert [path.name for path in tmp_path.iterdir()] == [".out.part.mp4"]


# Some ends are not errors.


@pytest.mark.parametrize("at", [0, 5])
def test_finished_ends_quietly(at: int) -> None:
    source, sink = ScriptedSource(10_000), RecordingSink(raising(StopStreaming(), at))
    report = run(source, Echo(), sink)
    assert sink.indices == list(range(at))
    assert report.frames == at
    assert sink.calls == ["open", "close"]
    assert source.stopped.is_set()
    assert source.delivered < 10_000


def test_finished_finishes_the_recording_too() -> None:
    record = RecordingSink()
    source = ScriptedSource(10_000)
    run(source, Echo(), [RecordingSink(raising(StopStreaming(), 5)), record])
    assert record.calls == ["open", "close"]
    assert record.indices == list(range(len(record.indices)))
    assert len(record.indices) >= 5


@pytest.fixture
def default_interrupt() -> Iterator[None]:
    """SIGINT raises KeyboardInterrupt, also where a shell started the tests with it ignored."""
    standing = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, standing)


def interrupting(at: int) -> Callable[[int], None]:
    """Interrupts at the written frame with that number, whichever of the source's it is."""
    written: list[int] = []

    def each(index: int) -> None:
        written.append(index)
        if len(written) == at + 1:
            signal.raise_signal(signal.SIGINT)

    return each


@pytest.mark.usefixtures("default_interrupt")
def test_ctrl_c_finishes_a_live_recording() -> None:
    source = ScriptedSource(10_000, live=True, between=lambda index: pause(source))
    sink = RecordingSink(interrupting(5))
    with pytest.raises(KeyboardInterrupt):
        run(source, Echo(), sink)
    assert sink.calls == ["open", "close"]
    assert source.closed == 1
    assert source.delivered < 10_000


@pytest.mark.usefixtures("default_interrupt")
def test_ctrl_c_leaves_a_file_unfinished() -> None:
    source, sink = ScriptedSource(10_000), RecordingSink(interrupting(5))
    with pytest.raises(KeyboardInterrupt):
        run(source, Echo(), sink)
    assert sink.calls == ["open", "abort"]
    assert sink.indices[:6] == list(range(6))
    assert source.delivered < 10_000


@pytest.mark.usefixtures("default_interrupt")
def test_ctrl_c_finishes_a_file_early_on_request_and_tells_the_sink_before() -> None:
    class Early(RecordingSink):
        def stop_early(self) -> None:
            self.calls.append("stop early")

    sink = Early(interrupting(5))
    reports: list[Report] = []
    with pytest.raises(KeyboardInterrupt):
        run(ScriptedSource(10_000), Echo(), sink, finish_early=True, progress=reports.append)
    assert sink.calls == ["open", "stop early", "close"]
    assert reports[-1].frames == len(sink.indices)


@pytest.mark.usefixtures("default_interrupt")
def test_ctrl_c_behind_the_last_frame_is_no_early_end() -> None:
    class Early(RecordingSink):
        def stop_early(self) -> None:
            self.calls.append("stop early")

    captured_all = threading.Event()

    class Ending(ScriptedSource):
        def frames(self) -> Iterator[Frame]:
            yield from super().frames()
            captured_all.set()

    def each(index: int) -> None:
        if index == 0:
            waiting(captured_all)
        if index == 2:
            signal.raise_signal(signal.SIGINT)

    sink = Early(each)
    with pytest.raises(KeyboardInterrupt):
        run(Ending(3), Echo(3), sink, finish_early=True)
    assert sink.calls == ["open", "close"]


@pytest.mark.usefixtures("default_interrupt")
def test_a_second_ctrl_c_ends_at_once_and_no_thread_outlives_it() -> None:
    interrupted = threading.Event()

    class Twice(Viewer):
        def write(self, frame: Frame) -> None:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            interrupted.set()

    # The recorder is at work when the interrupts come, and must have ended when the run has.
    record = RecordingSink(lambda index: waiting(interrupted))
    source = ScriptedSource(10_000, live=True, between=lambda index: pause(source))
    with pytest.raises(KeyboardInterrupt):
        run(source, Echo(1), [Twice(), record])
    assert record.calls == ["open", "close"]
    assert source.closed == 1


# Resuming.


@pytest.mark.parametrize("skip", [0, 1, 5, 12])
@pytest.mark.parametrize("batch", [1, 4])
def test_skipped_frames_reach_the_session_and_not_the_sink(skip: int, batch: int) -> None:
    processor, sink = Echo(batch), RecordingSink()
    report = run(ScriptedSource(12), processor, sink, skip=skip)
    assert processor.skipped == list(range(skip))
    assert sink.indices == list(range(skip, 12))
    assert report.frames == report.total == 12 - skip
    assert processor.closed == 1


# Several outputs.


def test_each_output_counts_its_own_frames() -> None:
    taken = threading.Semaphore(0)
    recorded_all = threading.Event()

    def between(index: int) -> None:
        assert taken.acquire(timeout=TIMEOUT)

    record = RecordingSink(lambda index: recorded_all.set() if index == 29 else None)
    window = Viewer(lambda index: waiting(recorded_all))
    source = ScriptedSource(30, live=True, between=between)
    report = run(source, Echo(1, lambda index: taken.release()), [window, record])
    shown, recorded = report.outputs
    assert (recorded.frames, recorded.dropped) == (30, 0)
    assert shown.frames == len(window.indices) < 30
    assert shown.frames + shown.dropped == 30
    assert report.frames == shown.frames
    assert report.dropped == 0


def test_outputs_of_one_name_are_numbered_and_others_are_not() -> None:
    report = run(ScriptedSource(3), Echo(1), [Discard(), RecordingSink(), Discard()])
    assert [output.name for output in report.outputs] == ["nothing", RecordingSink().name, "nothing #2"]
    assert [output.frames for output in report.outputs] == [3, 3, 3]


def test_outputs_are_numbered_whatever_is_in_their_names() -> None:
    sinks = [Discard(), Discard()]
    for sink in sinks:
        sink.name = "cam #1.mkv"
    report = run(ScriptedSource(3), Echo(1), sinks)
    assert [output.name for output in report.outputs] == ["cam #1.mkv", "cam #1.mkv #2"]
    assert [output.frames for output in report.outputs] == [3, 3]


def test_a_name_that_looks_numbered_does_not_meet_a_number() -> None:
    sinks = [Discard(), Discard(), Discard()]
    for sink, name in zip(sinks, ("a", "a", "a #2")):
        sink.name = name
    report = run(ScriptedSource(3), Echo(1), sinks)
    assert len({output.name for output in report.outputs}) == 3
    assert [output.frames for output in report.outputs] == [3, 3, 3]


def test_each_output_gets_its_own_format() -> None:
    yuv = PixelFormat("yuv", 8, (2, 2), full_range=False)

    class Planes(RecordingSink):
        def format_for(self, info: StreamInfo) -> PixelFormat:
            return yuv

        def open(self, info: StreamInfo) -> None:
            super().open(info)
            assert info.format == yuv

        def write(self, frame: Frame) -> None:
            assert frame.format == yuv
            self.pts.append(frame.pts)

    planes, window = Planes(), RecordingSink()
    run(ScriptedSource(4), Echo(), [window, planes])
    assert window.indices == planes.pts == list(range(4))


INTERRUPTED = """
import signal, sys
from realtime.cli.main import main
from realtime.report import RunStats

# A shell that starts the tests in the background has SIGINT ignored, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

add = RunStats.add
count = 0

def telling(self, output, frame):
    global count
    add(self, output, frame)
    count += 1
    if count == 5:
        print("going", flush=True)

RunStats.add = telling
sys.exit(main(sys.argv[1:]))
"""


def test_a_real_ctrl_c_leaves_a_playable_recording(long_clip: Path, weights: Path, tmp_path: Path) -> None:
    target = tmp_path / "recorded.mp4"
    options = ["--weights", str(weights), "--engine", "exact", "--precision", "float32", "--strength", "0", "--json"]
    command = [sys.executable, "-c", INTERRUPTED, "live", str(long_clip), "--no-window", "--record", str(target)]
    with subprocess.Popen(command + options, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "going\n"
            os.kill(process.pid, signal.SIGINT)
            out, err = process.communicate(timeout=100)
        finally:
            process.kill()
    assert process.returncode == 130, err
    assert "interrupted" in err
    assert "Traceback" not in err
    assert json.loads(out)["ok"] is False
    shown = synthetic.read_clip(target)
    assert 5 <= len(shown) < 600
    assert [path.name for path in tmp_path.iterdir()] == ["recorded.mp4"]


# Contracts that a user's own object satisfies with one method.


class Counting(Source):
    def __init__(self) -> None:
        self.info = StreamInfo(6, 4, time_base=Fraction(1, 25))

    def frames(self) -> Iterator[Frame]:
        return map(gray, range(4))


class Adding(Sink):
    total = 0

    def write(self, frame: Frame) -> None:
        self.total += 1


def test_a_source_and_a_sink_with_only_the_required_method() -> None:
    sink = Adding()
    report = run(Counting(), Echo(), sink)
    assert sink.total == report.frames == 4
    assert report.total is None


def test_they_work_with_the_real_enhancer(enhancer: Enhancer) -> None:
    sink = Adding()
    report = run(Counting(), enhancer, sink)
    assert sink.total == 4
    assert (report.engine, report.device, report.precision) == ("exact", "cpu", "float32")


@pytest.mark.parametrize("contract", [Source, Sink])
def test_the_required_method_is_required(contract: type) -> None:
    with pytest.raises(TypeError, match="abstract"):
        contract()


def test_thread_hygiene_sees_a_thread() -> None:
    before = set(threading.enumerate())
    end = threading.Event()
    thread = threading.Thread(target=end.wait, name="forgotten")
    thread.start()
    assert synthetic.left_over(before) == ["forgotten"]
    end.set()
    thread.join()
    assert synthetic.left_over(before) == []


def test_a_camera_that_is_unplugged_leaves_what_it_filmed() -> None:
    error = SourceError("camera 0 stopped delivering pictures")
    record = RecordingSink()
    with pytest.raises(SourceError) as caught:
        run(ScriptedSource(10, live=True, between=raising(error, 6)), Echo(1), [RecordingSink(), record])
    assert caught.value is error
    assert record.calls == ["open", "close"]
    assert record.indices


def test_a_window_lives_between_slow_frames() -> None:
    idled = threading.Event()

    class Pulsing(RecordingSink):
        poll_interval = 0.01

        def poll(self) -> None:
            idled.set()

    # The second frame comes only after the sink was given something to do without one.
    sink = Pulsing()
    run(ScriptedSource(2, live=True, between=lambda index: waiting(idled)), Echo(1), sink)
    assert sink.indices == [0, 1]


def test_q_is_noticed_between_slow_frames() -> None:
    class Closing(RecordingSink):
        poll_interval = 0.01

        def poll(self) -> None:
            raise StopStreaming

    source = ScriptedSource(10_000, live=True, between=lambda index: waiting(source.stopped))
    run(source, Echo(1), Closing())
    assert source.delivered <= 2
