"""A live source that is lost and comes back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from time import perf_counter

import numpy as np
import pytest
from doubles import index_of

from realtime import Frame, Source, SourceError, StreamInfo
from realtime.errors import SourceLost
from realtime.events import Event
from realtime.sound import SoundPacket, SoundRelay
from realtime.sources import reconnecting
from realtime.sources.reaching import LONGEST_REASON
from realtime.sources.reconnecting import Reconnecting

TIMEOUT = 20


class Connection(Source):
    """Delivers frames at the given moments (seconds) and then fails, or ends."""

    def __init__(
        self, moments: list[float], first: int = 0, error: Exception | None = None, size: tuple[int, int] = (6, 4),
        time_base: Fraction = Fraction(1, 25), forever: bool = False, times: list[int] | None = None,
    ) -> None:  # fmt: skip
        self.info = StreamInfo(*size, time_base=time_base, live=True, name="camera")
        self._moments, self._first, self._error, self._forever = moments, first, error, forever
        self._times = times or list(range(len(moments)))
        self.stopped = threading.Event()
        self.closed = 0

    def frames(self) -> Iterator[Frame]:
        for index, moment in enumerate(self._moments):
            value = 20 + 6 * (self._first + index)
            picture = np.full((self.info.height, self.info.width, 3), value, np.uint8)
            self.latest = Frame((picture,), pts=self._times[index], time_base=self.info.time_base, captured_at=moment)
            yield self.latest
        if self._forever:
            assert self.stopped.wait(TIMEOUT)
        elif self._error is not None:
            raise self._error

    def stop(self) -> None:
        self.stopped.set()

    def close(self) -> None:
        self.closed += 1


def connecting(*attempts: Connection | Exception) -> Callable[[], Source]:
    """Each call answers or raises the next of `attempts`."""
    left = iter(attempts)

    def connect() -> Source:
        attempt = next(left)
        if isinstance(attempt, Exception):
            raise attempt
        return attempt

    return connect


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconnecting, "PAUSES", (0.001,))
    monkeypatch.setattr(reconnecting, "LONGEST_PAUSE", 0.002)


def take(source: Reconnecting, count: int) -> list[Frame]:
    frames = []
    for frame in source.frames():
        frames.append(frame)
        if len(frames) == count:
            source.stop()
    return frames


def test_a_source_that_ends_without_an_error_has_ended() -> None:
    ended = Connection([100.0, 100.04])
    source = Reconnecting(connecting(ended))
    assert len(list(source.frames())) == 2
    assert source.info.link.state.connected


def test_frames_go_on_after_a_loss_with_the_time_that_passed() -> None:
    lost = Connection([100.0, 100.04], error=SourceError("unplugged"))
    again = Connection([103.04, 103.08], first=2, forever=True)
    source = Reconnecting(connecting(lost, SourceError("still gone"), SourceError("still gone"), again))
    frames = take(source, 4)
    source.close()
    assert [index_of(frame) for frame in frames] == [0, 1, 2, 3]
    # Three seconds without frames are 75 frames' time.
    assert [frame.pts for frame in frames] == [0, 1, 76, 77]
    assert (lost.closed, again.closed) == (1, 1)


def test_another_time_base_and_size_are_brought_to_the_first() -> None:
    lost = Connection([10.0], error=SourceError("cut"))
    again = Connection([12.0, 12.04], size=(12, 8), time_base=Fraction(1, 50), forever=True)
    source = Reconnecting(connecting(lost, again))
    frames = take(source, 3)
    source.close()
    assert [(frame.width, frame.height) for frame in frames] == [(6, 4)] * 3
    assert [frame.time_base for frame in frames] == [Fraction(1, 25)] * 3
    assert frames[1].pts == 50


@pytest.mark.parametrize("jump", [90_000, -1000], ids=["on", "back"])
def test_a_clock_that_jumps_makes_no_gap_in_the_picture_or_the_sound(jump: int) -> None:
    """An hour on, and 40 seconds back; a frame that is late by three seconds is no jump."""
    sound = SoundRelay(None)
    moments = [100.0, 100.04, 100.08, 100.12, 103.16]
    jumping = Connection(moments, forever=True, times=[2000, 2001, 2002 + jump, 2003 + jump, 2004 + jump])
    jumping.info = replace(jumping.info, sound=sound)
    source = Reconnecting(connecting(jumping))
    frames = []
    for frame in source.frames():
        frames.append(frame)
        sound.put(SoundPacket(b"", jumping.latest.pts * Fraction(1, 25), Fraction(1, 25)))
        if len(frames) == len(moments):
            source.stop()
    source.close()
    assert [frame.pts for frame in frames] == [2000, 2001, 2002, 2003, 2004]
    assert [packet.seconds * 25 for packet in sound.take_until(Fraction(10**6))] == [2000, 2001, 2002, 2003, 2004]
    assert source.info.diagnostics.warnings == ("the camera's clock jumps; times go on without the jump",)


def test_events_and_the_link_say_what_happens() -> None:
    lost, again = Connection([1.0], error=SourceError("unplugged")), Connection([2.0], forever=True)
    source = Reconnecting(connecting(lost, SourceError("not yet"), again))
    heard: list[Event] = []
    states: list[bool] = []

    def listen(event: Event) -> None:
        heard.append(event)
        states.append(source.info.link.state.connected)

    source.info.events.subscribe(listen)
    take(source, 2)
    source.close()
    assert [event.kind for event in heard] == ["opened", "lost", "reconnected"]
    assert heard[1].details["reason"] == "unplugged"
    assert source.info.link.state.connected


LONG = "camera cannot be read as video: there is a long story to tell about it, and no picture has room for it; do this"


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("camera broke off: nothing came for 5 s", "nothing came for 5 s\n"),
        ("camera is not there or in use; 'realtime cameras' lists what is", "is not there or in use\n"),
        (
            "camera cannot be reached: the connection is refused, nothing serves at that port",
            "the connection is refused\n",
        ),
        (LONG.replace(",", ""), ""),
    ],
)
def test_a_viewer_is_told_in_few_words_and_the_terminal_all(reason: str, shown: str) -> None:
    lost = Connection([perf_counter()], error=SourceError(reason))
    told: list[str] = []

    def connect() -> Source:
        if told:
            told.append(source.info.link.state.message)
            source.stop()
            raise SourceError("gone")
        told.append("")
        return lost

    source = Reconnecting(connect)
    heard: list[str] = []
    source.info.diagnostics.subscribe(lambda message: heard.append(message.text))
    list(source.frames())
    assert not source.info.link.state.connected
    assert told[1] == f"The source is lost\n{shown}trying again ..."
    assert all(len(line) <= LONGEST_REASON for line in told[1].splitlines())
    assert heard == [reason]


def test_it_gives_up_after_the_time_that_was_given() -> None:
    lost = Connection([perf_counter()], error=SourceError("unplugged"))
    source = Reconnecting(connecting(lost, *[SourceError("gone")] * 999), 0.1)
    with pytest.raises(SourceLost, match=r"camera is lost and did not come back within 0\.1 s: gone"):
        list(source.frames())


def test_a_source_that_is_not_there_at_first_is_an_error_at_once() -> None:
    with pytest.raises(SourceError, match="nobody"):
        Reconnecting(connecting(SourceError("nobody there")))


def test_stop_ends_the_wait_for_the_next_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconnecting, "PAUSES", (3600.0,))
    lost = Connection([1.0], error=SourceError("unplugged"))
    source = Reconnecting(connecting(lost))
    told = threading.Event()
    source.info.events.subscribe(lambda event: told.set() if event.kind == "lost" else None)
    got: list[Frame] = []
    thread = threading.Thread(target=lambda: got.extend(source.frames()))
    thread.start()
    assert told.wait(TIMEOUT)
    source.stop()
    thread.join(TIMEOUT)
    assert not thread.is_alive()
    assert len(got) == 1


def test_stop_reaches_the_open_connection() -> None:
    connection = Connection([1.0], forever=True)
    source = Reconnecting(connecting(connection))
    frames = source.frames()
    next(frames)
    source.stop()
    assert list(frames) == []
    assert connection.stopped.is_set()


def test_information_is_that_of_the_first_connection() -> None:
    connection = Connection([1.0])
    connection.info = replace(connection.info, rate=Fraction(25))
    assert Reconnecting(connecting(connection)).info == connection.info
