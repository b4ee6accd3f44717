"""Threads that end together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

from realtime.channel import Cancelled


class Crew:
    """Runs stages in threads; leaving the ``with`` block joins them all and raises the first failure as it was.

    The first stage that fails calls every one of `cancels`, so that no other stage waits for ever. A stage that
    ends by `Cancelled` ended because another did, and is not a failure.
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

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._fail(error)
        for thread in self._threads:
            thread.join()
        if self._failure is not None and self._failure is not error:
            raise self._failure
