"""Doing less when a live stream comes faster than this machine is, and more again when it can."""

from __future__ import annotations

#: Shares of the frame interval that enhancing may take: above the first is too slow, below the second leaves room.
BUSY, FREE = 0.85, 0.5
#: Weight of the newest frame in the running mean: about ten frames.
NEWEST_WEIGHT = 0.1
#: Seconds between two steps down, and of calm before the first step up.
DOWN_INTERVAL, UP_DELAY = 0.5, 3.0
#: A step up that had to be taken back makes the next one wait twice as long, up to this.
MAX_UP_DELAY = 60.0


class Governor:
    """Chooses the level to work at, 0 being the best picture, by how long the frames took. No clock of its own.

    Stepping down is quick, because frames are being lost; stepping up waits for calm, and longer each time it failed,
    so that the picture does not swing between two levels.
    """

    def __init__(self, interval: float, levels: int) -> None:
        """`interval` is the seconds between frames, `levels` how many there are."""
        self.level = self.lowest = self.changes = 0
        self._interval, self._levels = interval, levels
        self._load = 0.0
        self._up_delay, self._since, self._calm = UP_DELAY, DOWN_INTERVAL, 0.0
        self._tried = False

    def note(self, waited: float, took: float) -> int:
        """The level after one more frame, which `waited` so many seconds before it was begun and `took` so many."""
        self._since += self._interval
        # A frame that had to wait for longer than an interval says the same as one that took too long.
        load = max(took, waited) / self._interval
        self._load += NEWEST_WEIGHT * (load - self._load)
        self._calm = self._calm + self._interval if self._load < FREE else 0.0
        if self._load > BUSY and self.level < self._levels - 1 and self._since >= DOWN_INTERVAL:
            if self._tried and self._since < self._up_delay:
                self._up_delay = min(2 * self._up_delay, MAX_UP_DELAY)
            self._step(+1)
        elif self.level > 0 and self._calm >= self._up_delay:
            self._step(-1)
        return self.level

    def describe(self) -> dict[str, int]:
        """The level now, the lowest picture there was, and how often it changed."""
        return {"level": self.level, "lowest": self.lowest, "changes": self.changes}

    def _step(self, by: int) -> None:
        self.level += by
        self.lowest = max(self.lowest, self.level)
        self.changes += 1
        self._tried = by < 0
        self._since = self._calm = 0.0
        # What was measured belongs to the level before.
        self._load = (BUSY + FREE) / 2
