"""Interrupts as a request to end well."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from realtime.concurrency import on_interrupt

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture(autouse=True)
def default_handlers() -> Iterator[None]:
    """The handlers that the program starts with, which a test runner may have replaced."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def nothing() -> None:
    pass


def test_nothing_happens_without_a_signal() -> None:
    called: list[str] = []
    with on_interrupt(lambda: called.append("stop"), lambda: called.append("cancel")) as interrupted:
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    assert called == []
    assert not interrupted()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_stops_and_the_block_goes_on(number: int) -> None:
    steps: list[str] = []
    with on_interrupt(lambda: steps.append("stop"), lambda: steps.append("cancel")) as interrupted:
        signal.raise_signal(number)
        steps.append("rest of the block")
    assert steps == ["stop", "rest of the block"]
    assert interrupted()
    assert signal.getsignal(number) is signal.default_int_handler


def test_further_signals_cancel_and_raise_nothing() -> None:
    steps: list[str] = []
    with on_interrupt(lambda: steps.append("stop"), lambda: steps.append("cancel")):
        for number in SIGNALS:
            signal.raise_signal(number)
        steps.append("rest of the block")
    assert steps == ["stop", "cancel", "cancel", "rest of the block"]


def test_an_error_of_the_block_stays_what_it_is() -> None:
    with pytest.raises(ValueError, match="mine"), on_interrupt(nothing, nothing):
        raise ValueError("mine")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_somebody_elses_handler_stays() -> None:
    heard: list[int] = []

    def theirs(number: int, frame: object) -> None:
        heard.append(number)

    signal.signal(signal.SIGINT, theirs)
    with on_interrupt(lambda: heard.append(-1), lambda: heard.append(-2)) as interrupted:
        assert signal.getsignal(signal.SIGINT) is theirs
        signal.raise_signal(signal.SIGINT)
    assert heard == [signal.SIGINT]
    assert not interrupted()


def test_outside_the_main_thread_nothing_changes() -> None:
    seen: list[object] = []

    def task() -> None:
        with on_interrupt(nothing, nothing):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=task)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]
