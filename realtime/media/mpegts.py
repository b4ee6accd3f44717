"""The row of transport packets in MPEG-TS (ISO/IEC 13818-1): each has 188 bytes and begins with a sync byte.

libav passes over what is no packet in silence. A counter of four bits per stream shows it most gaps, but not those of a
multiple of 16 packets: there only the lengths tell that the packets of sound declare.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

SYNC = 0x47
#: Bytes from one sync byte to the next: plain, with four bytes of time before each (M2TS), with a checksum behind each.
PACKET_SIZES = (188, 192, 204)
#: Bytes of a transport packet, and of its head.
PACKET, HEAD = 188, 4
#: Sync bytes in a row that are no coincidence.
ENOUGH = 5
#: Transport packets, and bytes, that are read at a time.
PACKETS_READ, BYTES_READ = 1 << 14, 1 << 20
#: The number of the stream that fills up the bit rate.
NULL = 0x1FFF
#: The first number that is no table's of the standard's own.
FIRST_FREE = 0x20


@dataclass(frozen=True)
class TransportDamage:
    """What is wrong at a byte of the file."""

    offset: int
    text: str


def find_damage(path: Path) -> tuple[list[TransportDamage], TransportDamage | None]:
    """Where the row of packets is interrupted, and where packets of a stream are missing although its counter goes on;
    and where the last whole packet ends, if something follows. What lies before the first packet is not judged."""
    found: list[TransportDamage] = []
    with path.open("rb") as file:
        size, end = file.seek(0, 2), 0
        while (row := _find_row(file, end)) is not None:
            if end:
                found.append(TransportDamage(end, "bytes that are no transport packets"))
            lengths = _Lengths()
            end = _read_row(file, *row, lengths)
            found += lengths.damage
    # M2TS has its four bytes before, the third kind 16 bytes behind each packet.
    if not end or size - end in (0, 16):
        return found, None
    return found, TransportDamage(end, "the file ends with bytes that are no whole transport packet")


def find_joints(path: Path) -> list[int]:
    """The bytes at which another recording, or the next segment of one, was appended: there all counters start anew."""
    joints = _Joints()
    with path.open("rb") as file:
        end = 0
        while (row := _find_row(file, end)) is not None:
            end = _read_row(file, *row, joints)
    return [joint.offset for joint in joints.found if joint.breaks and joint.starts]


def _find_row(file: BinaryIO, offset: int) -> tuple[int, int] | None:
    """Offset and packet size of the next row of at least `ENOUGH` packets from `offset` on."""
    overlap = (ENOUGH - 1) * max(PACKET_SIZES)
    while True:
        file.seek(offset)
        is_sync = np.frombuffer(file.read(BYTES_READ), np.uint8) == SYNC
        found = []
        for size in PACKET_SIZES:
            starts = len(is_sync) - (ENOUGH - 1) * size
            if starts > 0:
                rows = np.logical_and.reduce([is_sync[i * size : i * size + starts] for i in range(ENOUGH)])
                found += [(offset + int(rows.argmax()), size)] if rows.any() else []
        if found:
            return min(found)
        if len(is_sync) < BYTES_READ:
            return None
        offset += BYTES_READ - overlap


def _read_row(file: BinaryIO, offset: int, size: int, reader: _Lengths | _Joints) -> int:
    """Looks at the row of packets at intervals of `size` bytes that begins at `offset`; returns the end of its last
    whole packet."""
    end = offset
    while True:
        file.seek(offset)
        data = np.frombuffer(file.read(PACKETS_READ * size), np.uint8)
        whole = (len(data) + size - PACKET) // size
        packets = np.lib.stride_tricks.as_strided(data, (whole, PACKET), (size, 1), writeable=False)
        is_sync = packets[:, 0] == SYNC
        count = whole if is_sync.all() else int(is_sync.argmin())
        if count:
            reader.add(packets[:count], offset, size)
            end = offset + (count - 1) * size + PACKET
        if count < PACKETS_READ:
            return end
        offset += PACKETS_READ * size


class _Lengths:
    """Compares the lengths that elementary packets declare with the bytes that come; `damage` is what was found."""

    def __init__(self) -> None:
        self.damage: list[TransportDamage] = []
        #: Of each stream: the counter of its last packet, the bytes that are still to come, and where its packet began.
        self._counters: dict[int, int] = {}
        self._left: dict[int, tuple[int, int]] = {}

    def add(self, packets: Any, offset: int, size: int) -> None:
        """Takes the next transport packets, uint8 (N, 188), which begin every `size` bytes from `offset` on."""
        streams = _streams(packets)
        control = packets[:, 3] >> 4 & 3
        filling = np.where(control & 2, packets[:, 4].astype(np.int32) + 1, 0)
        payload = np.where(control & 1, np.maximum(PACKET - HEAD - filling, 0), 0)
        begins = packets[:, 1] & 0x40 != 0
        for stream in np.unique(streams):
            rows = np.flatnonzero((streams == stream) & (payload > 0))
            if stream != NULL and len(rows):
                places = offset + size * rows
                self._follow(int(stream), packets[rows], payload[rows], begins[rows], places)

    def _follow(self, stream: int, packets: Any, payload: Any, begins: Any, places: Any) -> None:
        counters = packets[:, 3].astype(np.int32) & 15
        before = np.concatenate(([self._counters.get(stream, counters[0] - 1)], counters[:-1]))
        broken = (counters - before) % 16 != 1
        self._counters[stream] = int(counters[-1])
        edges = np.union1d([0], np.flatnonzero(begins | broken))
        for edge, count in zip(edges, np.add.reduceat(payload, edges)):
            if begins[edge] or broken[edge]:
                left, began = self._left.pop(stream, (0, 0))
                if left > 0 and not broken[edge]:
                    self.damage.append(TransportDamage(began, f"packets of stream {stream} are missing"))
            if begins[edge] and (declared := _declared(packets[edge, PACKET - int(payload[edge]) :])):
                self._left[stream] = declared, int(places[edge])
            if stream in self._left:
                left, began = self._left[stream]
                self._left[stream] = left - int(count), began


@dataclass
class _Joint:
    """A place that may be a joint: its byte, the last counter of each stream that did not come since, and what came:
    whether a counter did not go on, and whether all began with 0."""

    offset: int
    waiting: dict[int, int]
    breaks: bool = False
    starts: bool = True


class _Joints:
    """Looks for places where the table of programs and then every stream begin with the counter 0."""

    def __init__(self) -> None:
        self.found: list[_Joint] = []
        self._last: dict[int, int] = {}

    def add(self, packets: Any, offset: int, size: int) -> None:
        """Takes transport packets as `_Lengths` does."""
        streams = _streams(packets)
        counters = packets[:, 3] & 15
        has_payload = packets[:, 3] & 0x10 != 0
        begins = (counters == 0) & (packets[:, 1] & 0x40 != 0)
        rows = {int(s): np.flatnonzero((streams == s) & has_payload) for s in np.unique(streams)}
        tables, rows = rows.get(0, np.zeros(0, np.int64)), {s: rows[s] for s in rows if FIRST_FREE <= s != NULL}
        starts = [0, *tables[begins[tables]].tolist(), len(packets)]
        for number, (start, end) in enumerate(pairwise(starts)):
            if number:
                self.found.append(_Joint(offset + size * start, dict(self._last)))
            for stream, all_rows in rows.items():
                mine = all_rows[(all_rows >= start) & (all_rows < end)]
                if not len(mine):
                    continue
                if self.found and stream in self.found[-1].waiting:
                    self.found[-1].breaks |= self.found[-1].waiting.pop(stream) != (int(counters[mine[0]]) - 1) % 16
                    self.found[-1].starts &= bool(begins[mine[0]])
                self._last[stream] = int(counters[mine[-1]])


def _streams(packets: Any) -> Any:
    """The number of the stream (PID) of each transport packet, int32 (N,)."""
    return (packets[:, 1].astype(np.int32) & 0x1F) << 8 | packets[:, 2]


def _declared(payload: Any) -> int:
    """How many bytes an elementary packet says that it has, from its beginning; 0 where it does not."""
    head = bytes(payload[:6])
    length = int.from_bytes(head[4:], "big")
    return length + 6 if head[:3] == b"\0\0\1" and len(head) == 6 and length else 0
