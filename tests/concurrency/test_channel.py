"""The channel: as a state machine without threads, and then what only threads can show."""

from __future__ import annotations

import threading

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from realtime.concurrency import Cancelled, Channel

#: Long enough for any machine; a test that waits so long has failed.
TIMEOUT = 20


class ChannelMachine(RuleBasedStateMachine):
    """A channel against a list that does the same; nothing is called that would wait."""

    @initialize(limit=st.integers(1, 5), evict=st.booleans())
    def begin(self, limit: int, evict: bool) -> None:
        self.channel = Channel[int](limit, evict)
        self.limit, self.evict = limit, evict
        self.inside: list[int] = []
        self.put_count = self.taken_count = self.evicted = self.discarded = 0
        self.newest_taken = -1
        self.closed = self.cancelled = False

    @precondition(lambda self: not self.closed and (self.evict or len(self.inside) < self.limit))
    @rule()
    def put(self) -> None:
        self.channel.put(self.put_count)
        self.inside.append(self.put_count)
        self.put_count += 1
        if len(self.inside) > self.limit:
            self.inside.pop(0)
            self.evicted += 1

    @precondition(lambda self: self.closed)
    @rule()
    def put_after_the_end(self) -> None:
        with pytest.raises(Cancelled):
            self.channel.put(-1)

    @precondition(lambda self: not self.cancelled and (self.inside or self.closed))
    @rule(limit=st.integers(1, 7))
    def take(self, limit: int) -> None:
        taken = self.channel.take(limit)
        assert taken == self.inside[:limit]
        assert all(item > self.newest_taken for item in taken)
        self.newest_taken = max([self.newest_taken, *taken])
        del self.inside[:limit]
        self.taken_count += len(taken)

    @precondition(lambda self: self.cancelled)
    @rule()
    def take_after_cancel(self) -> None:
        with pytest.raises(Cancelled):
            self.channel.take()

    @precondition(lambda self: not self.closed)
    @rule()
    def close(self) -> None:
        self.channel.close()
        self.closed = True

    @rule()
    def cancel(self) -> None:
        self.channel.cancel()
        self.closed = self.cancelled = True
        self.discarded += len(self.inside)
        self.inside.clear()

    @invariant()
    def nothing_is_lost_uncounted(self) -> None:
        assert self.channel.dropped == self.evicted
        assert self.taken_count + self.channel.dropped + len(self.inside) + self.discarded == self.put_count
        assert len(self.inside) <= self.limit


TestChannel = pytest.mark.filterwarnings("default")(ChannelMachine.TestCase)
TestChannel.settings = settings(max_examples=60, stateful_step_count=30)


def in_thread(task: object) -> threading.Thread:
    assert callable(task)
    thread = threading.Thread(target=task)
    thread.start()
    return thread


@pytest.mark.parametrize("limit", [0, -1])
def test_a_channel_has_room(limit: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Channel[int](limit)


def test_producer_and_consumer_lose_nothing_and_keep_order() -> None:
    channel = Channel[int](3)

    def produce() -> None:
        for item in range(500):
            channel.put(item)
        channel.close()

    thread = in_thread(produce)
    got: list[int] = []
    while items := channel.take(4):
        assert len(items) <= 3
        got += items
    thread.join(TIMEOUT)
    assert got == list(range(500))
    assert channel.dropped == 0


def test_put_waits_for_room() -> None:
    channel = Channel[str](1)
    channel.put("first")
    steps: list[str] = []
    done = threading.Event()

    def produce() -> None:
        channel.put("second")
        steps.append("put")
        done.set()

    thread = in_thread(produce)
    steps.append("take")
    assert channel.take() == ["first"]
    assert done.wait(TIMEOUT)
    thread.join(TIMEOUT)
    assert channel.take() == ["second"]
    assert steps == ["take", "put"]


def test_take_waits_for_an_item() -> None:
    channel = Channel[int](2)
    got: list[list[int] | None] = []
    thread = in_thread(lambda: got.append(channel.take(2)))
    channel.put(1)
    thread.join(TIMEOUT)
    assert got == [[1]]


def test_eviction_never_waits_and_keeps_the_newest() -> None:
    channel = Channel[int](2, evict=True)
    for item in range(10):
        channel.put(item)
    assert channel.take(5) == [8, 9]
    assert channel.dropped == 8


def test_close_lets_what_is_inside_out() -> None:
    channel = Channel[int](3)
    channel.put(1)
    channel.put(2)
    channel.close()
    assert channel.take() == [1]
    assert channel.take(5) == [2]
    assert channel.take() == []
    assert channel.take() == []


@pytest.mark.parametrize("end", ["close", "cancel"])
def test_the_end_wakes_a_waiting_producer(end: str) -> None:
    channel = Channel[int](1)
    channel.put(0)
    ended: list[type[BaseException]] = []

    def produce() -> None:
        try:
            channel.put(1)
        except Cancelled as reason:
            ended.append(type(reason))

    thread = in_thread(produce)
    getattr(channel, end)()
    thread.join(TIMEOUT)
    assert not thread.is_alive()
    assert ended == [Cancelled]


def test_cancel_wakes_a_waiting_consumer() -> None:
    channel = Channel[int](1)
    ended: list[type[BaseException]] = []

    def consume() -> None:
        try:
            channel.take()
        except Cancelled as reason:
            ended.append(type(reason))

    thread = in_thread(consume)
    channel.cancel()
    thread.join(TIMEOUT)
    assert not thread.is_alive()
    assert ended == [Cancelled]


def test_close_wakes_a_waiting_consumer_with_nothing() -> None:
    channel = Channel[int](1)
    got: list[list[int] | None] = []
    thread = in_thread(lambda: got.append(channel.take()))
    channel.close()
    thread.join(TIMEOUT)
    assert got == [[]]


def test_cancel_discards() -> None:
    channel = Channel[int](2)
    channel.put(1)
    channel.cancel()
    with pytest.raises(Cancelled):
        channel.take()


def test_patience_ends() -> None:
    channel: Channel[int] = Channel(1)
    assert channel.take(1, timeout=0.01) is None
    channel.put(7)
    assert channel.take(1, timeout=0.01) == [7]
    channel.close()
    assert channel.take(1, timeout=0.01) == []


def test_waking_returns_nothing_once_whatever_is_inside() -> None:
    channel = Channel[int](2)
    channel.put(1)
    channel.wake()
    assert channel.take() is None
    assert channel.take() == [1]
    channel.close()
    channel.wake()
    assert channel.take() == []


def test_one_who_waits_is_woken() -> None:
    channel = Channel[int](1)
    taken: list[object] = []
    thread = threading.Thread(target=lambda: taken.append(channel.take()))
    thread.start()
    channel.wake()
    thread.join(TIMEOUT)
    assert taken == [None]
