"""The row of elements in Matroska and WebM (RFC 9559), in which libav skips damage in silence."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

SEGMENT, CLUSTER, BLOCK_GROUP = 0x18538067, 0x1F43B675, 0xA0
#: Elements whose content is read as elements.
MASTERS = frozenset({SEGMENT, CLUSTER, BLOCK_GROUP})
#: Elements that hold packets: simple block and block.
BLOCKS = frozenset({0xA3, 0xA1})
VOID = 0xEC
#: The others that may lie beside them, with those of earlier drafts.
OTHERS = frozenset(
    {
        *(0x1A45DFA3, 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367, 0x1B538667),
        *(VOID, 0xBF, 0xE7, 0x5854, 0xA7, 0xAB, 0xAF, 0xA2, 0x75A1, 0x9B, 0xFA, 0xFB, 0xFD, 0xA4, 0x75A2, 0x8E, 0xC8),
    }
)
#: The longest head of an element: four bytes of name and eight of size.
HEAD_SIZE = 12
#: The least bytes of a block that holds a packet: one of track, two of time, one of flags, and then the packet.
BLOCK_HEAD_SIZE = 4


class MatroskaScanner:
    """Walks through the elements of the file at `path` while libav reads packets from it.

    The file is read and not mapped: a mapped file that shrinks, or whose share goes away, kills the process. Raises
    OSError.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._size = self._file.seek(0, 2)
        self._segment_end = 0
        self._block, self._end = -1, 0
        self._in_cluster = False
        self._read_tracks: set[int] = set()
        self._skipped: Counter[int] = Counter()

    def close(self) -> None:
        self._file.close()

    @property
    def skipped_blocks(self) -> int:
        """Whole blocks that libav passed over, of tracks from which it read others."""
        return sum(count for track, count in self._skipped.items() if track in self._read_tracks)

    def is_contiguous(self, position: int) -> bool:
        """Whether only whole elements lie between the last block and the one whose content begins at `position`."""
        if position <= self._block:
            return True  # of the same block
        begin, end = self._walk(self._end, position)
        if begin == position:
            self._read_tracks.add(self._track(begin))
        else:
            end = position + self._size_before(position)
        self._block, self._end = position, end
        return begin == position

    def is_complete(self) -> bool:
        """Whether only whole elements lie between the last block and the end of the file, and no cluster is missing."""
        _, end = self._walk(self._end, None)
        return end == self._size and self._segment_end <= self._size

    def _walk(self, offset: int, position: int | None) -> tuple[int | None, int]:
        """Goes on from element to element up to the block with content at `position`, or to the end. Returns where the
        content of that block begins, or None, and the end of what was passed."""
        while (position is None or offset <= position) and (head := self._head(offset)):
            name, begin, size = head
            if name in BLOCKS and begin == position:
                return begin, begin + size
            if name in BLOCKS and size > BLOCK_HEAD_SIZE:
                self._skipped[self._track(begin)] += 1
            elif name == VOID and self._in_cluster and self._read(begin, min(size, 1 << 20)).strip(b"\0"):
                return None, begin  # a block that was overwritten: unused room holds zeros
            if name == SEGMENT and (size + 1).bit_count() > 1:  # all bits set mean an unknown size
                self._segment_end = begin + size
            self._in_cluster = name == CLUSTER or (self._in_cluster and name.bit_length() <= 16)
            offset = begin if name in MASTERS else begin + size
        return None, offset

    def _track(self, block: int) -> int:
        """The number of the track of the block whose content begins at `block`."""
        number = _size_field(self._read(block, 8))
        return number[1] if number else 0

    def _head(self, offset: int) -> tuple[int, int, int] | None:
        """Name, offset of the content and its size of the element at `offset`; None where there is none."""
        data = self._read(offset, HEAD_SIZE)
        if not data or not data[0]:
            return None
        length = 9 - data[0].bit_length()
        name = int.from_bytes(data[:length], "big")
        if name not in MASTERS and name not in BLOCKS and name not in OTHERS:
            return None
        size = _size_field(data[length:])
        return None if size is None else (name, offset + length + size[0], size[1])

    def _size_before(self, position: int) -> int:
        """The size of the block whose content begins at `position`, by the bytes before it; 0 where they are none."""
        before = self._read(max(position - 9, 0), min(position, 9))
        for length in range(1, len(before)):
            size = _size_field(before[-length:])
            if size and size[0] == length and before[-length - 1] in BLOCKS:
                return size[1]
        return 0

    def _read(self, offset: int, count: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(count)


def _size_field(data: bytes) -> tuple[int, int] | None:
    """How many bytes the size field at the start of `data` has, and the size in it; None where it is cut off."""
    if not data or not data[0]:
        return None
    length = 9 - data[0].bit_length()
    return (length, int.from_bytes(data[:length], "big") - (1 << 7 * length)) if len(data) >= length else None
