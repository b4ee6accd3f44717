"""Where a network stream is joined, and when its pictures are due.

A stream is joined at a key frame and at the present: what libav or the server had collected before is decoded and not
shown. A stream that is fetched (HLS, a file on a web server) gives its pictures as fast as they are asked for, and one
that is sent may come in bursts: both are shown by their timestamps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from time import perf_counter

from realtime.diagnostics import Diagnostics
from realtime.media.libav import av

#: Seconds of a stream after which it is taken to have no key frames, as with intra refresh.
LONGEST_KEY_INTERVAL = 20.0
#: The present is reached when reading blocks: `MOST` of the `NEWEST` packets took longer than `WAITED` of a frame's
#: duration. A single one may do so because the program itself was held up.
WAITED, MOST, NEWEST = 0.5, 3, 5
#: Seconds of a frame whose packets have no duration. Seconds that skipping to the present may take.
USUAL_DURATION, LONGEST_BACKLOG = 0.02, 3.0


class Joining:
    """Takes the packets of `stream`; `at_present` turns true when what had been collected before has been read."""

    def __init__(self, stream: av.stream.Stream, diagnostics: Diagnostics) -> None:
        self._stream, self._diagnostics = stream, diagnostics
        self.at_present = False

    def packets(self, packets: Iterator[av.Packet]) -> Iterator[av.Packet]:
        """The packets from the first key frame on; those of other streams all."""
        began = asked = perf_counter()
        waited: deque[bool] = deque(maxlen=NEWEST)
        joined = False
        first: float | None = None
        for packet in packets:
            now = perf_counter()
            if packet.stream.index != self._stream.index or not packet.size:
                yield packet
                continue
            duration = float((packet.duration or 0) * packet.time_base) or USUAL_DURATION
            waited.append(now - asked > WAITED * duration)
            self.at_present |= sum(waited) >= MOST or now - began > LONGEST_BACKLOG
            if not joined:
                seconds = None if packet.dts is None else float(packet.dts * packet.time_base)
                first = seconds if first is None else first
                passed = 0.0 if seconds is None or first is None else seconds - first
                joined = packet.is_keyframe or passed > LONGEST_KEY_INTERVAL
                if not joined:
                    self._diagnostics.info("joined between two key frames; the picture begins with the next one")
            if joined:
                yield packet
            asked = perf_counter()


#: Lateness in seconds that is a burst and no noise; so many within `BURST_WINDOW` seconds switch the buffer on.
BURST, BURSTS, BURST_WINDOW = 0.15, 3, 20.0
#: Seconds from the start that do not count: loading libraries holds this program up as bursts would.
WARM_UP = 10.0
#: Most seconds that pictures are held back. A larger jump of timestamps sets the clock anew.
LONGEST_DELAY, LONGEST_JUMP = 3.0, 10.0
#: By how much the delay shrinks, and the reference rises for clocks that drift, in seconds a second.
SHRINKING, DRIFT = 0.01, 0.001


class JitterBuffer:
    """When pictures are due. `fetched` is for streams that give pictures as fast as they are read; others are shown as
    they come until they prove to come in bursts, and then `delay` seconds later, so that they come evenly."""

    def __init__(self, fetched: bool) -> None:
        self._fetched = fetched
        self.delay = 0.0
        self._offset: float | None = None
        self._began = self._seen = self._late = 0.0
        self._bursts: deque[tuple[float, float]] = deque(maxlen=BURSTS)

    def wait(self, seconds: float, now: float) -> float:
        """How long to hold back the picture of that timestamp, which was read `now`."""
        if self._offset is None:
            self._offset, self._began, self._seen = now - seconds, now, now
            return 0.0
        passed, self._seen = now - self._seen, now
        late = now - seconds - self._offset - self.delay
        if abs(late) > LONGEST_JUMP:
            self._offset, self.delay = now - seconds, 0.0
            return 0.0
        if self._fetched:
            if late > BURST:
                self._offset += late
            return max(-late, 0.0)
        if self.delay:
            return self._buffered(late, passed)
        if late < 0:
            self._offset += late
        else:
            self._offset += DRIFT * passed
            self._notice_burst(late, now)
        return 0.0

    def _buffered(self, late: float, passed: float) -> float:
        if late > 0:
            self.delay = min(self.delay + late, LONGEST_DELAY)
        self.delay -= SHRINKING * passed
        if self.delay < BURST:
            self.delay, self._late = 0.0, 0.0
            self._bursts.clear()
        return max(-late, 0.0)

    def _notice_burst(self, late: float, now: float) -> None:
        if late - self._late > BURST and now - self._began > WARM_UP:
            self._bursts.append((now, late))
            if len(self._bursts) == BURSTS and now - self._bursts[0][0] < BURST_WINDOW:
                self.delay = min(max(late for _, late in self._bursts), LONGEST_DELAY)
        self._late = max(late, 0.0)


def is_fetched(container: av.container.InputContainer) -> bool:
    """Whether a stream is read at the reader's pace: HLS, and whatever has a known size or length."""
    return "hls" in container.format.name or bool(container.duration) or container.size > 0
