"""Timestamps that rise, whatever the file says."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import islice
from statistics import median_low
from typing import Any

#: A step back by more than this many seconds is a clock that starts anew, not a reordering.
MAX_STEP_BACK = Fraction(1, 5)
#: Nor is a step ahead by more than this, in seconds: no muxer writes a file of years.
MAX_STEP_AHEAD = 24 * 3600
#: Ticks that a packet may last: muxers have 31 bits for them.
LONGEST_DURATION = (1 << 31) - 1
#: Seconds by which the distance of a packet's two times may differ from that of the packets around it.
MAX_DISTANCE = 10
#: Frames by which reordering may move a frame.
MAX_REORDERED = 17
#: Packets around it that are compared.
COMPARED_PACKETS = 31


def writable_duration(duration: int, time_base: Fraction, written_base: Fraction, sparse: bool = False) -> int:
    """A duration in ticks of `time_base`, or where a muxer could not write it in ticks of `written_base`: 0, which is
    unknown, since only a damaged table says so, or among `sparse` subtitles the longest one."""
    longest = int(LONGEST_DURATION * written_base / time_base)
    return duration if 0 <= duration <= longest else longest if sparse and duration > 0 else 0


class TimestampFixer:
    """Makes the timestamps of one stream rise; `repaired` counts those it had to change.

    A missing timestamp follows the one before by that one's duration; one that is not later than the one before is
    moved behind it; a step back of more than `MAX_STEP_BACK` seconds, or ahead of more than `MAX_STEP_AHEAD`, shifts
    all that follow. `strictly` for pictures: no two may have the same time.
    """

    def __init__(self, time_base: Fraction, step: int = 1, strictly: bool = True, sparse: bool = False) -> None:
        """`step` is the usual time from one to the next, in `time_base`; `sparse` for subtitles and the like, which may
        pause for days."""
        self._max_step_back = int(MAX_STEP_BACK / time_base) + 1
        self._max_step_ahead = float("inf") if sparse else MAX_STEP_AHEAD / time_base
        self._step, self._least = max(step, 1), 1 if strictly else 0
        self._last: int | None = None
        self._shift = 0
        self.repaired = 0

    def fix(self, pts: int | None, duration: int = 0) -> int:
        """The timestamp to use for `pts`, None for one that is missing."""
        time = None if pts is None else pts + self._shift
        if self._last is None:
            time = 0 if time is None else time
        elif time is None:
            time, self.repaired = self._last + self._step, self.repaired + 1
        elif time < self._last + self._least or time - self._last > self._max_step_ahead:
            restarts = time > self._last or self._last - time > self._max_step_back
            following = self._last + (self._step if restarts else 1)
            if restarts:
                self._shift += following - time
            time, self.repaired = following, self.repaired + 1
        self._last = time
        self._step = duration or self._step
        return time


class FarPtsFixer:
    """Finds packets whose presentation time is far from their decoding time, unlike in the packets before, and replaces
    it by what the decoding time and those packets predict. `repaired` counts them.

    Where a recording pauses, or has a frame every few seconds, presentation times are far ahead as well: there decoding
    times reach them within a few packets, or the stream ends, at `end` in seconds.
    """

    def __init__(self, packets: Iterable[Any], end: Fraction | None = None, read_ahead: bool = True) -> None:
        """`packets` are the first ones of the stream, from which the usual distance is learnt. Without `read_ahead`, as
        it takes time, there is no pause."""
        self._distances = deque((p.pts - p.dts for p in packets if _is_timed(p)), maxlen=COMPARED_PACKETS)
        self._steps: deque[int] = deque(maxlen=COMPARED_PACKETS)
        self._end, self._read_ahead = end, read_ahead
        self._last_dts: int | None = None
        self.repaired = 0

    def fixed(self, packets: Iterator[Any]) -> Iterator[Any]:
        """The packets of the stream, with ``packet.pts`` changed where it must."""
        ahead: deque[Any] = deque()
        while (packet := ahead.popleft() if ahead else next(packets, None)) is not None:
            if not _is_timed(packet):
                yield packet
                continue
            distance, usual = packet.pts - packet.dts, median_low(self._distances or (packet.pts - packet.dts,))
            limit = max(MAX_DISTANCE / packet.time_base, Fraction(MAX_REORDERED * median_low(self._steps or (0,))))
            dts_jumps = self._last_dts is not None and abs(packet.dts - self._last_dts) > limit
            early, late = distance < min(usual, 0) - limit, distance > usual + limit
            if (early or late) and not dts_jumps:
                if self._read_ahead:
                    ahead.extend(islice(packets, COMPARED_PACKETS - len(ahead)))
                if early or not self._is_reached(packet, ahead, limit):
                    packet.pts = packet.dts + usual
                    self.repaired += 1
            self._distances.append(distance)
            self._steps.append(0 if self._last_dts is None else packet.dts - self._last_dts)
            self._last_dts = packet.dts
            yield packet

    def _is_reached(self, packet: Any, following: Sequence[Any], limit: Fraction) -> bool:
        """Whether the `following` packets get to the time at which one is shown."""
        if any(_is_timed(other) and abs(other.dts - packet.pts) <= limit for other in following):
            return True
        ends = len(following) < COMPARED_PACKETS
        return ends and self._end is not None and packet.pts <= self._end / packet.time_base + limit


def _is_timed(packet: Any) -> bool:
    return bool(packet.size) and packet.pts is not None and packet.dts is not None
