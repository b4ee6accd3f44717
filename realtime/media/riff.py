"""The chunks of AVI: RIFF chunks side by side, each with its size; the first holds an index of the chunks in it.

libav reads what the index lists, in silence about the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

#: A size that means "until the end", written by programs that cannot go back; so does 0.
UNKNOWN = (0, 0xFFFFFFFF)
#: Ends of the names of chunks with pictures and sound; two digits before say of which stream.
DATA = (b"dc", b"db", b"wb")
#: Names of others that lie among them.
OTHERS = (b"JUNK", b"idx1", b"LIST", b"junk")


def problems(path: Path) -> Iterator[str]:
    """What does not fit together in a file."""
    if is_cut(path):
        yield "the file is shorter than its header says"
    with path.open("rb") as file:
        chunks: list[tuple[bytes, int, int]] = []
        index, whole = None, True
        for name, offset, size in _chunks(file):
            if name == b"idx1":
                file.seek(offset)
                index = file.read(size)
            elif name[2:] in DATA and name[:2].isdigit():
                chunks.append((name, offset, size))
            elif name not in OTHERS and name[:2] != b"ix":
                whole = False
                break
    if not whole:
        yield "bytes that are no chunk"
    elif index is not None and (lost := _differences(index, chunks)):
        yield f"chunks that the index lists in another way: {lost}"


def empty_chunks(path: Path) -> dict[int, int]:
    """How many chunks of each stream are empty: frames that are not there. The header counts them, libav does not."""
    with path.open("rb") as file:
        found = Counter(name[:2] for name, _, size in _chunks(file) if not size and name[2:] in DATA)
    return {int(number): count for number, count in found.items() if number.isdigit()}


def is_cut(path: Path) -> bool:
    """Whether the last RIFF chunk of a file ends behind the file."""
    with path.open("rb") as file:
        offset, end = 0, file.seek(0, 2)
        while offset + 8 <= end:
            file.seek(offset)
            head = file.read(8)
            size = int.from_bytes(head[4:], "little")
            if head[:4] != b"RIFF" or size in UNKNOWN:
                return False
            offset += 8 + size + size % 2
    return offset > end + 1


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Name, offset of the content and its size of the chunks in the first RIFF chunk and its lists of data."""
    file.seek(0)
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"AVI ":
        return
    size = int.from_bytes(head[4:8], "little")
    offset, end = 12, file.seek(0, 2) if size in UNKNOWN else min(8 + size, file.seek(0, 2))
    while offset + 8 <= end:
        file.seek(offset)
        head = file.read(12)
        name, size = head[:4], int.from_bytes(head[4:8], "little")
        if name == b"LIST" and head[8:] in (b"movi", b"rec "):
            offset += 12  # what is in it comes next
            continue
        yield name, offset + 8, size
        offset += 8 + size + size % 2


def _differences(index: bytes, chunks: list[tuple[bytes, int, int]]) -> int:
    """How many of the chunks are not in the index with their name, offset and size, or the other way round."""
    entries = np.frombuffer(index, "S4,<u4,<u4,<u4", len(index) // 16).tolist()
    listed = [(name, offset, size) for name, _, offset, size in entries if name[2:] in DATA]
    # Offsets count from the beginning of the file, or of the list.
    base = chunks[0][1] - listed[0][1] if chunks and listed else 0
    wanted = Counter((name, offset + base, size) for name, offset, size in listed)
    there = Counter(chunks)
    return max((there - wanted).total(), (wanted - there).total())
