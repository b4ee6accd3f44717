"""Timestamps that rise, whatever the file says."""

from __future__ import annotations

from fractions import Fraction

#: A step back by more than this many seconds is a clock that starts anew, not a reordering.
MAX_STEP_BACK = 1


class TimestampFixer:
    """Makes the timestamps of one stream rise; `repaired` counts those it had to change.

    A missing timestamp follows the one before by that one's duration; one that is not later than the one before is
    moved behind it; a step back of more than `MAX_STEP_BACK` seconds shifts all that follow. `strictly` for pictures:
    no two may have the same time.
    """

    def __init__(self, time_base: Fraction, step: int = 1, strictly: bool = True) -> None:
        """`step` is the usual time from one to the next, in `time_base`."""
        self._max_step_back = int(MAX_STEP_BACK / time_base) + 1
        self._step, self._least = max(step, 1), 1 if strictly else 0
        self._last: int | None = None
        self._shift = 0
        self.repaired = 0

    def fix(self, pts: int | None, duration: int = 0, other: int | None = None) -> int:
        """The timestamp to use for `pts`. `other` is the packet's second clock, used where `pts` is far from it."""
        if pts is not None and other is not None and abs(pts - other) > 10 * self._max_step_back:
            pts, self.repaired = other, self.repaired + 1
        time = None if pts is None else pts + self._shift
        if self._last is None:
            time = 0 if time is None else time
        elif time is None:
            time, self.repaired = self._last + self._step, self.repaired + 1
        elif time < self._last + self._least:
            restarts = self._last - time > self._max_step_back
            following = self._last + (self._step if restarts else 1)
            if restarts:
                self._shift += following - time
            time, self.repaired = following, self.repaired + 1
        self._last = time
        self._step = duration or self._step
        return time
