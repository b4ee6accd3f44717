"""Threads that end together, and whose failure it is that comes out."""

# ruff: noqa: PT012 (how a block ends is what these tests are about)
from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from realtime.concurrency import Cancelled, Channel, ThreadGroup

TIMEOUT = 20


def failing(error: BaseException) -> Callable[[], None]:
    def stage() -> None:
        raise error

    return stage


def test_all_stages_run_and_are_joined() -> None:
    seen: list[str] = []
    with ThreadGroup() as group:
        group.start("one", lambda: seen.append(threading.current_thread().name))
        group.start("two", lambda: seen.append(threading.current_thread().name))
        group.run(lambda: seen.append(threading.current_thread().name))
    assert sorted(seen) == sorted(["realtime-one", "realtime-two", threading.current_thread().name])


def test_threads_are_not_daemons() -> None:
    daemons: list[bool] = []
    with ThreadGroup() as group:
        group.start("one", lambda: daemons.append(threading.current_thread().daemon))
    assert daemons == [False]


@pytest.mark.parametrize("error", [ValueError("no"), KeyError("key"), SystemExit(3)], ids=lambda e: type(e).__name__)
def test_a_failure_comes_out_as_it_was(error: BaseException) -> None:
    cause = OSError("below")
    error.__cause__ = cause
    with pytest.raises(type(error)) as caught, ThreadGroup() as group:
        group.start("bad", failing(error))
    assert caught.value is error
    assert caught.value.__cause__ is cause


def test_the_first_failure_wins() -> None:
    first, second = ValueError("first"), ValueError("second")
    failed = threading.Event()

    def late() -> None:
        assert failed.wait(TIMEOUT)
        raise second

    with pytest.raises(ValueError, match="first") as caught, ThreadGroup(failed.set) as group:
        group.start("late", late)
        group.start("early", failing(first))
    assert caught.value is first


def test_a_failure_cancels_the_others_and_their_end_is_none() -> None:
    channel = Channel[int](1)
    error = RuntimeError("the reader broke")
    with pytest.raises(RuntimeError) as caught, ThreadGroup(channel.cancel) as group:
        group.start("waits", lambda: print(channel.take()))
        group.start("breaks", failing(error))
    assert caught.value is error


def test_every_cancel_is_called() -> None:
    called: list[str] = []
    with (
        pytest.raises(ValueError, match="broken"),
        ThreadGroup(lambda: called.append("a"), lambda: called.append("b")) as group,
    ):
        group.start("bad", failing(ValueError("broken")))
    assert called == ["a", "b"]


def test_cancelled_is_no_failure() -> None:
    called: list[str] = []
    with ThreadGroup(lambda: called.append("cancel")) as group:
        group.start("ends", failing(Cancelled()))
        group.run(failing(Cancelled()))
    assert called == []


def test_a_failure_in_the_calling_thread_ends_the_others() -> None:
    channel = Channel[int](1)
    error = ValueError("of the writer")
    with pytest.raises(ValueError, match="of the writer") as caught, ThreadGroup(channel.cancel) as group:
        group.start("waits", lambda: print(channel.take()))
        group.run(failing(error))
    assert caught.value is error


@pytest.mark.parametrize("inside", [True, False], ids=["in a stage", "in the block"])
def test_keyboard_interrupt_in_the_calling_thread(inside: bool) -> None:
    channel = Channel[int](1)
    error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt) as caught, ThreadGroup(channel.cancel) as group:
        group.start("waits", lambda: print(channel.take()))
        if inside:
            group.run(failing(error))
        else:
            raise error
    assert caught.value is error


def test_the_error_of_the_block_does_not_hide_the_first_failure() -> None:
    first, failed = ValueError("first"), threading.Event()
    with pytest.raises(ValueError, match="first") as caught, ThreadGroup(failed.set) as group:
        group.start("bad", failing(first))
        assert failed.wait(TIMEOUT)
        raise RuntimeError("afterwards")
    assert caught.value is first


def test_an_interrupt_during_the_join_cancels_and_still_joins() -> None:
    """A second Ctrl-C must not leave the block while a thread still works."""
    channel = Channel[int](1)
    finished = threading.Event()

    def interrupts_then_finishes() -> None:
        try:
            channel.take()
        finally:
            finished.set()

    group = ThreadGroup(channel.cancel)
    group.start("works", interrupts_then_finishes)
    thread = group._threads[0]
    join = thread.join
    calls: list[int] = []

    def interrupted_join() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt
        join()

    thread.join = interrupted_join  # type: ignore[method-assign, assignment]
    with pytest.raises(KeyboardInterrupt), group:
        pass
    assert finished.is_set()
    assert not thread.is_alive()
