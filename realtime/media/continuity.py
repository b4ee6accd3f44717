"""Gaps in time: frames and packets of sound that are missing where a stream goes on at its own rate, and what all
streams of a file lack at once.

A camera may pause picture or sound. A gap in both at one moment, or of a few seconds in the sound, is a loss.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from realtime.media.libav import av

#: Gaps that are longer than this, in seconds, are looked at where a stream has no rate of its own.
MIN_GAP = 0.1
#: Where the sound alone is missing for longer than this, it was turned off, in seconds.
MAX_SOUND_GAP = 5.0
#: A longer gap in seconds is a clock that jumps.
MAX_GAP = 60.0
#: A stream has a rate of its own if at most these shares of its steps are no multiple of the usual one, or longer.
MAX_IRREGULAR, MAX_LONGER = 0.01, 0.03
#: By how much a step may differ from a multiple of the usual one: a share of it, or ticks of the clock.
TOLERANCE, TICKS = 0.1, 2
#: Fewer packets have no rate.
MIN_PACKETS = 20


@dataclass(frozen=True)
class Gap:
    """Something is missing from `begin` to `end`, in seconds: `count` frames or packets at the stream's usual rate."""

    begin: float
    end: float
    count: int

    @property
    def length(self) -> float:
        return self.end - self.begin

    def overlaps(self, others: list[Gap]) -> bool:
        """Whether something is missing at the same time in `others`."""
        return any(min(self.end, other.end) > max(self.begin, other.begin) for other in others)


@dataclass
class _Stream:
    """The presentation times of a stream's packets, in ticks of `time_base` seconds."""

    time_base: Fraction
    is_video: bool
    times: array[int] = field(default_factory=lambda: array("q"))

    def gaps(self) -> tuple[list[Gap], bool]:
        """Its gaps, and whether it has a rate of its own, to which they are compared."""
        times = np.unique(np.frombuffer(self.times, np.int64))
        steps = np.diff(times)
        if not len(steps):
            return [], False
        median = float(np.median(steps))
        step = float(steps[steps < 1.5 * median].mean())
        multiples = np.maximum(np.rint(steps / step), 1)
        irregular = np.abs(steps - multiples * step) > np.maximum(TOLERANCE * step, TICKS)
        longer = (multiples > 1) & ~irregular
        limits = MAX_IRREGULAR * len(steps), MAX_LONGER * len(steps)
        regular = len(times) >= MIN_PACKETS and irregular.sum() <= limits[0] and longer.sum() <= max(limits[1], 1)
        tick = float(self.time_base)
        found = np.flatnonzero(multiples > 1 if regular else (steps - step) * tick > MIN_GAP)
        found = found[found > 0]  # the first packet of sound may come early: it fills the decoder
        gaps = [Gap((float(times[i]) + step) * tick, float(times[i + 1]) * tick, int(multiples[i]) - 1) for i in found]
        return gaps, bool(regular)


class ContinuityCheck:
    """Follows the times of picture and sound.

    `alone`: whether a gap in one stream counts, since nothing else in the file tells of missing packets. `sound_gaps`:
    whether those of sound without a rate of its own do.
    """

    def __init__(self, alone: bool, sound_gaps: bool) -> None:
        self._alone, self._sound_gaps = alone, sound_gaps
        self._streams: dict[int, _Stream] = {}

    def add(self, packet: av.Packet, is_video: bool) -> None:
        """Takes the next packet of a stream of picture or sound."""
        time = packet.pts if packet.pts is not None else packet.dts
        index = packet.stream.index
        if index not in self._streams:
            self._streams[index] = _Stream(packet.time_base, is_video)
        self._streams[index].times.append(time)

    def missing(self) -> tuple[list[Gap], list[Gap]]:
        """Gaps of the picture, and of the sound while pictures go on or nothing else tells."""
        found = [(stream.is_video, *stream.gaps()) for stream in self._streams.values()]
        video = next(((gaps, regular) for is_video, gaps, regular in found if is_video), ([], False))
        sound = [(gaps, regular) for is_video, gaps, regular in found if not is_video]
        pictures, regular = video
        if not (self._alone and regular):
            shared = [gap for gap in pictures if sound and all(gap.overlaps(gaps) for gaps, _ in sound)]
            pictures = [gap for gap in shared if gap.length > MIN_GAP]
        silent = [gap for gaps, regular in sound for gap in gaps if self._is_lost(gap, regular, video[0])]
        return pictures, silent

    def _is_lost(self, gap: Gap, regular: bool, pictures: list[Gap]) -> bool:
        if gap.length > MAX_SOUND_GAP:
            return False
        if self._alone and regular:
            return True
        return self._sound_gaps and gap.length > MIN_GAP and not gap.overlaps(pictures)
