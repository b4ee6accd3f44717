"""Packets that are missing between others, of which libav says nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from functools import cache
from pathlib import Path
from typing import Protocol

from realtime.media import isobmff, mpegts, riff, sample_tables
from realtime.media.containers import container_named
from realtime.media.fragments import Fragments
from realtime.media.libav import av
from realtime.media.matroska import MatroskaScanner

#: Packets to read behind one that libav marks as corrupt, to see whether times start anew there.
PROBE_AFTER_CORRUPT = 3
#: In the place of an offset in the file: where the packets are that were read last, or nowhere in particular.
HERE, INDEX = -1, -2


class OnDamage(Protocol):
    """Hears what is wrong, and at which byte of the file, or `HERE` or `INDEX`."""

    def __call__(self, text: str, offset: int = HERE) -> None: ...


def report_gaps(
    packets: Iterator[av.Packet], format_name: str, path: Path | None, on_damage: OnDamage
) -> Iterator[av.Packet]:
    """The packets of a file, as they are; calls `on_damage` for each place where some are missing.

    `format_name` is libav's name of the container; `path` the file if it is read from its beginning to its end, else
    None. What is reported:

    - Matroska: bytes between packets that are no elements, wrong checksums, and blocks that libav skipped.
    - MPEG-TS: breaks in the numbers, the lengths or the row of transport packets.
    - MP4: boxes and tables of the index that do not fit together; with fragments, missing ones and unused bytes.
    - AVI: fewer bytes than its header says, and chunks that its index lists in another way.
    """
    traits = container_named(format_name)
    reported = 0

    def report(text: str) -> None:
        nonlocal reported
        reported += 1
        on_damage(text)

    fragments = Fragments(path) if path and traits.boxes else None
    with closing(MatroskaScanner(path)) if path and traits.elements else nullcontext() as scanner:
        joints = cache(lambda: mpegts.find_joints(path) if path and traits.fixed_packets else [])
        for packet in _report_corrupt(packets, lambda: report("packets are missing"), joints):
            if scanner and packet.pos is not None:
                for text in scanner.check(packet.pos):
                    report(text)
            if fragments and packet.pos is not None:
                fragments.read(packet.pos, packet.size)
            yield packet
        if scanner:
            for text in scanner.check_end():
                on_damage(text)
    if path and traits.fixed_packets:
        gaps, cut = mpegts.find_damage(path)
        for damage in [*gaps[reported:], *([cut] if cut else [])]:
            on_damage(damage.text, damage.offset)
    if path and traits.boxes:
        for text in (*isobmff.structure_problems(path), *sample_tables.problems(path)):
            on_damage(text, INDEX)
    if fragments:
        for text, offset in fragments.problems():
            on_damage(text, offset)
    if path and traits.chunks:
        for text in riff.problems(path):
            on_damage(text, INDEX)


def _report_corrupt(
    packets: Iterator[av.Packet], report: Callable[[], None], joints: Callable[[], list[int]]
) -> Iterator[av.Packet]:
    """Passes packets on and reports gaps before those that libav marks as corrupt, because the numbers of transport
    packets break. Where times start anew at a key frame as well, two recordings were joined; nothing is missing. Nor is
    there where one of the `joints` in the file lies between such a packet and the next ones."""
    doubtful: dict[int, list[int]] = {}
    begins: dict[int, int] = {}
    for packet in packets:
        index, time = packet.stream.index, packet.dts
        if packet.is_corrupt or index in doubtful:
            times = doubtful.setdefault(index, [])
            times += [] if time is None else [time]
            begin = begins.setdefault(index, packet.pos or 0)
            joined = times != sorted(times) and packet.is_keyframe
            if joined or time is None or len(times) > PROBE_AFTER_CORRUPT:
                del doubtful[index], begins[index]
                if not joined and not any(begin < joint <= (packet.pos or 0) for joint in joints()):
                    report()
        yield packet
