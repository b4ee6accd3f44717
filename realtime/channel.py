"""A bounded hand-off between two threads.

Waiting or dropping is decided here and nowhere else: a channel either makes the producer wait (files) or evicts
its oldest item to take the newest (live), and counts what it evicted.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


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
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Items that were evicted so far."""
        return self._dropped

    def put(self, item: T) -> None:
        """Hands `item` on. Raises `Cancelled` once the channel is closed or cancelled."""
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

    def take(self, limit: int = 1, patience: float | None = None) -> list[T] | None:
        """Waits for one item and answers it with what else is already there, at most `limit`, oldest first.

        An empty list says that the channel was closed and is drained, None that nothing came within `patience`
        seconds. Raises `Cancelled` after `cancel`.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._items or self._closed, patience):
                return None
            if self._cancelled:
                raise Cancelled
            taken = [self._items.popleft() for _ in range(min(limit, len(self._items)))]
            self._changed.notify_all()
            return taken

    def close(self) -> None:
        """No more items will come; those inside can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def cancel(self) -> None:
        """Discards what is inside and wakes both sides."""
        with self._changed:
            self._closed = self._cancelled = True
            self._items.clear()
            self._changed.notify_all()
