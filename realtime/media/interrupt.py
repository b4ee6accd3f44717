"""Ends libav's blocking calls from another thread: a camera that sends nothing must not hold the program up.

PyAV offers time limits for opening and reading, but no way to end a call that is waiting. Its interrupt callback, which
libav calls some ten times a second in the waiting thread, compares ``time.monotonic()`` with the limit. `Interrupt`
gives PyAV's module a clock that runs far ahead in a thread whose call shall end, and is the usual one in all others.
Short time limits would not do: they end calls in the middle of a packet, after which libav takes an HTTP stream for
ended and loses its position in an RTSP stream.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from realtime.media.libav import av

#: Seconds, more than any time limit.
FAR = 1e6


class Interrupt:
    """A request to end the libav calls within `watch`, for one thread that makes them."""

    def __init__(self) -> None:
        self.requested = threading.Event()
        self._deadline: float | None = None
        self._ahead = 0.0

    @contextmanager
    def watch(self, seconds: float | None = None) -> Iterator[None]:
        """Calls of this thread within the block end, with an error of PyAV, when `requested` is set or after `seconds`
        in all."""
        _use_clock()
        self._deadline = None if seconds is None else time.monotonic() + seconds
        thread = threading.get_ident()
        _watched[thread] = self
        try:
            yield
        finally:
            del _watched[thread]

    def clock(self) -> float:
        """Seconds for the watched thread: far ahead once its calls shall end, and further each time, since a limit may
        itself be set by this clock."""
        if self.requested.is_set() or self.is_late:
            self._ahead += FAR
        return time.monotonic() + self._ahead

    @property
    def is_late(self) -> bool:
        """Whether the seconds of the last `watch` are over."""
        return self._deadline is not None and time.monotonic() > self._deadline


class _Time:
    """Stands for the module ``time`` in PyAV's module."""

    def monotonic(self) -> float:
        interrupt = _watched.get(threading.get_ident())
        return time.monotonic() if interrupt is None else interrupt.clock()

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


_watched: dict[int, Interrupt] = {}


def _use_clock() -> None:
    if not isinstance(av.container.core.time, _Time):
        av.container.core.time = _Time()
