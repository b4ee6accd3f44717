"""Ctrl-C as a request to end well."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def on_interrupt(stop: Callable[[], None]) -> Iterator[None]:
    """Turns the first SIGINT into a call of `stop`; KeyboardInterrupt is raised when the block has ended.

    A second one raises at once. Outside the main thread, or where somebody else handles the signal, nothing changes.
    """
    standing = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or standing is not signal.default_int_handler:
        yield
        return
    interrupted = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        signal.signal(signal.SIGINT, standing)
        stop()

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, standing)
    if interrupted:
        raise KeyboardInterrupt
