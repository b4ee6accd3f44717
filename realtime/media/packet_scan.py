"""What the packets of a file say about its frames, without decoding any."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from realtime.media.demux import packets
from realtime.media.libav import av, open_file

#: Seconds by which a frame's time may differ from its source's: containers round times.
TIME_TOLERANCE = Fraction(1, 400)
#: Seconds by which a container may shift all times, so that none is negative.
LARGEST_SHIFT = 2

#: Returns the times of the source's frames in seconds, in the order they are shown: quickly by the packets, or with
#: True exactly, by decoding them. The packets of a damaged source do not tell.
SourceTimes = Callable[[bool], Sequence[Fraction]]


def packet_times(path: Path, stream_index: int, start: float | None, end: float | None) -> list[Fraction]:
    """When the frames of a stream are shown by its packets' timestamps, in seconds, in order, from `start` to before
    `end`. Packets without one are left out."""
    found = _packets_between(path, stream_index, start, end)
    return sorted(packet.pts * packet.time_base for packet in found if packet.pts is not None)


def packet_bytes(path: Path, stream_index: int, start: float | None, end: float | None) -> int:
    """Bytes of a stream's packets from `start` to before `end`, in seconds."""
    return sum(packet.size for packet in _packets_between(path, stream_index, start, end))


def matching_frames(times: Sequence[Fraction], source_times: Sequence[Fraction], tick: Fraction) -> int:
    """How many frames, from the first, lie at their source's times, but for a constant shift. All times are in seconds;
    `tick` is the time base of `times`."""
    if not times or not source_times or abs(times[0] - source_times[0]) > LARGEST_SHIFT:
        return 0
    tolerance = max(TIME_TOLERANCE, tick)
    for index, (time, source) in enumerate(zip(times, source_times)):
        if abs((time - times[0]) - (source - source_times[0])) > tolerance:
            return index
    return min(len(times), len(source_times))


def _packets_between(path: Path, stream_index: int, start: float | None, end: float | None) -> Iterator[av.Packet]:
    first, last = (None if limit is None else Fraction(limit).limit_denominator(1_000_000) for limit in (start, end))
    with open_file(path) as container:
        for packet in packets(container, lambda: None):
            if packet.stream.index != stream_index or not packet.size or packet.is_discard:
                continue
            ticks = packet.pts if packet.pts is not None else packet.dts
            time = (ticks or 0) * packet.time_base
            if (first is None or time >= first) and (last is None or time < last):
                yield packet
