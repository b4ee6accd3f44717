"""Places in Matroska that libav passes over in silence: between two packets there must be whole elements in a row."""

from __future__ import annotations

import mmap
from pathlib import Path

#: Elements that hold others: segment, cluster, group of blocks.
HOLDING = frozenset({0x18538067, 0x1F43B675, 0xA0})
#: Elements that hold a packet: simple block and block.
BLOCK = frozenset({0xA3, 0xA1})
#: The others that may lie there, by RFC 9559 and what was used before it.
OTHER = frozenset(
    {
        *(0x1A45DFA3, 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367, 0x1B538667),
        *(0xEC, 0xBF, 0xE7, 0x5854, 0xA7, 0xAB, 0xAF, 0xA2, 0x75A1, 0x9B, 0xFA, 0xFB, 0xFD, 0xA4, 0x75A2, 0x8E, 0xC8),
    }
)


class Blocks:
    """The blocks of the file at `path` in their order."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._begin, self._end = -1, 0

    def close(self) -> None:
        self._data.close()

    def reach(self, position: int) -> bool:
        """Whether nothing but whole elements lies between the block that was reached before and the one whose content
        begins at the byte `position`."""
        if position <= self._begin:
            return True  # of the same block
        place = self._end
        while place <= position and (head := self._head(place)):
            name, begin, size = head
            if name in BLOCK and begin == position:
                self._begin, self._end = begin, begin + size
                return True
            place = begin if name in HOLDING else begin + size
        self._begin, self._end = position, position + self._size_before(position)
        return False

    def end(self) -> bool:
        """Whether nothing but whole elements follows, to the end of the file."""
        place = self._end
        while head := self._head(place):
            name, begin, size = head
            place = begin if name in HOLDING else begin + size
        return place == len(self._data)

    def _head(self, place: int) -> tuple[int, int, int] | None:
        """Name, beginning of the content and its size of the element at `place`; None where there is none."""
        if place >= len(self._data) or not self._data[place]:
            return None
        long = 9 - self._data[place].bit_length()
        name = int.from_bytes(self._data[place : place + long], "big")
        if name not in HOLDING and name not in BLOCK and name not in OTHER:
            return None
        size = self._size(place + long)
        return None if size is None else (name, place + long + size[0], size[1])

    def _size(self, place: int) -> tuple[int, int] | None:
        """How many bytes a size has, and the size."""
        if place >= len(self._data) or not self._data[place]:
            return None
        long = 9 - self._data[place].bit_length()
        return long, int.from_bytes(self._data[place : place + long], "big") - (1 << 7 * long)

    def _size_before(self, position: int) -> int:
        """The size of the block whose content begins at `position`, by the bytes before it; 0 where they are none."""
        for long in range(1, min(9, position)):
            size = self._size(position - long)
            if size and size[0] == long and self._data[position - long - 1] in BLOCK:
                return size[1]
        return 0
