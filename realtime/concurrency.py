"""Threads that hand frames on: a bounded channel, a group of threads that ends together, and the interrupt.

Waiting or dropping is decided in `Channel` and nowhere else: a full channel either makes the producer wait (files) or
evicts its oldest item (live), and counts what it evicted.
"""

from __future__ import annotations

import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")

#: The name of a thread that loads a library, which cannot be cut short: a program that ends does not wait for it.
LOADER = "realtime-load"


class Cancelled(Exception):
    """The channel was cancelled: there is nobody to give to, or nothing more to come."""


class Channel(Generic[T]):
    """A queue of at most `limit` items for one producer and one consumer.

    With ``evict=True`` a `put` into a full channel discards the oldest item instead of waiting; `dropped` counts them.
    """

    def __init__(self, limit: int, evict: bool = False) -> None:
        if limit < 1:
            raise ValueError(f"a channel holds at least 1 item, not {limit}")
        self._limit = limit
        self._evict = evict
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._cancelled = False
        self._woken = False
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Items that were evicted so far."""
        return self._dropped

    def put(self, item: T) -> None:
        """Appends `item`. Raises `Cancelled` once the channel is closed or cancelled."""
        with self._changed:
            while len(self._items) >= self._limit and not self._evict and not self._closed:
                self._changed.wait()
            if self._closed:
                raise Cancelled
            if len(self._items) >= self._limit:
                self._items.popleft()
                self._dropped += 1
            self._items.append(item)
            self._changed.notify_all()

    def take(self, limit: int = 1, timeout: float | None = None) -> list[T] | None:
        """Waits for one item and returns it with what else is already there, at most `limit`, oldest first.

        Returns an empty list when the channel is closed and drained, None when nothing came within `timeout`
        seconds, or it was woken. Raises `Cancelled` after `cancel`.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._items or self._closed or self._woken, timeout):
                return None
            if self._cancelled:
                raise Cancelled
            if self._woken and not (self._closed and not self._items):
                self._woken = False
                return None
            taken = [self._items.popleft() for _ in range(min(limit, len(self._items)))]
            self._changed.notify_all()
            return taken

    def wake(self) -> None:
        """Makes one `take`, the one that waits or the next, return None, whatever is inside."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def close(self, discard: bool = False) -> None:
        """No more items will come; those inside can still be taken, or with `discard` are thrown away."""
        with self._changed:
            self._closed = True
            if discard:
                self._items.clear()
            self._changed.notify_all()

    def cancel(self) -> None:
        """Discards what is inside and makes `put` and `take` raise `Cancelled`."""
        with self._changed:
            self._closed = self._cancelled = True
            self._items.clear()
            self._changed.notify_all()


class ThreadGroup:
    """Runs stages in threads; leaving the ``with`` block joins them all and raises the first failure as it was.

    The first stage that fails calls every one of `cancels`, so that no other stage waits for ever. A stage that
    ends by `Cancelled` ended because another did, and is not a failure. An exception that arrives during the join, such
    as KeyboardInterrupt, cancels as well and is raised after the join: no thread outlives the block.
    """

    def __init__(self, *cancels: Callable[[], None]) -> None:
        self._cancels = cancels
        self._threads: list[threading.Thread] = []
        self._failure: BaseException | None = None
        self._lock = threading.Lock()

    def start(self, name: str, stage: Callable[[], None]) -> None:
        """Runs `stage` in a thread of its own."""
        thread = threading.Thread(target=self.run, args=(stage,), name=f"realtime-{name}")
        self._threads.append(thread)
        thread.start()

    def run(self, stage: Callable[[], None]) -> None:
        """Runs `stage` in the calling thread, under the same rules."""
        try:
            stage()
        except Cancelled:
            pass
        except BaseException as failure:
            self._fail(failure)

    def _fail(self, failure: BaseException) -> None:
        with self._lock:
            if self._failure is None:
                self._failure = failure
        for cancel in self._cancels:
            cancel()

    def __enter__(self) -> ThreadGroup:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._fail(error)
        while self._threads:
            try:
                self._threads[-1].join()
                self._threads.pop()
            except BaseException as interrupt:
                self._fail(interrupt)
        if self._failure is not None and self._failure is not error:
            raise self._failure


@contextmanager
def on_interrupt(stop: Callable[[], None], cancel: Callable[[], None]) -> Iterator[Callable[[], bool]]:
    """Turns the first interrupt within the block into a call of `stop`, and each further one into a call of `cancel`.

    Yields a function that says whether there was one. Signals that raise KeyboardInterrupt now (SIGINT by default,
    others where the program has set ``signal.default_int_handler`` for them) are covered. Nothing is raised in the
    block: that it ends is up to `stop` and `cancel`. Outside the main thread nothing changes.
    """
    caught = threading.Event()
    replaced: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        (cancel if caught.is_set() else stop)()
        caught.set()

    if threading.current_thread() is threading.main_thread():
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None and signal.getsignal(number) is signal.default_int_handler:
                signal.signal(number, handle)
                replaced.append(number)
    try:
        yield caught.is_set
    finally:
        for number in replaced:
            signal.signal(number, signal.default_int_handler)
