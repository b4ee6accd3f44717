"""What a user changes while a stream runs: one small value that the session reads between frames.

Keys, the page and other remote controls write it from their own threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from realtime.config import EXPOSURE_STOPS, parse_exposure
from realtime.errors import SettingError

#: What is left to play of a file after seeking to its end: lengths are rounded, and behind the last frame is nothing.
LAST_SECONDS = 0.1


@dataclass(frozen=True)
class ControlState:
    """`enhanced` False passes frames through. `strength` 0..1, `exposure` and `engine` as in `EnhanceOptions`;
    `exposure_bias` is added to a metered exposure, in stops. Raises SettingError for values out of range."""

    enhanced: bool = True
    strength: float = 1.0
    exposure: str | float | None = None
    exposure_bias: float = 0.0
    engine: str = "auto"

    def __post_init__(self) -> None:
        if not 0.0 <= self.strength <= 1.0:
            raise SettingError(f"strength {self.strength} is outside 0..1")
        if not -6.0 <= self.exposure_bias <= 6.0:
            raise SettingError(f"exposure bias {self.exposure_bias} is outside -6..6 stops")
        parse_exposure(self.exposure)

    @property
    def exposure_text(self) -> str:
        """The exposure in a word: ``off``, a fixed number such as ``2.5 EV``, or what is added to a metered one."""
        if self.exposure in (None, "auto", "scene"):
            return f"{self.exposure_bias:+.1f} stops"
        return "off" if self.exposure == "off" else f"{float(self.exposure or 0):.1f} EV"

    def with_exposure(self, step: float) -> ControlState:
        """Exposed by `step` stops more. A metered exposure gets a bias, a fixed one becomes another; up from ``off`` is
        0 EV, and down from there ``off``."""
        if self.exposure in (None, "auto", "scene"):
            return replace(self, exposure_bias=min(max(self.exposure_bias + step, -6.0), 6.0))
        if self.exposure == "off":
            return replace(self, exposure=0.0) if step > 0 else self
        stops = float(self.exposure or 0) + step
        return replace(self, exposure="off" if stops < 0 else min(stops, EXPOSURE_STOPS[1]))


class Standing(Enum):
    """Whether the picture stands still: NO, or because the SOURCE is paused, or because the viewer stays at a PICTURE
    while the source goes on."""

    NO = 0
    SOURCE = 1
    PICTURE = 2


class Control:
    """A `ControlState` that several threads may read and replace, and whether the picture stands still: then the
    session makes it anew whenever something changes."""

    def __init__(self, state: ControlState | None = None) -> None:
        self._lock = threading.Lock()
        self._state = state or ControlState()
        self._standing = Standing.NO
        self._listeners: tuple[Callable[[], None], ...] = ()

    @property
    def state(self) -> ControlState:
        """The value now; it does not change under the reader."""
        return self._state

    def update(self, **changes: Any) -> ControlState:
        """Replaces some fields and returns the new value. Raises SettingError; then nothing changed."""
        with self._lock:
            self._state = state = replace(self._state, **changes)
        self.wake()
        return state

    @property
    def standing(self) -> Standing:
        """Whether the picture stands still."""
        return self._standing

    def hold(self, standing: Standing) -> None:
        """Says that the picture stands still from now on, or with NO that it goes on."""
        self._standing = standing
        self.wake()

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Calls `listener` after each change, in the thread that made it. It must return at once."""
        with self._lock:
            self._listeners += (listener,)

    def unsubscribe(self, listener: Callable[[], None]) -> None:
        """Does not call `listener` any more."""
        with self._lock:
            self._listeners = tuple(one for one in self._listeners if one != listener)

    def wake(self) -> None:
        """Tells the listeners that something has changed."""
        for listener in self._listeners:
            listener()


class Playback:
    """Where a file plays, for a viewer that pauses and seeks; safe between threads. Times in seconds of the file.

    The viewer writes `paused` and calls `seek`; the source reads them and reports `position` and `length`.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._paused = False
        self._target: float | None = None
        self.position = 0.0
        self.length: float | None = None

    @property
    def paused(self) -> bool:
        """Whether the file stands still."""
        return self._paused

    @paused.setter
    def paused(self, value: bool) -> None:
        with self._changed:
            self._paused = value
            self._changed.notify_all()

    def seek(self, seconds: float) -> None:
        """Asks for the frame at that moment, within the file: `LAST_SECONDS` of it are left at least."""
        with self._changed:
            last = seconds if self.length is None else self.length - LAST_SECONDS
            self._target = max(0.0, min(seconds, last))
            self._changed.notify_all()

    def take_target(self) -> float | None:
        """The moment that was asked for since the last call, or None."""
        with self._changed:
            target, self._target = self._target, None
            return target

    def wait_while_paused(self, stopped: Callable[[], bool]) -> None:
        """Returns when the file is not paused, when a moment was asked for, or `wake` finds that it `stopped`."""
        with self._changed:
            self._changed.wait_for(lambda: not self._paused or self._target is not None or stopped())

    def wake(self) -> None:
        """Makes `wait_while_paused` look again."""
        with self._changed:
            self._changed.notify_all()
