"""A recording that starts, stops and changes files while the stream runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import pytest
from doubles import RecordingSink, gray, index_of

from realtime import Frame, Sink, SinkError, StreamInfo
from realtime.events import Event
from realtime.sinks.recording import Recording, dated_path


class Files:
    """Makes recording sinks and remembers them."""

    def __init__(self, *failing: int) -> None:
        self.sinks: list[RecordingSink] = []
        self._failing = failing

    def __call__(self, number: int) -> tuple[Path, Sink]:
        sink = FullDisk() if len(self.sinks) in self._failing else RecordingSink()
        self.sinks.append(sink)
        return Path(f"{len(self.sinks)}.mkv"), sink


class FullDisk(RecordingSink):
    def write(self, frame: Frame) -> None:
        raise SinkError("no space left on device")


def opened(recording: Recording) -> list[Event]:
    heard: list[Event] = []
    info = StreamInfo(6, 4, live=True)
    info.events.subscribe(heard.append)
    recording.open(info)
    return heard


def test_one_file_from_start_to_stop() -> None:
    files = Files()
    recording = Recording(files)
    heard = opened(recording)
    for index in range(5):
        recording.write(gray(index))
    recording.close()
    assert [sink.indices for sink in files.sinks] == [[0, 1, 2, 3, 4]]
    assert files.sinks[0].calls == ["open", "close"]
    assert [event.kind for event in heard] == ["recording_started", "recording_finished"]


def test_a_new_file_every_so_often_each_from_zero_and_no_frame_twice() -> None:
    files = Files()
    recording = Recording(files, every=0.4)
    opened(recording)
    for index in range(25):
        recording.write(gray(index))
    recording.close()
    assert [sink.indices for sink in files.sinks] == [list(range(0, 10)), list(range(10, 20)), list(range(20, 25))]
    assert [sink.pts[0] for sink in files.sinks] == [0, 0, 0]
    assert all(sink.calls == ["open", "close"] for sink in files.sinks)


def test_it_starts_and_stops_on_request() -> None:
    files = Files()
    recording = Recording(files, active=False)
    opened(recording)
    for index in range(9):
        if index in (2, 4, 6):
            recording.toggle()
        recording.write(gray(index))
    recording.close()
    assert [sink.indices for sink in files.sinks] == [[2, 3], [6, 7, 8]]


def test_a_full_disk_ends_the_recording_and_not_the_stream() -> None:
    files = Files(0)
    recording = Recording(files)
    heard = opened(recording)
    for index in range(3):
        recording.write(gray(index))
    assert not recording.active
    assert [event.kind for event in heard] == ["recording_started", "output_failed"]
    recording.toggle()
    recording.write(gray(3))
    recording.close()
    assert files.sinks[-1].indices == [3]


def test_the_format_is_asked_of_the_file() -> None:
    assert Recording(Files()).format_for(StreamInfo(6, 4)) == RecordingSink().format_for(StreamInfo(6, 4))


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_names_say_when_the_file_began_and_replace_nothing(tmp_path: Path, taken: int) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5)
    names = []
    for _ in range(taken + 1):
        path = dated_path(tmp_path, ".mkv", lambda: moment)
        path.touch()
        names.append(path.name)
    assert names == ["2026-01-02_03-04-05.mkv", "2026-01-02_03-04-05_2.mkv", "2026-01-02_03-04-05_3.mkv"][: taken + 1]


def test_frames_lose_their_original_on_the_way_to_the_file() -> None:
    seen: list[Frame] = []

    class Watching(RecordingSink):
        def write(self, frame: Frame) -> None:
            seen.append(frame)

    recording = Recording(lambda number: (Path("a.mkv"), Watching()))
    opened(recording)
    from dataclasses import replace

    recording.write(replace(gray(1), original=gray(2)))
    assert seen[0].original is None
    assert index_of(seen[0]) == 1


def test_frames_that_arrive_together_get_times_that_a_file_can_tell_apart() -> None:
    files = Files()
    recording = Recording(files)
    opened(recording)
    for index, pts in enumerate([7000, 7001, 7002, 7900]):
        recording.write(replace(gray(index), pts=pts, time_base=Fraction(1, 90_000)))
    recording.close()
    assert files.sinks[0].pts == [0, 90, 180, 900]


def test_a_file_that_cannot_be_finished_is_a_failure_and_no_error() -> None:
    files = Files()
    recording = Recording(files)
    heard = opened(recording)
    recording.write(gray(0))
    failure = SinkError("no space left on device")

    def close() -> None:
        raise failure

    files.sinks[0].close = close  # type: ignore[method-assign]
    recording.close()
    assert recording.failure is failure
    assert [event.kind for event in heard] == ["recording_started", "output_failed"]
