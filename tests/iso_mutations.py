"""Damage to the boxes and tables of MP4 and MOV."""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable, Iterator

Mutation = Callable[[bytearray, random.Random], bytearray]

PARENTS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"udta", b"moof", b"traf", b"mvex")


def boxes(data: bytes, begin: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Type, offset and end of each box, those within others as well."""
    end = len(data) if end is None else end
    while begin + 8 <= end:
        size, kind = struct.unpack(">I4s", data[begin : begin + 8])
        head = 8
        if size == 1:
            size, head = struct.unpack(">Q", data[begin + 8 : begin + 16])[0], 16
        if size < head or begin + size > end:
            return
        yield kind, begin, begin + size
        if kind in PARENTS:
            yield from boxes(data, begin + head, begin + size)
        begin += size


def _wrong(chance: random.Random, number: int) -> int:
    """Another number than `number`, near it or far off."""
    near = number + chance.choice((-1, 1)) * chance.randrange(1, 1 << chance.randrange(1, 17))
    return chance.choice((0, 1 << 31, chance.randrange(1 << 32), near)) % (1 << 32)


def table_entry(name: bytes, skip: int, size: int) -> Mutation:
    """One wrong number in a table; its entries of `size` bytes begin `skip` bytes behind the box's type, and its length
    lies in the four bytes before them. Where there is no table, the file stays as it is."""

    def mutate(data: bytearray, chance: random.Random) -> bytearray:
        tables = [at + 4 for kind, at, _ in boxes(bytes(data)) if kind == name]
        tables = [at for at in tables if struct.unpack(">I", data[at + skip - 4 : at + skip])[0]]
        tables = [at for at in tables if name != b"stsz" or data[at + 8 : at + 12] == bytes(4)]
        if tables:
            table = chance.choice(tables)
            count = struct.unpack(">I", data[table + skip - 4 : table + skip])[0]
            entry = table + skip + size * chance.randrange(count) + chance.randrange(size // 4) * 4
            old = struct.unpack(">I", data[entry : entry + 4])[0]
            data[entry : entry + 4] = struct.pack(">I", _wrong(chance, old))
        return data

    mutate.__name__ = name.decode()
    return mutate


def table_length(data: bytearray, chance: random.Random) -> bytearray:
    """A wrong number of entries in a table."""
    skips = {b"stco": 12, b"stsz": 16, b"stts": 12, b"stsc": 12, b"ctts": 12, b"elst": 12, b"trun": 12}
    tables = [(at + 4 + skips[kind] - 4) for kind, at, _ in boxes(bytes(data)) if kind in skips]
    field = chance.choice(tables)
    old = struct.unpack(">I", data[field : field + 4])[0]
    data[field : field + 4] = struct.pack(
        ">I", chance.choice((0, max(old - 1, 0), old // 2, old + 1, _wrong(chance, old)))
    )
    return data


def box_size(data: bytearray, chance: random.Random) -> bytearray:
    """One wrong size of a box."""
    _, box, _ = chance.choice([box for box in boxes(bytes(data)) if box[0] not in (b"ftyp",)])
    old = struct.unpack(">I", data[box : box + 4])[0]
    data[box : box + 4] = struct.pack(">I", chance.choice((0, 1, 4, 8, (1 << 32) - 1, _wrong(chance, old))))
    return data


def box_type(data: bytearray, chance: random.Random) -> bytearray:
    """One wrong letter in a box's type."""
    _, box, _ = chance.choice([box for box in boxes(bytes(data)) if box[0] not in (b"ftyp",)])
    data[box + 4 + chance.randrange(4)] ^= 1 << chance.randrange(7)
    return data


def duration(data: bytearray, chance: random.Random) -> bytearray:
    """A wrong number in the head of the movie, a track or its media."""
    heads = [(at, end) for kind, at, end in boxes(bytes(data)) if kind in (b"mvhd", b"tkhd", b"mdhd")]
    at, _ = chance.choice(heads)
    field = at + 8 + 4 * chance.randrange(1, 6)
    data[field : field + 4] = struct.pack(">I", _wrong(chance, struct.unpack(">I", data[field : field + 4])[0]))
    return data


def dropped_fragment(data: bytearray, chance: random.Random) -> bytearray:
    """A fragment is missing altogether."""
    at = chance.choice([at for kind, at, _ in boxes(bytes(data)) if kind == b"moof"])
    end = next(end for kind, begin, end in boxes(bytes(data)) if kind == b"mdat" and begin > at)
    del data[at:end]
    return data


def fragment_field(data: bytearray, chance: random.Random) -> bytearray:
    """A wrong number in the table of a fragment."""
    kinds = (b"tfhd", b"tfdt", b"trun", b"trun", b"trun", b"mfhd")
    kind = chance.choice(kinds)
    _, at, end = chance.choice([box for box in boxes(bytes(data)) if box[0] == kind])
    field = at + 8 + 4 * chance.randrange((end - at - 8) // 4)
    data[field : field + 4] = struct.pack(">I", _wrong(chance, struct.unpack(">I", data[field : field + 4])[0]))
    return data


def tags(data: bytearray, chance: random.Random) -> bytearray:
    """Garbage in the tags and names of the file."""
    places = [m.start() for m in re.finditer(rb"udta|ilst|hdlr|meta|text|tx3g", bytes(data))]
    at = chance.choice(places)
    for index in range(4, 40):
        if at + index < len(data) and chance.random() < 0.5:
            data[at + index] = chance.randrange(256)
    return data


TABLES: list[Mutation] = [
    table_entry(b"stco", 12, 4),
    table_entry(b"stsz", 16, 4),
    table_entry(b"stts", 12, 8),
    table_entry(b"stsc", 12, 12),
    table_entry(b"stss", 12, 4),
    table_entry(b"elst", 12, 12),
    table_length,
    box_size,
    box_type,
    duration,
    tags,
]
REORDERED: list[Mutation] = [*TABLES, table_entry(b"ctts", 12, 8)]
FRAGMENTED: list[Mutation] = [box_size, box_type, duration, dropped_fragment, fragment_field, tags]
