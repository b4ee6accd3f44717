"""The boxes of MP4, MOV and their kin (ISO/IEC 14496-12): a file is boxes side by side, from first byte to last.

libav skips in silence what is no box, and the fragments behind it; and it drops the samples whose times a damaged table
moves out of what the edit list shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

#: Boxes that a file may begin with.
FIRST_BOXES = (b"ftyp", b"wide", b"mdat", b"skip", b"free")
#: Boxes that hold nothing but boxes.
PARENTS = (b"trak", b"mdia", b"minf", b"stbl", b"traf")
#: The longest index that is read, in bytes.
MAX_MOOV = 1 << 28
#: The longest table of samples whose times are looked at one by one: a day at 100 a second.
MAX_SAMPLES = 10_000_000
#: Seconds at the end of a track that are no rounding.
MIN_LEFT_OUT = Fraction(1, 100)


@dataclass(frozen=True)
class Track:
    """What the index says of a track: the samples in its table, the bytes of each if all have as many (uncompressed
    sound, of which libav joins samples), the share of their time that is shown, how many seconds of it are left out at
    the end, less than 0 where the edit list asks for more than there is, and how many seconds a sample lasts."""

    samples: int
    sample_size: int | None
    shown: Fraction
    left_out: Fraction

    sample_seconds: Fraction

    @property
    def ends_otherwise(self) -> bool:
        """Whether that is a sample or more."""
        return abs(self.left_out) >= max(MIN_LEFT_OUT, self.sample_seconds)


def top_level_boxes(path: Path) -> Iterator[tuple[bytes, int, int]]:
    """Type, offset and size of each box of a file; ends where there is none. The last one's may exceed the file."""
    with path.open("rb") as file:
        offset, end, fragments = 0, file.seek(0, 2), False
        while offset < end:
            file.seek(offset)
            head = file.read(16)
            size, kind = int.from_bytes(head[:4], "big"), head[4:8]
            fragments = fragments or kind == b"moof"
            if size == 1:
                size = int.from_bytes(head[8:16], "big")
            elif size == 0 and not fragments and kind.strip(b"\0"):
                size = end - offset  # to the end of the file
            if size < 8 or len(kind) < 4 or not all(0x20 <= byte < 0x7F or byte == 0xA9 for byte in kind):
                return
            yield kind, offset, size
            offset += size


def lacks_moov(path: Path) -> bool:
    """Whether a file is MP4 or MOV by its first box, and has no index."""
    kinds = [kind for kind, _, _ in top_level_boxes(path)]
    return bool(kinds) and kinds[0] in FIRST_BOXES and b"moov" not in kinds


def structure_problems(path: Path) -> Iterator[str]:
    """Boxes that do not fit together: a box of the index, or of a fragment's, that exceeds the box around it or leaves
    bytes in it that are no box, behind which tracks are lost; in a file with fragments also bytes beside its boxes."""
    end, fragments = 0, False
    with path.open("rb") as file:
        for kind, offset, size in top_level_boxes(path):
            end, fragments = offset + size, fragments or kind == b"moof"
            if kind in (b"moov", b"moof") and size <= MAX_MOOV:
                file.seek(offset + 8)
                body = file.read(size - 8)
                fragments = fragments or bool(find(body, b"mvex"))  # it says that there will be some
                if not _is_filled(body):
                    yield "boxes of the index do not fit together"
    if fragments and end != path.stat().st_size:
        yield "bytes that are no box, or a box that is cut off"


def read_moov(path: Path) -> bytes | None:
    """The content of a file's index; None where there is none, or a larger one than any recording needs."""
    for kind, offset, size in top_level_boxes(path):
        if kind == b"moov" and size <= MAX_MOOV:
            with path.open("rb") as file:
                file.seek(offset + 8)
                return file.read(size - 8)
    return None


def tracks(path: Path) -> list[Track | None]:
    """The tracks of a file's index in their order, None for those that cannot be read."""
    moov = read_moov(path) or b""
    movie_scale, _ = times(find(moov, b"mvhd"))
    return [_track(body, movie_scale) for name, body in boxes(moov) if name == b"trak"]


def _track(trak: bytes, movie_scale: int) -> Track | None:
    scale, length = times(find(trak, b"mdia", b"mdhd"))
    sizes = find(trak, b"mdia", b"minf", b"stbl", b"stsz")
    if len(sizes) < 12 or not (scale and length and movie_scale):
        return None
    sample_size, samples = int.from_bytes(sizes[4:8], "big") or None, int.from_bytes(sizes[8:12], "big")
    listed = [(duration * scale // movie_scale, begin) for duration, begin in edits(trak)]
    end = length + first_shift(trak)
    shown = [min(duration or length, max(end - begin, 0)) for duration, begin in listed if begin >= 0]
    share = min(Fraction(sum(shown), length), Fraction(1)) if listed else Fraction(1)
    end = _end(trak, samples)
    left_out = Fraction(end - max((begin + duration for duration, begin in listed if begin >= 0), default=end), scale)
    return Track(samples, sample_size, share, left_out, Fraction(length, samples * scale) if samples else Fraction(0))


def _end(trak: bytes, samples: int) -> int:
    """When the last sample of a track has been shown, in ticks."""
    stbl = find(trak, b"mdia", b"minf", b"stbl")
    steps, shifts = (entries(stbl, name, 2) for name in (b"stts", b"ctts"))
    if not 0 < samples == steps[:, 0].sum() == shifts[:, 0].sum() or samples > MAX_SAMPLES:
        return int((steps[:, 0] * steps[:, 1]).sum()) + first_shift(trak)
    moved = shifts[:, 1].astype(np.uint32).view(np.int32)
    return int((np.cumsum(np.repeat(steps[:, 1], steps[:, 0])) + np.repeat(moved, shifts[:, 0])).max())


def entries(stbl: bytes, name: bytes, fields: int) -> npt.NDArray[np.int64]:
    """The table of that name, (N, fields), as far as it is there."""
    table, size = find(stbl, name), 4 * fields
    count = max(min(int.from_bytes(table[4:8], "big"), (len(table) - 8) // size), 0)
    return np.frombuffer(table[8 : 8 + size * count], ">u4").astype(np.int64).reshape(count, fields)


def edits(trak: bytes) -> list[tuple[int, int]]:
    """The edit list of a track: for each part its duration in ticks of the movie, and where it begins in ticks of the
    track, which is negative for an empty part."""
    table = find(trak, b"edts", b"elst")
    field = 8 if table[:1] == b"\1" else 4
    count = min(int.from_bytes(table[4:8], "big"), (len(table) - 8) // (2 * field + 4))
    starts = range(8, 8 + count * (2 * field + 4), 2 * field + 4)
    return [
        (
            int.from_bytes(table[at : at + field], "big"),
            int.from_bytes(table[at + field : at + 2 * field], "big", signed=True),
        )
        for at in starts
    ]


def first_shift(trak: bytes) -> int:
    """By how many ticks of a track the first frame is shown later than decoded, where frames are reordered: the track's
    length leaves that out, and edit lists count it."""
    return max(int.from_bytes(find(trak, b"mdia", b"minf", b"stbl", b"ctts")[12:16], "big", signed=True), 0)


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and content of the boxes in `data`."""
    return ((kind, body) for kind, body, _ in _boxes_and_sizes(data))


def _boxes_and_sizes(data: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Type, content and declared size of the boxes in `data`."""
    at = 0
    while at + 8 <= len(data):
        size, kind, head = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        if size < head:
            return
        yield kind, data[at + head : at + size], size
        at += size


def _is_filled(data: bytes) -> bool:
    """Whether boxes fill `data`, and boxes those of them that hold boxes."""
    end = 0
    for kind, body, size in _boxes_and_sizes(data):
        end += size
        if kind in PARENTS and not _is_filled(body):
            return False
    return end <= len(data) and not data[end:].strip(b"\0")


def find(data: bytes, *names: bytes) -> bytes:
    """The content of the box behind a row of types, one in the other; empty where there is none."""
    for name in names:
        data = next((body for kind, body in boxes(data) if kind == name), b"")
    return data


def times(header: bytes) -> tuple[int, int]:
    """Ticks per second and duration in ticks of a header box (mvhd, mdhd); zeros where it is too short."""
    at, width = (20, 8) if header[:1] == b"\1" else (12, 4)
    if len(header) < at + 4 + width:
        return 0, 0
    return int.from_bytes(header[at : at + 4], "big"), int.from_bytes(header[at + 4 : at + 4 + width], "big")
