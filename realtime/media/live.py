"""Packets of a stream that is happening now."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from fractions import Fraction
from time import perf_counter

from realtime.errors import SourceError
from realtime.media.demux import flush_packets
from realtime.media.interrupt import Interrupt
from realtime.media.libav import av
from realtime.media.opening import reason

#: libav's flag of formats whose packets have no times (AVFMT_NOTIMESTAMPS).
NO_TIMESTAMPS = 0x80
#: The time base of times of arrival.
ARRIVAL_TIME_BASE = Fraction(1, 90_000)
#: A stream that declares its length, such as a file on a web server, has ended when at most this much of it is missing.
MAX_SHORTFALL = 1
CLOSED = "the connection was closed"


def live_packets(
    container: av.container.InputContainer, interrupt: Interrupt, timeout: float, name: str
) -> Iterator[av.Packet]:
    """Every packet of a stream, then one empty packet per stream.

    Raises SourceError when the stream is lost: after an error, when nothing comes for `timeout` seconds, or when it
    ends before the length that it declared, if any. Just ends when `interrupt` is requested.
    """
    begin, end = Fraction(container.start_time or 0, av.time_base), Fraction(0)
    demuxer = container.demux(list(container.streams))
    problem = None
    while problem is None and not interrupt.requested.is_set():
        try:
            with interrupt.watch(timeout):
                packet = next(demuxer)
        except (StopIteration, IndexError):
            problem = CLOSED
        except av.error.FFmpegError as error:
            problem = CLOSED if error.errno == errno.EIO else reason(error)
            if interrupt.is_late:
                problem = f"nothing came for {timeout:g} s"
        else:
            if packet.size:
                if packet.pts is not None:
                    end = max(end, (packet.pts + (packet.duration or 0)) * packet.time_base)
                yield packet
    if interrupt.requested.is_set():
        return
    yield from flush_packets(container)
    length = Fraction(container.duration or 0, av.time_base)
    if problem != CLOSED or not length or end - begin < length - MAX_SHORTFALL:
        raise SourceError(f"{name} broke off: {problem}")


def lacks_timestamps(container: av.container.InputContainer) -> bool:
    """Whether times of packets are invented by libav, at 25 a second, as for the MJPEG streams of many cameras."""
    return bool(int(container.format.flags) & NO_TIMESTAMPS)


def with_arrival_times(packets: Iterator[av.Packet]) -> Iterator[av.Packet]:
    """Packets of which each is due when it arrives, counted from the first one, in `ARRIVAL_TIME_BASE`."""
    first, pts = None, -1
    for packet in packets:
        now = perf_counter()
        first = now if first is None else first
        if packet.size:
            pts = max(pts + 1, round((now - first) / ARRIVAL_TIME_BASE))  # the first few come at once, from opening
            packet.time_base, packet.pts, packet.dts = ARRIVAL_TIME_BASE, pts, pts
            packet.duration = 0
        yield packet
