"""The elements of Matroska and WebM (RFC 9559), among which libav skips damage in silence."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

FILE, SEGMENT, TRACKS, CLUSTER, BLOCK_GROUP = 0, 0x18538067, 0x1654AE6B, 0x1F43B675, 0xA0
VOID, CHECKSUM = 0xEC, 0xBF
#: Elements that hold packets: simple block and block.
BLOCKS = frozenset({0xA3, 0xA1})
#: What lies in the elements whose content is read as elements, with the names of earlier drafts.
CHILDREN = {
    FILE: frozenset({0x1A45DFA3, SEGMENT, VOID, CHECKSUM, 0x1B538667}),
    SEGMENT: frozenset(
        {TRACKS, CLUSTER, VOID, CHECKSUM, 0x114D9B74, 0x1549A966, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367}
    ),
    CLUSTER: frozenset({0xA3, BLOCK_GROUP, VOID, CHECKSUM, 0xE7, 0x5854, 0xA7, 0xAB, 0xAF}),
    BLOCK_GROUP: frozenset({0xA1, VOID, CHECKSUM, 0xA2, 0x75A1, 0x9B, 0xFA, 0xFB, 0xFD, 0xA4, 0x75A2, 0x8E, 0xC8}),
}
#: Those of them that hold a number, and the most bytes of one.
NUMBERS, MAX_NUMBER = frozenset({0xE7, 0xA7, 0xAB, 0x9B, 0xFA, 0xFB, 0xFD, 0x75A2}), 8
#: The longest head of an element: four bytes of name and eight of size.
HEAD_SIZE = 12
#: The least bytes of a block that holds a packet: one of track, two of time, one of flags, and then the packet.
BLOCK_HEAD_SIZE = 4
#: Within a list of tracks: a track, its number and its type; the types of picture and sound.
TRACK, NUMBER, TYPE, PICTURE_OR_SOUND = 0xAE, 0xD7, 0x83, (1, 2)
#: The longest list of tracks that is read, and bytes that are read in one go, of which the checksum is computed.
MAX_TRACKS, READ_BYTES = 1 << 20, 1 << 20


class MatroskaScanner:
    """Walks through the elements of the file at `path` while libav reads packets from it, and says what is wrong.

    The file is read and not mapped: a mapped file that shrinks, or whose share goes away, kills the process. Raises
    OSError.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._size = self._file.seek(0, 2)
        self._segment_end = 0
        self._block, self._end = -1, 0
        #: Name and end (None: unknown) of the elements around the present one.
        self._around: list[tuple[int, int | None]] = [(FILE, None)]
        self._problems: list[str] = []
        self._is_said = False  # that the present cluster is damaged
        self._types: dict[int, int] = {}
        self._read_tracks: set[int] = set()
        self._skipped: Counter[int] = Counter()

    def close(self) -> None:
        self._file.close()

    def check(self, position: int) -> list[str]:
        """What is wrong between the last block and the one whose content begins at `position`, which libav has read."""
        if position <= self._block:
            return []  # of the same block
        begin, end = self._walk(self._end, position)
        if begin == position:
            self._read_tracks.add(self._track(begin))
        else:
            end = position + self._size_before(position)
            self._say("bytes that are no whole elements")
            self._around = [*self._around[:1], (SEGMENT, None), (CLUSTER, None), (BLOCK_GROUP, None)]
        self._block, self._end = position, end
        return self._collect()

    def check_end(self) -> list[str]:
        """What is wrong between the last block and the end of the file, and with blocks that were never read."""
        _, end = self._walk(self._end, None)
        if end != self._size or self._segment_end > self._size:
            self._problems.append("the file ends within an element, or with bytes that are none")
        for track, count in self._skipped.items():
            if track in self._read_tracks or self._types.get(track, 1) in PICTURE_OR_SOUND:
                self._problems.append(f"blocks of track {track} are skipped: {count}")
        return self._collect()

    def _walk(self, offset: int, position: int | None) -> tuple[int | None, int]:
        """Goes on from element to element up to the block with content at `position`, or to the end. Returns where the
        content of that block begins, or None, and the end of what was passed."""
        while (position is None or offset <= position) and self._leave(offset) and (head := self._head(offset)):
            name, begin, size = head
            while name not in CHILDREN[self._around[-1][0]]:
                if self._around[-1][1] is not None or len(self._around) == 1:
                    return None, offset
                self._around.pop()
            around, end = self._around[-1][1], None if size is None else begin + size
            if around is not None and (end is None or end > around):
                return None, offset
            if name in CHILDREN:
                self._enter(name, begin, end)
                offset = begin
                continue
            if end is None or (name in NUMBERS and end - begin > MAX_NUMBER):
                return None, offset
            if name in BLOCKS and begin == position:
                return begin, end
            if name in BLOCKS and end - begin > BLOCK_HEAD_SIZE:
                self._skip(self._track(begin))
            elif name == VOID and self._around[-1][0] == CLUSTER and any(self._read(begin, min(end - begin, 1 << 20))):
                return None, begin  # a block that was overwritten: unused room holds zeros
            elif self._around[-1][0] == SEGMENT:
                self._check_sum(name, begin, end)
                if name == TRACKS and (types := _track_types(self._read(begin, min(end - begin, MAX_TRACKS)))) is None:
                    self._say("the list of tracks is no row of whole elements")
                elif name == TRACKS and types:
                    self._types |= types
            offset = end
        return None, offset

    def _leave(self, offset: int) -> bool:
        """Leaves the elements that end at `offset`; whether none of them ends before it."""
        while (end := self._around[-1][1]) is not None and offset >= end:
            if offset > end:
                return False
            self._around.pop()
        return True

    def _enter(self, name: int, begin: int, end: int | None) -> None:
        self._around.append((name, end))
        if name == SEGMENT and end is not None:
            self._segment_end = end
        if name == CLUSTER:
            self._is_said = False
            self._check_sum(name, begin, min(end or begin, self._size))

    def _check_sum(self, name: int, begin: int, end: int) -> None:
        """Compares the content of an element with the checksum that it may begin with (EBML: CRC-32)."""
        head = self._read(begin, 6)
        if len(head) < 6 or head[:2] != b"\xbf\x84" or begin + 6 > end:
            return
        checksum, offset = 0, begin + 6
        while offset < end and (data := self._read(offset, min(end - offset, READ_BYTES))):
            checksum, offset = zlib.crc32(data, checksum), offset + len(data)
        if checksum != int.from_bytes(head[2:], "little"):
            what = "a cluster" if name == CLUSTER else "what describes the file"
            self._say(f"the checksum of {what} does not fit its content")

    def _skip(self, track: int) -> None:
        """Notes a whole block that libav passed over: of a track from which it read others, something is missing."""
        if track in self._read_tracks:
            self._problems += [] if self._is_said else [f"a block of track {track} is skipped"]
        else:
            self._skipped[track] += 1

    def _say(self, text: str) -> None:
        """Notes what is wrong, in a damaged cluster once."""
        if not self._is_said:
            self._problems.append(text)
        self._is_said = self._around[-1][0] not in (FILE, SEGMENT)

    def _collect(self) -> list[str]:
        problems, self._problems = self._problems, []
        return problems

    def _track(self, block: int) -> int:
        """The number of the track of the block whose content begins at `block`."""
        number = _size_field(self._read(block, 8))
        return number[1] if number and number[1] is not None else 0

    def _head(self, offset: int) -> tuple[int, int, int | None] | None:
        """Name, offset of the content and its size of the element at `offset`, None for one that lasts until something
        else begins; None where there is no element."""
        return _head(self._read(offset, HEAD_SIZE), offset)

    def _size_before(self, position: int) -> int:
        """The size of the block whose content begins at `position`, by the bytes before it; 0 where they are none."""
        before = self._read(max(position - 9, 0), min(position, 9))
        for length in range(1, len(before)):
            size = _size_field(before[-length:])
            if size and size[0] == length and before[-length - 1] in BLOCKS:
                return size[1] or 0
        return 0

    def _read(self, offset: int, count: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(count)


def _track_types(tracks: bytes) -> dict[int, int] | None:
    """The type of each track by its number, from the content of a list of tracks; None where that is damaged."""
    types = {}
    for name, entry in _elements(tracks):
        fields = dict(_elements(entry)) if name == TRACK else {}
        if name is None or None in fields:
            return None
        if name == TRACK:
            types[int.from_bytes(fields.get(NUMBER, b""), "big")] = int.from_bytes(fields.get(TYPE, b""), "big")
    return types


def _elements(data: bytes) -> Iterator[tuple[int | None, bytes]]:
    """Name and content of the elements side by side in `data`; None and what is left where there is no whole one."""
    offset = 0
    while offset < len(data):
        head = _head(data[offset : offset + HEAD_SIZE], offset)
        if head is None or head[2] is None or head[1] + head[2] > len(data):
            yield None, data[offset:]
            return
        yield head[0], data[head[1] : head[1] + head[2]]
        offset = head[1] + head[2]


def _head(data: bytes, offset: int) -> tuple[int, int, int | None] | None:
    """What `MatroskaScanner._head` returns, from the bytes at `offset`."""
    if not data or not data[0]:
        return None
    length = 9 - data[0].bit_length()
    size = _size_field(data[length:])
    return None if size is None else (int.from_bytes(data[:length], "big"), offset + length + size[0], size[1])


def _size_field(data: bytes) -> tuple[int, int | None] | None:
    """How many bytes the size field at the start of `data` has, and the size in it, None for an unknown one; None where
    the field is cut off."""
    if not data or not data[0]:
        return None
    length = 9 - data[0].bit_length()
    size = int.from_bytes(data[:length], "big") - (1 << 7 * length)
    return (length, None if size == (1 << 7 * length) - 1 else size) if len(data) >= length else None
