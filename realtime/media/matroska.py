"""Damage in Matroska that libav skips in silence: between two packets there must be whole elements in a row."""

from __future__ import annotations

from pathlib import Path

#: Elements that hold others: segment, cluster, group of blocks.
MASTERS = frozenset({0x18538067, 0x1F43B675, 0xA0})
#: Elements that hold packets: simple block and block.
BLOCKS = frozenset({0xA3, 0xA1})
#: The others that may lie there, by RFC 9559 and what was used before it.
OTHERS = frozenset(
    {
        *(0x1A45DFA3, 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367, 0x1B538667),
        *(0xEC, 0xBF, 0xE7, 0x5854, 0xA7, 0xAB, 0xAF, 0xA2, 0x75A1, 0x9B, 0xFA, 0xFB, 0xFD, 0xA4, 0x75A2, 0x8E, 0xC8),
    }
)
#: The longest head of an element: four bytes of name and eight of size.
HEAD_SIZE = 12


class MatroskaScanner:
    """Walks through the elements of the file at `path` as packets are read from it.

    The file is read and not mapped: a mapped file that shrinks, or whose share goes away, kills the process. Raises
    OSError.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._size = self._file.seek(0, 2)
        self._block, self._end = -1, 0

    def close(self) -> None:
        self._file.close()

    def is_contiguous(self, position: int) -> bool:
        """Whether only whole elements lie between the last block and the one whose content begins at `position`."""
        if position <= self._block:
            return True  # of the same block
        offset = self._end
        while offset <= position and (head := self._head(offset)):
            name, begin, size = head
            if name in BLOCKS and begin == position:
                self._block, self._end = begin, begin + size
                return True
            offset = begin if name in MASTERS else begin + size
        self._block, self._end = position, position + self._size_before(position)
        return False

    def is_complete(self) -> bool:
        """Whether only whole elements lie between the last block and the end of the file."""
        offset = self._end
        while head := self._head(offset):
            name, begin, size = head
            offset = begin if name in MASTERS else begin + size
        return offset == self._size

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
    """How many bytes the size field at the start of `data` has, and the size that it holds."""
    if not data or not data[0]:
        return None
    length = 9 - data[0].bit_length()
    return length, int.from_bytes(data[:length], "big") - (1 << 7 * length)
