"""Engines that are loaded in the background: a live picture goes on with the present one meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from realtime.concurrency import LOADER
from realtime.enhance.computing import Computing


@dataclass(frozen=True)
class Loaded:
    """What came of loading the engine that was `asked` for: None if it is at work already, or why it cannot be."""

    asked: str
    computing: Computing | None
    failure: Exception | None = None


class EngineLoader:
    """Makes what `make` returns for the engine that was asked for last, in a thread, and calls `ready` then.

    Loading cannot be cut short: what nobody waits for any more is loaded and forgotten. Whoever closes does not wait
    for the thread, which `LOADER` names.
    """

    def __init__(self, make: Callable[[str], Computing | None], ready: Callable[[], None]) -> None:
        self._make, self._ready = make, ready
        self._lock = threading.Lock()
        self._asked: str | None = None
        self._loaded: Loaded | None = None
        self._thread: threading.Thread | None = None

    @property
    def asked(self) -> str | None:
        """The engine that is being loaded, or that waits to be taken."""
        return self._asked

    def load(self, asked: str) -> Loaded:
        """Loads in the calling thread."""
        try:
            return Loaded(asked, self._make(asked))
        except Exception as error:  # also that of a library; the present engine goes on
            return Loaded(asked, None, error)

    def ask(self, asked: str) -> None:
        """Loads in the background."""
        with self._lock:
            self._asked, self._loaded = asked, None
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=LOADER)
                self._thread.start()

    def take(self) -> Loaded | None:
        """What has been loaded, once."""
        with self._lock:
            loaded, self._loaded = self._loaded, None
            if loaded is not None:
                self._asked = None
            return loaded

    def forget(self) -> None:
        """Nobody waits any more."""
        with self._lock:
            self._asked = self._loaded = None

    def join(self) -> None:
        """Waits for the thread."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while True:
            with self._lock:
                asked = self._asked
                if asked is None or self._loaded is not None:
                    self._thread = None
                    return
            loaded = self.load(asked)
            with self._lock:
                if self._asked == asked:
                    self._loaded = loaded
            self._ready()
