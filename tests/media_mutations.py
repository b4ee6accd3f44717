"""Recordings, and damage to them that knows their structure: what cameras, power cuts and bad disks do.

A mutation takes the bytes of a file and a source of random numbers, and returns other bytes.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import ffmpeg_tools

Mutation = Callable[[bytearray, random.Random], bytearray]

SECONDS, FRAMES = 6, 150
#: Each kind of recording: name of the file and arguments of ffmpeg.
SUBTITLE = "1\n00:00:01,000 --> 00:00:02,000\none\n\n2\n00:00:03,000 --> 00:00:04,000\ntwo\n"
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "25", "-crf", "30")
AAC = ("-c:a", "aac")
RECORDINGS: dict[str, tuple[str, ...]] = {
    "a.mp4": (*H264, *AAC, "-c:s", "mov_text"),
    "fragments.mp4": (*H264, *AAC, "-movflags", "frag_keyframe+empty_moov", "-g", "10"),
    "a.mov": ("-c:v", "mjpeg", "-c:a", "pcm_s16le"),
    "a.mkv": (*H264, *AAC, "-c:s", "srt", "-cluster_time_limit", "1000"),
    "live.mkv": (*H264, *AAC, "-live", "1", "-cluster_time_limit", "1000"),
    "a.webm": ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus",
               "-cluster_time_limit", "1000"),
    "a.ts": (*H264, *AAC),
    "a.avi": ("-c:v", "mjpeg", "-c:a", "mp3"),
}  # fmt: skip


def record(folder: Path, name: str) -> Path:
    """Six seconds of noise, 25 frames a second, with sound and, where the container holds them, subtitles."""
    path = folder / name
    subtitles = folder / "subtitles.srt"
    subtitles.write_text(SUBTITLE)
    inputs = ["-f", "lavfi", "-i", f"testsrc2=s=160x120:r=25:d={SECONDS},noise=alls=30:allf=t",
              "-f", "lavfi", "-i", f"sine=r=48000:d={SECONDS}"]  # fmt: skip
    if "-c:s" in RECORDINGS[name]:
        inputs += ["-i", str(subtitles)]
    ffmpeg_tools.ffmpeg(*inputs, *RECORDINGS[name], path)
    return path


def zeros(data: bytearray, chance: random.Random) -> bytearray:
    """A range of 4 to 64 KiB that a disk lost."""
    size = min(chance.choice((4, 16, 64)) << 10, len(data) // 4)
    begin = chance.randrange(len(data) // 8, len(data) - size) & ~0xFFF
    data[begin : begin + size] = bytes(size)
    return data


def zero_tail(data: bytearray, chance: random.Random) -> bytearray:
    """Zeros to the end, as a power cut leaves them."""
    size = chance.randrange(len(data) // 20, len(data) // 3)
    data[-size:] = bytes(size)
    return data


def cut(data: bytearray, chance: random.Random) -> bytearray:
    """Only the beginning of the file."""
    return data[: chance.randrange(len(data) // 3, len(data) - 1)]


def removed(data: bytearray, chance: random.Random) -> bytearray:
    """A range that is missing altogether."""
    size = chance.randrange(1000, len(data) // 8)
    begin = chance.randrange(len(data) // 8, len(data) - size)
    del data[begin : begin + size]
    return data


def flips(data: bytearray, chance: random.Random) -> bytearray:
    """Ten wrong bytes."""
    for _ in range(10):
        data[chance.randrange(len(data) // 50, len(data))] ^= 1 << chance.randrange(8)
    return data


def table_entry(name: bytes, skip: int, size: int) -> Mutation:
    """One wrong number in a sample table of MP4; `skip` bytes behind its name, entries of `size` bytes."""

    def mutate(data: bytearray, chance: random.Random) -> bytearray:
        tables = [i for i in range(len(data)) if data.startswith(name, i)]
        table = chance.choice(tables)
        count = struct.unpack(">I", data[table + skip - 4 : table + skip])[0]
        entry = table + skip + size * chance.randrange(max(count, 1)) + chance.randrange(size // 4) * 4
        value = chance.choice((0, 1 << 31, chance.randrange(1 << 32), chance.randrange(1 << 20)))
        data[entry : entry + 4] = struct.pack(">I", value)
        return data

    mutate.__name__ = name.decode()
    return mutate


def box_size(data: bytearray, chance: random.Random) -> bytearray:
    """One wrong size of a box."""
    names = (b"moov", b"trak", b"mdia", b"stbl", b"moof", b"traf", b"trun", b"mdat", b"stsd", b"avcC", b"tfdt")
    boxes = [i - 4 for i in range(4, len(data)) if data[i : i + 4] in names]
    box = chance.choice(boxes)
    data[box : box + 4] = struct.pack(">I", chance.choice((0, 4, 8, chance.randrange(1 << 16), (1 << 32) - 1)))
    return data


def elements(data: bytes, begin: int = 0, end: int | None = None) -> Iterator[tuple[int, int, int, int]]:
    """Name, offset, offset of the content and its end of each element of Matroska, clusters' and segments' opened."""
    end = len(data) if end is None else end
    while begin < end and data[begin]:
        length = 9 - data[begin].bit_length()
        name = int.from_bytes(data[begin : begin + length], "big")
        start = begin + length
        width = 9 - data[start].bit_length()
        size = int.from_bytes(data[start : start + width], "big") - (1 << 7 * width)
        start += width
        if name in (0x18538067, 0x1F43B675):
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


def block_garbage(data: bytearray, chance: random.Random) -> bytearray:
    """Ten bytes of garbage in a block, of subtitles more often than of others, with their head."""
    found = blocks(bytes(data)) + [(a, b, e) for name, a, b, e in elements(bytes(data)) if name == 0xA0] * 20
    at, _, end = chance.choice(found)
    for index in range(10):
        if at + index < end:
            data[at + index] = chance.randrange(256)
    return data


def _clusters(data: bytes) -> list[tuple[int, int]]:
    starts = [at for name, at, _, _ in elements(data) if name == 0x1F43B675]
    ends = [*starts[1:], next((at for name, at, _, _ in elements(data) if name == 0x1C53BB6B), len(data))]
    return list(zip(starts, ends))


def dropped_cluster(data: bytearray, chance: random.Random) -> bytearray:
    """Matroska without one of its clusters."""
    begin, end = chance.choice(_clusters(bytes(data))[1:-1])
    del data[begin:end]
    return data


def swapped_clusters(data: bytearray, chance: random.Random) -> bytearray:
    """Two clusters side by side in the wrong order."""
    found = _clusters(bytes(data))
    (begin, middle), (_, end) = found[i := chance.randrange(1, len(found) - 2)], found[i + 1]
    data[begin:end] = data[middle:end] + data[begin:middle]
    return data


def lost_transport_packets(data: bytearray, chance: random.Random) -> bytearray:
    """Sixteen transport packets of one stream are missing, which its counter of four bits does not show."""
    pid = chance.choice((256, 257))
    mine = [i for i in range(0, len(data) - 187, 188) if (data[i + 1] & 0x1F) << 8 | data[i + 2] == pid]
    first = chance.randrange(16, len(mine) - 20)
    for at in reversed(mine[first : first + 16]):
        del data[at : at + 188]
    return data


def transport_zeros(data: bytearray, chance: random.Random) -> bytearray:
    """Zeros in the place of whole transport packets."""
    count = chance.choice((16, 64, 350))
    begin = 188 * chance.randrange(100, len(data) // 188 - count)
    data[begin : begin + 188 * count] = bytes(188 * count)
    return data


EVERYWHERE: list[Mutation] = [zeros, zero_tail, cut, removed, flips]
ISO: list[Mutation] = [table_entry(b"stco", 12, 4), table_entry(b"stsz", 16, 4), table_entry(b"stts", 12, 8),
       table_entry(b"stsc", 12, 12), box_size]  # fmt: skip
MATROSKA: list[Mutation] = [lacing, void, element_size, block_garbage, dropped_cluster, swapped_clusters]
MUTATIONS: dict[str, list[Mutation]] = {
    "a.mp4": EVERYWHERE + ISO + [table_entry(b"ctts", 12, 8)],
    "fragments.mp4": EVERYWHERE + [box_size],
    "a.mov": EVERYWHERE + ISO,
    "a.mkv": EVERYWHERE + MATROSKA,
    "live.mkv": [*EVERYWHERE, lacing, void, element_size, dropped_cluster],
    "a.webm": EVERYWHERE + MATROSKA,
    "a.ts": [*EVERYWHERE, lost_transport_packets, transport_zeros],
    "a.avi": EVERYWHERE,
}
