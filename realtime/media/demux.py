"""Packets of a container, past the damaged places in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from realtime.media.libav import av

#: Damaged places in a row, without a good packet between them, before the rest of a file is given up.
MAX_READ_ERRORS = 100


def main_video(container: av.container.InputContainer) -> Any:
    """The first video stream that is no cover picture, or None."""
    return next((stream for stream in container.streams.video if not is_cover(stream)), None)


def is_cover(stream: av.stream.Stream) -> bool:
    """Whether a stream is one still picture that describes the file."""
    return bool(int(stream.disposition) & int(av.stream.Disposition.attached_pic))


def packets(container: av.container.InputContainer, on_damage: Callable[[], None]) -> Iterator[av.Packet]:
    """Every packet of a file; calls `on_damage` for each place that cannot be read, and goes on behind it.

    Ends with one empty packet per stream, which flushes its decoder.
    """
    streams = list(container.streams)
    errors = 0
    while errors < MAX_READ_ERRORS:
        try:
            for packet in container.demux(streams):
                errors = 0
                yield packet
            return
        except IndexError:
            return  # PyAV fails to flush streams that appeared on the way; the others are flushed by then.
        except av.error.FFmpegError:
            errors += 1
            # Most demuxers look for the next good place themselves, in several calls: count those as one place.
            if errors == 1:
                on_damage()
    for stream in streams:
        empty = av.Packet()
        empty.stream = stream
        yield empty
