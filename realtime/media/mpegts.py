"""The row of transport packets in MPEG-TS (ISO/IEC 13818-1): each has 188 bytes and begins with a sync byte.

libav passes over what is no packet in silence. A counter of four bits per stream shows it most gaps, but not those of a
multiple of 16 packets.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np

SYNC = 0x47
#: Bytes from one sync byte to the next: plain, with four bytes of time before each (M2TS), with a checksum behind each.
PACKET_SIZES = (188, 192, 204)
#: Sync bytes in a row that are no coincidence.
ENOUGH = 5
#: Transport packets, and bytes, that are read at a time.
PACKETS_READ, BYTES_READ = 1 << 16, 1 << 20


def count_gaps(path: Path) -> int:
    """How often the row of packets is interrupted and goes on behind. What follows the last packet is not judged."""
    gaps = -1
    with path.open("rb") as file:
        end = 0
        while (row := _find_row(file, end)) is not None:
            gaps += 1
            end = _end_of_row(file, *row)
    return max(gaps, 0)


def is_truncated(path: Path) -> bool:
    """Whether a file ends within a packet. One that ends with something else, such as zeros, is not judged."""
    with path.open("rb") as file:
        file.seek(-min(file.seek(0, 2), ENOUGH * max(PACKET_SIZES)), 2)
        end = file.read()

    def begins(tail: int, size: int) -> bool:
        """Whether packets of `size` begin `tail` bytes before the end and regularly before that."""
        rows = range(ENOUGH - 1)
        return tail + (ENOUGH - 2) * size <= len(end) and all(end[-tail - row * size] == SYNC for row in rows)

    if begins(188, 188) or begins(188, 192) or begins(204, 204):
        return False
    return any(begins(tail, size) for size in PACKET_SIZES for tail in range(1, size))


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


def _end_of_row(file: BinaryIO, offset: int, size: int) -> int:
    """Where the row of packets of `size` bytes ends that begins at `offset`."""
    while True:
        file.seek(offset)
        is_sync = np.frombuffer(file.read(PACKETS_READ * size), np.uint8)[::size] == SYNC
        if not is_sync.all():
            return offset + int(is_sync.argmin()) * size
        if len(is_sync) < PACKETS_READ:
            return offset + len(is_sync) * size
        offset += PACKETS_READ * size
