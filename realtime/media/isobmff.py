"""The boxes of MP4, MOV and their kin (ISO/IEC 14496-12): a file is boxes side by side, from first byte to last.

libav skips in silence what is no box, and the fragments behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

#: Boxes that a file may begin with.
FIRST_BOXES = (b"ftyp", b"wide", b"mdat", b"skip", b"free")


def top_level_boxes(path: Path) -> Iterator[tuple[bytes, int, int]]:
    """Type, offset and size of each box of a file; ends where there is none. The last one's may exceed the file."""
    with path.open("rb") as file:
        offset, end = 0, file.seek(0, 2)
        while offset < end:
            file.seek(offset)
            head = file.read(16)
            size, kind = int.from_bytes(head[:4], "big"), head[4:8]
            if size == 1:
                size = int.from_bytes(head[8:16], "big")
            elif size == 0 and kind.strip(b"\0"):
                size = end - offset  # the last box may say so
            if size < 8 or len(kind) < 4 or not all(0x20 <= byte < 0x7F or byte == 0xA9 for byte in kind):
                return
            yield kind, offset, size
            offset += size


def lacks_moov(path: Path) -> bool:
    """Whether a file is MP4 or MOV by its first box, and has no index."""
    kinds = [kind for kind, _, _ in top_level_boxes(path)]
    return bool(kinds) and kinds[0] in FIRST_BOXES and b"moov" not in kinds


def has_broken_fragments(path: Path) -> bool:
    """Whether a file with fragments has bytes that are no box, or a last box that is cut off."""
    end, fragments = 0, False
    for kind, offset, size in top_level_boxes(path):
        end, fragments = offset + size, fragments or kind == b"moof"
    return fragments and end != path.stat().st_size
