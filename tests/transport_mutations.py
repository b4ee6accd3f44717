"""Damage to MPEG transport streams: lost, zeroed, repeated and swapped packets, clocks that wrap and jump."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

Mutation = Callable[[bytearray, random.Random], bytearray]

#: The picture's and the sound's streams in what ffmpeg writes.
PIDS = (256, 257)
#: Ticks of the clock a second, and after which it starts over.
CLOCK, WRAP = 90_000, 1 << 33


def packets(data: bytes, pid: int | None = None) -> list[int]:
    """Offsets of the transport packets, of one stream or of all."""
    found = range(0, len(data) - 187, 188)
    return [at for at in found if pid is None or (data[at + 1] & 0x1F) << 8 | data[at + 2] == pid]


def lost_packets(data: bytearray, chance: random.Random) -> bytearray:
    """One to forty transport packets of one stream are missing."""
    mine = packets(bytes(data), chance.choice(PIDS))
    count = chance.choice((1, 2, 5, 15, 17, 32, 40))
    first = chance.randrange(16, len(mine) - count)
    for at in reversed(mine[first : first + count]):
        del data[at : at + 188]
    return data


def sixteen_lost_packets(data: bytearray, chance: random.Random) -> bytearray:
    """Sixteen transport packets of one stream are missing, which its counter of four bits does not show."""
    mine = packets(bytes(data), chance.choice(PIDS))
    first = chance.randrange(16, len(mine) - 16)
    for at in reversed(mine[first : first + 16]):
        del data[at : at + 188]
    return data


def zeroed_packets(data: bytearray, chance: random.Random) -> bytearray:
    """Zeros in the place of whole transport packets."""
    count = min(chance.choice((16, 64, 350)), len(data) // 188 // 3)
    begin = 188 * chance.randrange(100, len(data) // 188 - count)
    data[begin : begin + 188 * count] = bytes(188 * count)
    return data


def zeroed_end(data: bytearray, chance: random.Random) -> bytearray:
    """Zeros in the place of the last transport packets."""
    count = chance.choice((1, 5, 20, 100))
    data[-188 * count :] = bytes(188 * count)
    return data


def swapped_packets(data: bytearray, chance: random.Random) -> bytearray:
    """Two packets side by side in the wrong order."""
    at = chance.choice(packets(bytes(data))[30:-1])
    data[at : at + 376] = data[at + 188 : at + 376] + data[at : at + 188]
    return data


def repeated_packet(data: bytearray, chance: random.Random) -> bytearray:
    """A packet that comes twice, which is allowed."""
    at = chance.choice(packets(bytes(data))[30:])
    data[at:at] = data[at : at + 188]
    return data


def scrambled_packet(data: bytearray, chance: random.Random) -> bytearray:
    """One wrong bit in the head of a packet: its sync byte, stream, flags or counter."""
    at = chance.choice(packets(bytes(data))[30:])
    data[at + chance.randrange(4)] ^= 1 << chance.randrange(8)
    return data


def _times(data: bytes, begin: int = 0) -> Iterator[int]:
    """Offsets of the five bytes of each presentation and decoding time from `begin` on."""
    for at in packets(data):
        if at < begin or not data[at + 1] & 0x40:
            continue
        start = at + 4 + (1 + data[at + 4] if data[at + 3] & 0x20 else 0)
        if start + 19 > at + 188 or data[start : start + 3] != b"\0\0\1" or data[start + 3] < 0xBD:
            continue
        flags = data[start + 7] >> 6
        yield from (start + 9 + 5 * index for index in range({2: 1, 3: 2}.get(flags, 0)))


def _clock_references(data: bytes, begin: int) -> Iterator[int]:
    """Offsets of the six bytes of each clock reference from `begin` on."""
    for at in packets(data):
        if at >= begin and data[at + 3] & 0x20 and data[at + 4] > 6 and data[at + 5] & 0x10:
            yield at + 6


def shift_clock(data: bytearray, ticks: int, begin: int = 0) -> bytearray:
    """Moves all times and clock references from the byte `begin` on."""
    for at in list(_times(bytes(data), begin)):
        field = int.from_bytes(data[at : at + 5], "big")
        time = (field >> 33 & 7) << 30 | (field >> 17 & 0x7FFF) << 15 | field >> 1 & 0x7FFF
        time = (time + ticks) % WRAP
        field = (
            field >> 36 << 36 | (time >> 30) << 33 | (time >> 15 & 0x7FFF) << 17 | (time & 0x7FFF) << 1 | 0x100010001
        )
        data[at : at + 5] = field.to_bytes(5, "big")
    for at in _clock_references(bytes(data), begin):
        field = int.from_bytes(data[at : at + 6], "big")
        field = ((field >> 15) + ticks) % WRAP << 15 | field & 0x7FFF
        data[at : at + 6] = field.to_bytes(6, "big")
    return data


def wrap(data: bytearray, chance: random.Random) -> bytearray:
    """A whole file whose clock starts over within it."""
    return shift_clock(data, WRAP - int(chance.uniform(1.5, 7) * CLOCK))


def jump(data: bytearray, chance: random.Random) -> bytearray:
    """A clock that jumps, by a second to many hours, forth or back."""
    seconds = chance.choice((1, 3, 20, 600, 3600 * 5, 3600 * 20)) * chance.choice((-1, 1))
    return shift_clock(data, seconds * CLOCK, 188 * chance.randrange(len(data) // 188 // 4, len(data) // 188))


def one_time(data: bytearray, chance: random.Random) -> bytearray:
    """One wrong bit in one time."""
    data[chance.choice(list(_times(bytes(data)))) + chance.randrange(5)] ^= 1 << chance.randrange(8)
    return data


PACKETS: list[Mutation] = [lost_packets, sixteen_lost_packets, zeroed_packets, zeroed_end, swapped_packets,
           repeated_packet, scrambled_packet, wrap, jump, one_time]  # fmt: skip
