"""The chunks of AVI: a file is RIFF chunks side by side, each with its size."""

from __future__ import annotations

from pathlib import Path

#: A size that means "until the end", written by programs that cannot go back; so does 0.
UNKNOWN = (0, 0xFFFFFFFF)


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
