"""The fragments of MP4 (ISO/IEC 14496-12): each has an index of its own and the samples that it lists.

libav reads those fragments that it finds, in silence about the others.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

from realtime.media.isobmff import MAX_MOOV, boxes, find, top_level_boxes

#: Bytes of samples that may belong to no packet: some programs align them.
MAX_UNUSED = 64
#: Flags of a fragment's tables (tfhd, trun): which fields they have.
BASE_OFFSET, DESCRIPTION, DEFAULT_DURATION = 1, 2, 8
DATA_OFFSET, FIRST_FLAGS, DURATIONS, SIZES, FLAGS, SHIFTS = 1, 4, 0x100, 0x200, 0x400, 0x800


class Fragments:
    """Compares the fragments of a file with each other and with the packets that are `read` from it. A file without
    fragments has no `problems`."""

    def __init__(self, path: Path) -> None:
        self._heads: list[tuple[int, bytes]] = []
        self._begins: list[int] = []
        self._unused: list[int] = []
        self._defaults: dict[int, int] = {}
        lists = []
        with path.open("rb") as file:
            for kind, offset, size in top_level_boxes(path):
                if kind in (b"moov", b"moof") and size <= MAX_MOOV:
                    file.seek(offset + 8)
                    body = file.read(size - 8)
                    if kind == b"moof":
                        self._heads.append((offset, body))
                    else:
                        extends = [data for name, data in boxes(find(body, b"mvex")) if name == b"trex"]
                        self._defaults = {_number(data, 4): _number(data, 12) for data in extends}
                elif kind == b"mfra" and size <= MAX_MOOV:
                    file.seek(offset + 8)
                    tables = [body for name, body in boxes(file.read(size - 8)) if name == b"tfra"]
                    lists.append({place for table in tables for place in _offsets(table)})
                elif kind == b"mdat":
                    self._begins.append(offset)
                    self._unused.append(size - 8)
        # Files that were joined have several lists, which count from where each began.
        self._listed: set[int] = lists[0] if len(lists) == 1 else set()

    def read(self, position: int, size: int) -> None:
        """Takes a packet of `size` bytes at byte `position`."""
        if (index := bisect_right(self._begins, position) - 1) >= 0:
            self._unused[index] -= size

    def problems(self) -> Iterator[tuple[str, int]]:
        """What is wrong, and at which byte of the file."""
        if not self._heads:
            return
        for offset, unused in zip(self._begins, self._unused):
            if unused > MAX_UNUSED:
                yield f"{unused} bytes of samples belong to no packet", offset
        if lost := len(self._listed - {offset for offset, _ in self._heads}):
            yield f"{lost} fragments are not where the file lists them", self._heads[-1][0]
        previous, ends, longest = 0, dict[int, int](), dict[int, int]()
        for offset, head in self._heads:
            number = _number(find(head, b"mfhd"), 4)
            lost = number - previous - 1
            if not ends and lost >= len(self._heads):
                lost = 0  # joined on the way: numbers begin with 1
            previous = number
            if lost > 0:
                yield f"{lost} fragments are missing", offset
            for name, track in boxes(head):
                if name == b"traf" and (found := self._times(track)) is not None:
                    track_id, begin, end, step = found
                    # Some write a length of 0 in fragments of one sample.
                    longest[track_id] = max(step, longest.get(track_id, 0))
                    if lost <= 0 and track_id in ends and abs(begin - ends[track_id]) > longest[track_id]:
                        yield f"the times of track {track_id} jump", offset
                    ends[track_id] = end

    def _times(self, track: bytes) -> tuple[int, int, int, int] | None:
        """Of a fragment's track: its number, when it begins and ends, and how long a sample lasts at most, in ticks;
        None where it does not say."""
        header, time = find(track, b"tfhd"), find(track, b"tfdt")
        if len(header) < 8 or len(time) < 8:
            return None
        flags, number = _number(header, 0), _number(header, 4)
        at = 8 + (8 if flags & BASE_OFFSET else 0) + (4 if flags & DESCRIPTION else 0)
        default = _number(header, at) if flags & DEFAULT_DURATION else self._defaults.get(number, 0)
        begin = int.from_bytes(time[4:12] if time[0] else time[4:8], "big")
        durations = [step for name, run in boxes(track) if name == b"trun" for step in _durations(run, default)]
        return number, begin, begin + sum(durations), max(durations, default=0)


def _durations(run: bytes, default: int) -> Iterator[int]:
    """How long each sample of a run lasts, in ticks."""
    flags, count = _number(run, 0), _number(run, 4)
    fields = [flag for flag in (DURATIONS, SIZES, FLAGS, SHIFTS) if flags & flag]
    at = 8 + 4 * bool(flags & DATA_OFFSET) + 4 * bool(flags & FIRST_FLAGS)
    if not flags & DURATIONS:
        yield from [default] * min(count, len(run))
        return
    for place in range(at, min(at + 4 * len(fields) * count, len(run) - 3), 4 * len(fields)):
        yield _number(run, place)


def _offsets(table: bytes) -> Iterator[int]:
    """The offsets of fragments in a table of them (tfra)."""
    wide = table[:1] == b"\1"
    count, sizes = _number(table, 12), _number(table, 8)
    numbers = sum((sizes >> shift & 3) + 1 for shift in (0, 2, 4))
    entry = (16 if wide else 8) + numbers
    for at in range(16, min(16 + entry * count, len(table) - entry + 1), entry):
        yield int.from_bytes(table[at + 8 : at + 16] if wide else table[at + 4 : at + 8], "big")


def _number(data: bytes, at: int) -> int:
    """The four bytes at `at`."""
    return int.from_bytes(data[at : at + 4], "big")
