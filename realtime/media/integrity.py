"""Packets that are missing between others, of which libav says nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from pathlib import Path

from realtime.media import isobmff, mpegts, riff
from realtime.media.containers import container_named
from realtime.media.libav import av
from realtime.media.matroska import MatroskaScanner

#: Packets to read behind one that libav marks as corrupt, to see whether times start anew there.
PROBE_AFTER_CORRUPT = 3


def report_gaps(
    packets: Iterator[av.Packet], format_name: str, path: Path | None, on_damage: Callable[[], None]
) -> Iterator[av.Packet]:
    """The packets of a file, as they are; calls `on_damage` for each place where some are missing.

    `format_name` is libav's name of the container; `path` the file if it is read from its beginning to its end, else
    None. What is reported:

    - Matroska: bytes between packets that are no elements, and blocks that libav skipped.
    - MPEG-TS: breaks in the numbers or in the row of transport packets.
    - MP4: boxes of the index that do not fit together; with fragments, bytes that are no boxes.
    - AVI: fewer bytes than its header says.
    """
    traits = container_named(format_name)
    reported = 0

    def report() -> None:
        nonlocal reported
        reported += 1
        on_damage()

    with closing(MatroskaScanner(path)) if path and traits.elements else nullcontext() as scanner:
        for packet in _report_corrupt(packets, report):
            if scanner and packet.pos is not None and not scanner.is_contiguous(packet.pos):
                report()
            yield packet
        left = 0
        if scanner:
            left = (not scanner.is_complete()) + scanner.skipped_blocks
        elif path and traits.fixed_packets:
            left = max(mpegts.count_gaps(path) - reported, 0) + mpegts.is_truncated(path)
        elif path and traits.boxes:
            left = isobmff.has_broken_fragments(path) + isobmff.has_broken_index(path)
        elif path and traits.chunks:
            left = riff.is_cut(path)
    for _ in range(left):
        on_damage()


def _report_corrupt(packets: Iterator[av.Packet], report: Callable[[], None]) -> Iterator[av.Packet]:
    """Passes packets on and reports gaps before those that libav marks as corrupt, because the numbers of transport
    packets break. Where times start anew at a key frame as well, two recordings were joined; nothing is missing."""
    doubtful: dict[int, list[int]] = {}
    for packet in packets:
        index, time = packet.stream.index, packet.dts
        if packet.is_corrupt or index in doubtful:
            times = doubtful.setdefault(index, [])
            times += [] if time is None else [time]
            joined = times != sorted(times) and packet.is_keyframe
            if joined or time is None or len(times) > PROBE_AFTER_CORRUPT:
                del doubtful[index]
                if not joined:
                    report()
        yield packet
