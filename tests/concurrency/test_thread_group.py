"""Threads that end together, and whose failure it is that comes out."""

# ruff: noqa: PT012 (how a block ends is what these tests are about)
from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from realtime.channel import Cancelled, Channel
from realtime.crew import ThreadGroup

PATIENCE = 20


def failing(error: BaseException) -> Callable[[], None]:
    def stage() -> None:
        raise error

    return stage


def test_all_stages_run_and_are_joined() -> None:
    seen: list[str] = []
    with ThreadGroup() as crew:
        crew.start("one", lambda: seen.append(threading.current_thread().name))
        crew.start("two", lambda: seen.append(threading.current_thread().name))
        crew.run(lambda: seen.append(threading.current_thread().name))
    assert sorted(seen) == sorted(["realtime-one", "realtime-two", threading.current_thread().name])


def test_threads_are_not_daemons() -> None:
    daemons: list[bool] = []
    with ThreadGroup() as crew:
        crew.start("one", lambda: daemons.append(threading.current_thread().daemon))
    assert daemons == [False]


@pytest.mark.parametrize("error", [ValueError("no"), KeyError("key"), SystemExit(3)], ids=lambda e: type(e).__name__)
def test_a_failure_comes_out_as_it_was(error: BaseException) -> None:
    cause = OSError("below")
    error.__cause__ = cause
    with pytest.raises(type(error)) as caught, ThreadGroup() as crew:
        crew.start("bad", failing(error))
    assert caught.value is error
    assert caught.value.__cause__ is cause


def test_the_first_failure_wins() -> None:
    first, second = ValueError("first"), ValueError("second")
    told = threading.Event()

    def late() -> None:
        assert told.wait(PATIENCE)
        raise second

    with pytest.raises(ValueError, match="first") as caught, ThreadGroup(told.set) as crew:
        crew.start("late", late)
        crew.start("early", failing(first))
    assert caught.value is first


def test_a_failure_cancels_the_others_and_their_end_is_none() -> None:
    channel = Channel[int](1)
    error = RuntimeError("the reader broke")
    with pytest.raises(RuntimeError) as caught, ThreadGroup(channel.cancel) as crew:
        crew.start("waits", lambda: print(channel.take()))
        crew.start("breaks", failing(error))
    assert caught.value is error


def test_every_cancel_is_called() -> None:
    called: list[str] = []
    with (
        pytest.raises(ValueError, match="broken"),
        ThreadGroup(lambda: called.append("a"), lambda: called.append("b")) as crew,
    ):
        crew.start("bad", failing(ValueError("broken")))
    assert called == ["a", "b"]


def test_cancelled_is_no_failure() -> None:
    called: list[str] = []
    with ThreadGroup(lambda: called.append("cancel")) as crew:
        crew.start("ends", failing(Cancelled()))
        crew.run(failing(Cancelled()))
    assert called == []


def test_a_failure_in_the_calling_thread_ends_the_others() -> None:
    channel = Channel[int](1)
    error = ValueError("of the writer")
    with pytest.raises(ValueError, match="of the writer") as caught, ThreadGroup(channel.cancel) as crew:
        crew.start("waits", lambda: print(channel.take()))
        crew.run(failing(error))
    assert caught.value is error


@pytest.mark.parametrize("inside", [True, False], ids=["in a stage", "in the block"])
def test_keyboard_interrupt_in_the_calling_thread(inside: bool) -> None:
    channel = Channel[int](1)
    error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt) as caught, ThreadGroup(channel.cancel) as crew:
        crew.start("waits", lambda: print(channel.take()))
        if inside:
            crew.run(failing(error))
        else:
            raise error
    assert caught.value is error


def test_the_error_of_the_block_does_not_hide_the_first_failure() -> None:
    first, told = ValueError("first"), threading.Event()
    with pytest.raises(ValueError, match="first") as caught, ThreadGroup(told.set) as crew:
        crew.start("bad", failing(first))
        assert told.wait(PATIENCE)
        raise RuntimeError("afterwards")
    assert caught.value is first
