"""Damage to the elements of Matroska and WebM."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

Mutation = Callable[[bytearray, random.Random], bytearray]

SEGMENT, CLUSTER, CUES, TAGS, TRACKS = 0x18538067, 0x1F43B675, 0x1C53BB6B, 0x1254C367, 0x1654AE6B


def elements(data: bytes, begin: int = 0, end: int | None = None) -> Iterator[tuple[int, int, int, int]]:
    """Name, offset, offset of the content and its end of each element, clusters' and segments' opened."""
    end = len(data) if end is None else end
    while begin < end and data[begin]:
        length = 9 - data[begin].bit_length()
        name = int.from_bytes(data[begin : begin + length], "big")
        start = begin + length
        width = 9 - data[start].bit_length()
        size = int.from_bytes(data[start : start + width], "big") - (1 << 7 * width)
        start += width
        if name in (SEGMENT, CLUSTER):
            yield name, begin, start, start + size
            begin = start
            continue
        yield name, begin, start, min(start + size, end)
        begin = start + size


def blocks(data: bytes) -> list[tuple[int, int, int]]:
    """Offset, offset of the content and end of each simple block."""
    return [(at, begin, end) for name, at, begin, end in elements(data) if name == 0xA3]


def lacing(data: bytearray, chance: random.Random) -> bytearray:
    """The lacing bits of one block flipped."""
    _, begin, _ = chance.choice(blocks(bytes(data)))
    data[begin + 3] ^= chance.choice((0x02, 0x04, 0x06))
    return data


def block_head(data: bytearray, chance: random.Random) -> bytearray:
    """One bit of a block's track, time or flags flipped."""
    _, begin, _ = chance.choice(blocks(bytes(data)))
    data[begin + chance.randrange(4)] ^= 1 << chance.randrange(8)
    return data


def void(data: bytearray, chance: random.Random) -> bytearray:
    """One block turned into unused room."""
    at, _, _ = chance.choice(blocks(bytes(data)))
    data[at] = 0xEC
    return data


def element_size(data: bytearray, chance: random.Random) -> bytearray:
    """One wrong size of an element."""
    name, at, begin, _ = chance.choice(list(elements(bytes(data))))
    field = at + (name.bit_length() + 7) // 8
    data[chance.randrange(field, begin)] ^= 1 << chance.randrange(7)
    return data


def element_name(data: bytearray, chance: random.Random) -> bytearray:
    """One wrong bit in the name of an element."""
    name, at, _, _ = chance.choice([e for e in elements(bytes(data)) if e[0] != SEGMENT])
    data[at + chance.randrange((name.bit_length() + 7) // 8)] ^= 1 << chance.randrange(8)
    return data


def block_garbage(data: bytearray, chance: random.Random) -> bytearray:
    """Ten bytes of garbage in a block, of subtitles more often than of others, with their head."""
    found = blocks(bytes(data)) + [(a, b, e) for name, a, b, e in elements(bytes(data)) if name == 0xA0] * 20
    at, _, end = chance.choice(found)
    for index in range(10):
        if at + index < end:
            data[at + index] = chance.randrange(256)
    return data


def tags(data: bytearray, chance: random.Random) -> bytearray:
    """Garbage in the tags or the list of tracks."""
    found = [(begin, end) for name, _, begin, end in elements(bytes(data)) if name in (TAGS, TRACKS)]
    begin, end = chance.choice(found)
    for _ in range(chance.choice((1, 10))):
        data[chance.randrange(begin, end)] = chance.randrange(256)
    return data


def cluster_time(data: bytearray, chance: random.Random) -> bytearray:
    """One wrong bit in the time of a cluster."""
    _, _, begin, end = chance.choice([e for e in elements(bytes(data)) if e[0] == 0xE7])
    data[chance.randrange(begin, end)] ^= 1 << chance.randrange(8)
    return data


def _clusters(data: bytes) -> list[tuple[int, int]]:
    starts = [at for name, at, _, _ in elements(data) if name == CLUSTER]
    ends = [*starts[1:], next((at for name, at, _, _ in elements(data) if name == CUES), len(data))]
    return list(zip(starts, ends))


def dropped_cluster(data: bytearray, chance: random.Random) -> bytearray:
    """Matroska without one of its clusters."""
    begin, end = chance.choice(_clusters(bytes(data))[1:-1])
    del data[begin:end]
    return data


def dropped_block(data: bytearray, chance: random.Random) -> bytearray:
    """Matroska without one to four of its blocks in a row, as a program drops them that cannot keep up."""
    found = blocks(bytes(data))
    first, count = chance.randrange(len(found) // 8, len(found) - 4), chance.randrange(1, 5)
    for at, _, end in reversed(found[first : first + count]):
        del data[at:end]
    return data


def swapped_clusters(data: bytearray, chance: random.Random) -> bytearray:
    """Two clusters side by side in the wrong order."""
    found = _clusters(bytes(data))
    (begin, middle), (_, end) = found[i := chance.randrange(1, len(found) - 2)], found[i + 1]
    data[begin:end] = data[middle:end] + data[begin:middle]
    return data


BLOCKS: list[Mutation] = [lacing, block_head, void, element_size, element_name, block_garbage, dropped_cluster,
          dropped_block, swapped_clusters, cluster_time, tags]  # fmt: skip
