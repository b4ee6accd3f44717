"""Recordings, and damage to them that knows their structure: what cameras, power cuts and bad disks do.

A mutation takes the bytes of a file and a source of random numbers, and returns other bytes.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from pathlib import Path

import ffmpeg_tools
import iso_mutations
import matroska_mutations
import transport_mutations

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
    """A range of 4 KiB to 1 MiB that a disk lost."""
    size = min(chance.choice((4, 16, 64, 256, 1024)) << 10, len(data) // 3)
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


def spliced(data: bytearray, chance: random.Random) -> bytearray:
    """A range of the file that holds another range of it."""
    size = chance.randrange(1000, len(data) // 8)
    begin, source = (chance.randrange(len(data) // 8, len(data) - size) for _ in range(2))
    data[begin : begin + size] = data[source : source + size]
    return data


def noise(data: bytearray, chance: random.Random) -> bytearray:
    """A page of noise."""
    size = min(4096, len(data) // 8)
    begin = chance.randrange(len(data) // 8, len(data) - size) & ~0xFFF
    data[begin : begin + size] = chance.randbytes(size)
    return data


def _chunks(data: bytes) -> list[tuple[int, int]]:
    """Offset and size of the chunks of AVI that hold pictures or sound."""
    found, at = [], data.index(b"movi") + 4
    while at + 8 <= len(data) and data[at : at + 2].isdigit():
        size = struct.unpack("<I", data[at + 4 : at + 8])[0]
        found.append((at, size))
        at += 8 + size + size % 2
    return found


def chunk_size(data: bytearray, chance: random.Random) -> bytearray:
    """A wrong size of a chunk."""
    at, size = chance.choice(_chunks(bytes(data)))
    data[at + 4 : at + 8] = struct.pack("<I", chance.choice((0, size // 2, size + 1000, chance.randrange(1 << 31))))
    return data


def chunk_name(data: bytearray, chance: random.Random) -> bytearray:
    """One wrong bit in the name of a chunk."""
    at, _ = chance.choice(_chunks(bytes(data)))
    data[at + chance.randrange(4)] ^= 1 << chance.randrange(8)
    return data


def chunk_index(data: bytearray, chance: random.Random) -> bytearray:
    """A wrong number in the index of AVI, or in its header."""
    index = data.index(b"idx1")
    places = [*range(index + 8, len(data) - 3, 4)] * 2 + [*range(32, data.index(b"movi") - 8, 4)]
    at = chance.choice(places)
    data[at : at + 4] = struct.pack("<I", chance.choice((0, chance.randrange(1 << 32), chance.randrange(1 << 16))))
    return data


def dropped_chunk(data: bytearray, chance: random.Random) -> bytearray:
    """One to four chunks of AVI are missing; the index still lists them."""
    found = _chunks(bytes(data))
    first, count = chance.randrange(len(found) // 8, len(found) - 4), chance.randrange(1, 5)
    del data[found[first][0] : found[first + count][0]]
    return data


EVERYWHERE: list[Mutation] = [zeros, zero_tail, cut, removed, flips, noise, spliced]
CHUNKS: list[Mutation] = [chunk_size, chunk_name, chunk_index, dropped_chunk]
MUTATIONS: dict[str, list[Mutation]] = {
    "a.mp4": EVERYWHERE + iso_mutations.REORDERED,
    "fragments.mp4": EVERYWHERE + iso_mutations.FRAGMENTED,
    "a.mov": EVERYWHERE + iso_mutations.TABLES,
    "a.mkv": EVERYWHERE + matroska_mutations.BLOCKS,
    "live.mkv": EVERYWHERE + matroska_mutations.BLOCKS,
    "a.webm": EVERYWHERE + matroska_mutations.BLOCKS,
    "a.ts": EVERYWHERE + transport_mutations.PACKETS,
    "a.avi": EVERYWHERE + CHUNKS,
}
