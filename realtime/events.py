"""What happens to a running stream, as values that listeners get: for a window, a page, ``--json-lines`` and logs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from typing import Any, Literal

EventKind = Literal[
    "opened", "first_picture", "lost", "reconnected", "gave_up", "engine_loading", "engine_changed", "engine_failed",
    "dropped", "snapshot",
    "recording_started", "recording_finished", "output_failed", "closed",
]  # fmt: skip


@dataclass(frozen=True)
class Event:
    """Something that happened: its kind, the moment (UTC, ISO 8601) and what belongs to it, as JSON values."""

    kind: EventKind
    details: Mapping[str, Any] = field(default_factory=dict)
    time: str = field(default_factory=lambda: datetime.now(timezone.utc).isoformat(timespec="milliseconds"))

    def as_json(self) -> dict[str, Any]:
        """The event as one flat JSON object."""
        about = asdict(self)
        return {"event": about["kind"], "time": about["time"], **about["details"]}


class EventBus:
    """Passes events to its listeners, in the thread that publishes. Safe between threads; holds no history."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: tuple[Callable[[Event], None], ...] = ()

    def subscribe(self, listener: Callable[[Event], None]) -> None:
        """Calls `listener` with every event from now on. It must return soon: capture may be waiting."""
        with self._lock:
            self._listeners += (listener,)

    def publish(self, kind: EventKind, **details: Any) -> None:
        """Tells all listeners."""
        event = Event(kind, details)
        for listener in self._listeners:
            listener(event)


@dataclass(frozen=True)
class LinkState:
    """Whether frames of a live source arrive: `connected`, and a sentence for the viewer while they do not."""

    connected: bool = True
    message: str = ""


class Link:
    """The `LinkState` of a live source, which the source writes and viewers read."""

    def __init__(self) -> None:
        self.state = LinkState()

    def lost(self, message: str) -> None:
        """No frames arrive; `message` says why and what happens next."""
        self.state = LinkState(False, message)

    def restored(self) -> None:
        """Frames arrive again."""
        self.state = LinkState()
