"""A file that plays at its own pace, is paused, sought in and looped."""

from __future__ import annotations

import ctypes
import gc
import resource
import threading
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import pytest
import synthetic
from doubles import gray, index_of

from realtime import Frame, Source, StreamInfo
from realtime.control import Playback
from realtime.sources import playback as module
from realtime.sources.playback import PlayedFile
from realtime.sources.registry import open_source

TIMEOUT = 20
RATE = 25


class FakeFile(Source):
    """Frames 0..count-1, one every 1/25 s, from a moment on; times count from that moment, as `VideoFile`'s do."""

    opened: list[float | None]

    def __init__(self, start: float | None, count: int = 10, times: list[int] | None = None) -> None:
        self._first, self._count, self._times = round((start or 0) * RATE), count, times
        self.info = StreamInfo(
            6, 4, time_base=Fraction(1, RATE), rate=Fraction(RATE), frames=count, seconds=count / RATE
        )
        self.closed = 0

    def frames(self) -> Iterator[Frame]:
        for index in range(self._first, self._count):
            pts = self._times[index] if self._times else index - self._first
            frame = gray(index)
            yield Frame(frame.planes, pts=pts, time_base=Fraction(1, RATE))

    def close(self) -> None:
        self.closed += 1


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files play as fast as they can, so that no test takes time."""
    monkeypatch.setattr(threading.Event, "wait", lambda self, timeout=None: self.is_set())


def test_it_is_live_and_ends_at_its_end() -> None:
    source = PlayedFile(FakeFile)
    frames = list(source.frames())
    assert source.info.live
    assert [index_of(frame) for frame in frames] == list(range(10))
    assert [frame.pts for frame in frames] == list(range(10))
    assert all(frame.captured_at for frame in frames)
    assert source.playback.length == 0.4


def test_a_loop_starts_over_with_rising_times() -> None:
    source = PlayedFile(FakeFile, loop=True)
    frames = []
    for frame in source.frames():
        frames.append(frame)
        if len(frames) == 25:
            source.stop()
    assert [index_of(frame) for frame in frames] == [*range(10), *range(10), *range(5)]
    assert [frame.pts for frame in frames] == list(range(25))
    assert source.info.frames is None


def test_seeking_goes_there_and_times_still_rise() -> None:
    playback = Playback()
    source = PlayedFile(FakeFile, playback)
    frames = []
    for frame in source.frames():
        frames.append(frame)
        if len(frames) == 3:
            playback.seek(0.28)
        elif len(frames) == 5:
            playback.seek(0.04)
        elif len(frames) == 7:
            source.stop()
    assert [index_of(frame) for frame in frames] == [0, 1, 2, 7, 8, 1, 2]
    assert [frame.pts for frame in frames] == list(range(7))
    assert playback.position == pytest.approx(2 / RATE)


def test_a_paused_file_stands_still_until_it_goes_on() -> None:
    playback = Playback()
    source = PlayedFile(FakeFile, playback)
    got: list[int] = []
    third = threading.Semaphore(0)

    def play() -> None:
        for frame in source.frames():
            got.append(index_of(frame))
            if len(got) == 3:
                playback.paused = True
                third.release()

    thread = threading.Thread(target=play)
    thread.start()
    assert third.acquire(timeout=TIMEOUT)
    assert got == [0, 1, 2]
    playback.paused = False
    thread.join(TIMEOUT)
    assert got == list(range(10))


def test_seeking_while_paused_shows_the_frame_there() -> None:
    playback = Playback()
    source = PlayedFile(FakeFile, playback)
    got: list[int] = []
    for frame in source.frames():
        got.append(index_of(frame))
        playback.paused = True
        if len(got) == 1:
            playback.seek(0.2)
        else:
            source.stop()
    assert got == [0, 5]


def test_stop_ends_a_pause() -> None:
    playback = Playback()
    source = PlayedFile(FakeFile, playback)
    first = threading.Semaphore(0)

    def play() -> None:
        for _ in source.frames():
            playback.paused = True
            first.release()

    thread = threading.Thread(target=play)
    thread.start()
    assert first.acquire(timeout=TIMEOUT)
    source.stop()
    thread.join(TIMEOUT)
    assert not thread.is_alive()


def test_a_jump_of_times_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    def wait(self: threading.Event, timeout: float | None = None) -> bool:
        waited.append(timeout or 0.0)
        return False

    monkeypatch.setattr(threading.Event, "wait", wait)
    times = [0, 1, 2, 1_000_000, 1_000_001, 1_000_002, 1_000_003, 1_000_004, 1_000_005, 1_000_006]
    source = PlayedFile(lambda start: FakeFile(start, times=times))
    assert len(list(source.frames())) == 10
    assert max(waited) <= module.LONGEST_WAIT
    assert any("jump" in warning for warning in source.info.diagnostics.warnings)


def test_each_opened_file_is_closed() -> None:
    files: list[FakeFile] = []

    def open_at(start: float | None) -> Source:
        files.append(FakeFile(start))
        return files[-1]

    playback = Playback()
    source = PlayedFile(open_at, playback)
    for index, _ in enumerate(source.frames()):
        if index == 2:
            playback.seek(0.3)
    source.close()
    assert [file.closed for file in files] == [1, 1]


def test_the_sound_of_a_file_is_handed_on_over_a_loop(clip_with_sound: Path) -> None:
    source = open_source(clip_with_sound, paced=True, loop=True)
    assert source.info.sound is not None
    with source:
        frames = list(islice(source.frames(), 2 * synthetic.COUNT))
        sound = source.info.sound.take_until(Fraction(60))
    moments = [packet.seconds for packet in sound]
    assert moments == sorted(moments)
    length = synthetic.COUNT / 25
    first = [moment for moment in moments if moment < length]
    again = [moment for moment in moments if moment >= length]
    assert first
    assert again
    assert float(again[0]) == pytest.approx(length, abs=0.03)
    assert frames[-1].seconds < float(moments[-1]) + 0.1


def test_seeking_behind_the_end_of_a_file_shows_its_last_moment(tmp_path: Path) -> None:
    playback = Playback()
    clip = synthetic.clip(tmp_path / "clip.mp4", count=30)
    seen: list[int] = []
    with open_source(clip, paced=True, playback=playback) as source:
        for frame in source.frames():
            if not seen:
                playback.seek(3600.0)
            seen.append(synthetic.index_at(float(frame.planes[0].mean())))
    assert seen[0] == 0
    assert seen[1:] == list(range(seen[1], 30))
    assert 26 <= seen[1] <= 29


def test_a_file_that_is_opened_again_and_again_leaks_nothing(tmp_path: Path) -> None:
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except AttributeError:
        pytest.skip("freed memory can be told from kept memory with glibc only")
    path = synthetic.clip(tmp_path / "a.mp4", 320, 240)

    def megabytes_after(openings: int) -> float:
        for _ in range(openings):
            with open_source(path) as source:
                assert len(list(source.frames())) == synthetic.COUNT
        gc.collect()
        trim(0)
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6

    # What a single frame holds is 0.1 MB, so that one that is kept at each opening would be 20.
    before = megabytes_after(20)
    assert megabytes_after(200) - before < 4
