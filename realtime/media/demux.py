"""Packets of a container, past the damaged places in it, with times that do not wrap.

All reading and seeking of files goes through here, so that decoding and copying agree on times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from realtime.media.containers import container_named
from realtime.media.libav import av

#: Damaged places in a row, without a good packet between them, before the rest of a file is given up.
MAX_READ_ERRORS = 100
#: Clock of MPEG transport and program streams, ticks per second (ISO/IEC 13818-1).
MPEG_CLOCK = 90_000
#: `AVDISCARD_ALL`: libav's mark for a chapter track.
DISCARD_ALL = 48


def main_video(container: av.container.InputContainer) -> Any:
    """The first video stream that is no cover picture, or None."""
    return next((stream for stream in container.streams.video if not is_cover(stream)), None)


def is_cover(stream: av.stream.Stream) -> bool:
    """Whether a stream is one still picture that describes the file."""
    return bool(int(stream.disposition) & int(av.stream.Disposition.attached_pic))


def is_unplayable(stream: av.stream.Stream) -> bool:
    """Whether a stream is sound without channels or rate, by a damaged header: with it some players open no file."""
    codec = stream.codec_context
    return stream.type == "audio" and codec is not None and not (codec.sample_rate and codec.layout.nb_channels)


def is_regenerated_by_muxer(stream: av.stream.Stream) -> bool:
    """True for timecode tracks, which come from a tag, and chapter tracks, which come from the chapters."""
    if stream.type != "data":
        return False
    chapters = int(getattr(stream, "discard", 0)) == DISCARD_ALL and bool(stream.container.chapters())
    return "timecode" in stream.metadata or chapters


def packets(container: av.container.InputContainer, on_damage: Callable[[], None]) -> Iterator[av.Packet]:
    """Every packet of a file; calls `on_damage` for each place that cannot be read, and goes on behind it.

    Ends with one empty packet per stream, which flushes its decoder.
    """
    streams = list(container.streams)
    period = clock_period(container)
    last: Fraction | None = None
    errors = 0
    while errors < MAX_READ_ERRORS:
        try:
            for packet in container.demux(streams):
                errors = 0
                if period and packet.dts is not None:
                    last = unwrap(packet, period, last, _begins_before_wrap(container))
                yield packet
            return
        except IndexError:
            return  # PyAV fails to flush streams that appeared on the way; the others are flushed by then.
        except av.error.FFmpegError:
            errors += 1
            # Most demuxers look for the next good place themselves, in several calls: count those as one place.
            if errors == 1:
                on_damage()
    yield from flush_packets(container)


def flush_packets(container: av.container.InputContainer) -> Iterator[av.Packet]:
    """One empty packet per stream, as PyAV ends a container with."""
    for stream in container.streams:
        empty = av.Packet()
        empty.stream = stream
        yield empty


def clock_period(container: av.container.InputContainer) -> Fraction | None:
    """Seconds after which the container's clock starts over, or None for never."""
    bits = container_named(container.format.name).clock_bits
    return None if bits is None else Fraction(1 << bits, MPEG_CLOCK)


def unwrap(packet: av.Packet, period: Fraction, last: Fraction | None, begins_before_wrap: bool) -> Fraction:
    """Moves a packet's times by whole periods, next to `last`, the decoding time in seconds of the packet before.
    Returns its own decoding time in seconds.

    Without a packet before, `begins_before_wrap` decides: libav makes the times before the first wrap of such a file
    negative, and lets those behind it start at 0.
    """
    time = packet.dts * packet.time_base
    periods = int(begins_before_wrap) if last is None else round((last - time) / period)
    if periods:
        shift = round(periods * period / packet.time_base)
        packet.dts += shift
        if packet.pts is not None:
            packet.pts += shift
    return time + periods * period


def start_time(container: av.container.InputContainer, stream: Any = None) -> Fraction:
    """When the recording, or a stream of it, starts, in seconds; not before 0."""
    begin = Fraction(container.start_time or 0, av.time_base)
    if stream is not None:
        begin = (stream.start_time or 0) * stream.time_base
    period = clock_period(container)
    return begin + period if period and _begins_before_wrap(container) else max(begin, Fraction(0))


def seek(container: av.container.InputContainer, seconds: Fraction, stream: Any = None) -> None:
    """Seeks to the key frame at or before a time, as `packets` count it. Raises what PyAV raises."""
    period = clock_period(container)
    if period and _begins_before_wrap(container):
        seconds -= period
    if stream is None:
        container.seek(round(seconds * av.time_base))
    else:
        container.seek(round(seconds / stream.time_base), stream=stream)


def _begins_before_wrap(container: av.container.InputContainer) -> bool:
    return (container.start_time or 0) < 0
