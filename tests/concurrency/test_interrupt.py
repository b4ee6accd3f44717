"""Ctrl-C as a request to end well."""

# ruff: noqa: PT012 (how a block ends is what these tests are about)
from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from realtime.interrupt import on_interrupt


@pytest.fixture(autouse=True)
def default_handler() -> Iterator[None]:
    """The handler that programs start with, which a test runner may have replaced."""
    standing = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, standing)


def test_nothing_happens_without_a_signal() -> None:
    called: list[str] = []
    with on_interrupt(lambda: called.append("stop")):
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    assert called == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_block_goes_on_and_the_interrupt_comes_after_it() -> None:
    steps: list[str] = []
    with pytest.raises(KeyboardInterrupt), on_interrupt(lambda: steps.append("stop")):
        signal.raise_signal(signal.SIGINT)
        steps.append("rest of the block")
    assert steps == ["stop", "rest of the block"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_signal_raises_at_once() -> None:
    steps: list[str] = []
    with pytest.raises(KeyboardInterrupt), on_interrupt(lambda: steps.append("stop")):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        steps.append("never")
    assert steps == ["stop"]


def test_an_error_of_the_block_stays_what_it_is() -> None:
    with pytest.raises(ValueError, match="mine"), on_interrupt(lambda: None):
        signal.raise_signal(signal.SIGINT)
        raise ValueError("mine")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_somebody_elses_handler_stays() -> None:
    heard: list[int] = []

    def theirs(number: int, frame: object) -> None:
        heard.append(number)

    signal.signal(signal.SIGINT, theirs)
    with on_interrupt(lambda: heard.append(-1)):
        assert signal.getsignal(signal.SIGINT) is theirs
        signal.raise_signal(signal.SIGINT)
    assert heard == [signal.SIGINT]


def test_outside_the_main_thread_nothing_changes() -> None:
    seen: list[object] = []

    def task() -> None:
        with on_interrupt(lambda: None):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=task)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]
