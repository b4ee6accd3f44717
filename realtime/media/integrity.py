"""Packets that are missing between others, of which demuxers say nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from pathlib import Path

from realtime.media.libav import av
from realtime.media.matroska import MatroskaScanner

#: Packets behind a doubtful one by which it is seen whether times start anew.
AFTER = 3
#: Bytes of a piece of MPEG-TS in its three kinds, and what it begins with; how many to look at.
PIECES, SYNC, ROWS = (188, 192, 204), 0x47, 5


def report_gaps(
    read: Iterator[av.Packet], kind: str, path: Path | None, damaged: Callable[[], None]
) -> Iterator[av.Packet]:
    """The packets of a container; calls `damaged` for each place where some are missing.

    In Matroska these are bytes between packets that are no elements. Elsewhere it is a packet marked as doubtful:
    MPEG-TS numbers its pieces. Where they do not follow each other and times start anew at a keyframe, two recordings
    were joined; nothing is missing. `kind` is the container's by libav's name, `path` the file that is read from its
    beginning, or None.
    """
    doubted: dict[int, list[int]] = {}
    with closing(MatroskaScanner(path)) if path and "matroska" in kind else nullcontext() as blocks:
        for packet in read:
            if blocks and packet.pos is not None and not blocks.is_contiguous(packet.pos):
                damaged()
            index, time = packet.stream.index, packet.dts
            if packet.is_corrupt or index in doubted:
                times = doubted.setdefault(index, [])
                times += [] if time is None else [time]
                joined = times != sorted(times) and packet.is_keyframe
                if joined or time is None or len(times) > AFTER:
                    del doubted[index]
                    if not joined:
                        damaged()
            yield packet
        if (blocks and not blocks.is_complete()) or (path and kind == "mpegts" and is_truncated(path)):
            damaged()


def is_truncated(path: Path) -> bool:
    """Whether a file of MPEG-TS ends within a piece. What ends otherwise, with room for more say, is not judged."""
    with path.open("rb") as file:
        file.seek(-min(file.seek(0, 2), ROWS * max(PIECES)), 2)
        end = file.read()

    def begins(tail: int, size: int) -> bool:
        return tail + (ROWS - 2) * size <= len(end) and all(end[-tail - row * size] == SYNC for row in range(ROWS - 1))

    # Of 192 bytes the mark is the fifth.
    if begins(188, 188) or begins(188, 192) or begins(204, 204):
        return False
    return any(begins(tail, size) for size in PIECES for tail in range(1, size))
