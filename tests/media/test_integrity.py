"""Damage of which libav says nothing is found, and listed with its time where it has one."""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import iso_mutations
import matroska_mutations
import pytest
import transport_mutations
from ffmpeg_tools import make_recording
from media_mutations import RECORDINGS, record

from realtime import open_source
from realtime.diagnostics import DamagedPlace, Diagnostics
from realtime.media.continuity import ContinuityCheck, Gap
from realtime.media.mpegts import TransportDamage, find_damage

pytestmark = pytest.mark.needs("ffmpeg")
Damage = Callable[[bytearray], object]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("recordings")
    return {name: record(folder, name).read_bytes() for name in RECORDINGS}


def found(data: bytes | bytearray, path: Path) -> Diagnostics:
    path.write_bytes(data)
    with open_source(path) as source:
        assert len(list(source.frames())) > 10
    return source.info.diagnostics


def box(data: bytes, kind: bytes, number: int = 0) -> int:
    """The offset of the content of a box, by its place among those of its kind."""
    return [at for name, at, _ in iso_mutations.boxes(data) if name == kind][number] + 8


def number(kind: bytes, which: int, at: int, value: int) -> Damage:
    """Four bytes in the content of a box."""

    def damage(data: bytearray) -> None:
        offset = box(bytes(data), kind, which) + at
        data[offset : offset + 4] = value.to_bytes(4, "big")

    return damage


def renamed(kind: bytes, which: int = 0) -> Damage:
    def damage(data: bytearray) -> None:
        data[box(bytes(data), kind, which) - 4] ^= 1

    return damage


def without_fragment(which: int) -> Damage:
    def damage(data: bytearray) -> None:
        begin = box(bytes(data), b"moof", which) - 8
        end = next(end for kind, at, end in iso_mutations.boxes(bytes(data)) if kind == b"mdat" and at > begin)
        del data[begin:end]

    return damage


def mutation(work: Callable[[bytearray, random.Random], bytearray], seed: int = 1) -> Damage:
    def damage(data: bytearray) -> None:
        data[:] = work(data, random.Random(seed))

    return damage


def disguised_block(data: bytearray) -> None:
    """A block whose name is that of another element that a cluster may hold."""
    data[matroska_mutations.blocks(bytes(data))[40][0]] = 0xAB


def broken_tracks(data: bytearray) -> None:
    """The size of the last track's last field."""
    end = next(end for name, _, _, end in matroska_mutations.elements(bytes(data)) if name == 0x1654AE6B)
    data[data.rindex(b"\x63\xa2", 0, end) + 2] ^= 1  # the head of the codec


def wrong_tag(data: bytearray) -> None:
    """One wrong letter in the tags."""
    data[next(end for name, _, _, end in matroska_mutations.elements(bytes(data)) if name == 0x1254C367) - 3] ^= 1


def flipped_bit(data: bytearray) -> None:
    """One wrong bit in a packet of sound, which no decoder sees here."""
    _, _, end = next(b for b in matroska_mutations.blocks(bytes(data))[20:] if data[b[1]] == 0x82)
    data[end - 3] ^= 1


def wrong_index(data: bytearray) -> None:
    """The offset of a chunk in AVI's index."""
    data[data.index(b"idx1") + 8 + 16 * 30 + 8] ^= 4


CASES: list[tuple[str, Damage, str]] = [
    ("a.mp4", number(b"stco", 0, 8 + 4 * 30, 5000), "1 chunks of samples overlap|chunks of samples overlap"),
    ("a.mp4", number(b"stco", 0, 8 + 4 * 30, 1 << 30), "samples lie behind the end of the file"),
    ("a.mp4", number(b"stsc", 1, 12, 3), "numbers of samples and chunks of track 2"),
    ("a.mp4", number(b"stsc", 1, 8 + 12 * 20 + 8, 2), "descriptions of samples of track 2"),
    ("a.mp4", number(b"stts", 0, 8, 140), "numbers of samples and times of track 1"),
    ("a.mp4", number(b"stts", 0, 12, 700), "length and times of track 1"),
    ("a.mp4", number(b"ctts", 0, 12 + 8 * 20, 1 << 31), "presentation times of track 1"),
    ("a.mp4", number(b"ctts", 0, 8 + 8 * 20, 7), "numbers of samples and presentation times of track 1"),
    ("a.mp4", number(b"stsz", 1, 12 + 4 * 20, 0), "sizes of track 2"),
    ("a.mp4", number(b"elst", 1, 8, 20), "edit list and length of track 2"),
    ("a.mp4", number(b"elst", 1, 12, 1 << 31), "edit list of track 2"),
    ("a.mov", number(b"elst", 1, 12, 1 << 24), "edit list and samples of track 2"),
    ("a.mp4", number(b"elst", 0, 12, 0), "edit list and presentation times of track 1"),
    ("a.mp4", renamed(b"stsz", 1), "track 2 has no stsz"),
    ("a.mp4", renamed(b"trak", 1), "a track is in a box of another type"),
    ("a.mp4", number(b"hdlr", 1, 8, 0x76696465), "track 2 has two kinds"),
    ("fragments.mp4", number(b"mdhd", 0, 12, 1 << 31), "the clock of track 1"),
    ("fragments.mp4", renamed(b"moof"), "bytes of samples belong to no packet"),
    ("fragments.mp4", renamed(b"traf", 5), "bytes of samples belong to no packet"),
    ("fragments.mp4", number(b"mfhd", 5, 4, 8), "2 fragments are missing"),
    ("fragments.mp4", without_fragment(-1), "1 fragments are not where the file lists them"),
    ("fragments.mp4", number(b"tfdt", 4, 8, 90_000), "the times of track 1 jump"),
    ("a.mkv", flipped_bit, "the checksum of a cluster does not fit its content"),
    ("a.mkv", wrong_tag, "the checksum of what describes the file does not fit its content"),
    ("a.webm", disguised_block, "bytes that are no whole elements"),
    ("a.webm", mutation(matroska_mutations.dropped_block), "bytes that are no whole elements"),
    ("a.webm", broken_tracks, "the list of tracks is no row of whole elements"),
    ("live.mkv", mutation(matroska_mutations.dropped_cluster), "frames are missing: "),
    ("live.mkv", mutation(matroska_mutations.dropped_cluster), "sound is missing for "),
    ("a.ts", mutation(transport_mutations.sixteen_lost_packets, 2), "is missing for |are missing"),
    ("a.ts", mutation(transport_mutations.zeroed_end), "the file ends with bytes that are no whole transport packet"),
    ("a.ts", mutation(transport_mutations.zeroed_packets), "bytes that are no transport packets"),
    ("a.avi", wrong_index, "chunks that the index lists in another way: 1"),
    ("a.avi", lambda data: data.__setitem__(data.index(b"01wb", 90_000) + 1, 0x7F), "bytes that are no chunk"),
]


@pytest.mark.parametrize(("name", "damage", "text"), CASES, ids=[f"{name}: {text[:40]}" for name, _, text in CASES])
def test_damage_is_named(name: str, damage: Damage, text: str, recordings: dict[str, bytes], tmp_path: Path) -> None:
    data = bytearray(recordings[name])
    damage(data)
    diagnostics = found(data, tmp_path / name)
    assert diagnostics.damaged
    assert any(re.search(text, place.text) for place in diagnostics.places)


def test_a_wrong_clock_of_one_track_is_told(recordings: dict[str, bytes], tmp_path: Path) -> None:
    data = bytearray(recordings["fragments.mp4"])
    number(b"mdhd", 0, 12, 6400)(data)
    diagnostics = found(data, tmp_path / "a.mp4")
    assert [message.text for message in diagnostics.messages] == ["the picture lasts 0:12.0 and the sound 0:06.1"]
    assert not diagnostics.damaged


def test_places_have_the_time_at_which_they_are_shown(recordings: dict[str, bytes], tmp_path: Path) -> None:
    data = recordings["a.ts"]
    mine = transport_mutations.packets(data, 256)
    begin = mine[len(mine) // 2]
    diagnostics = found(data[:begin] + bytes(188 * 64) + data[begin + 188 * 64 :], tmp_path / "a.ts")
    times = [place.seconds for place in diagnostics.places]
    # The stream begins at 1.5 s and lasts for 6 s.
    assert times
    assert all(time is not None and 3 < time < 6 for time in times)
    (text,) = [message.text for message in diagnostics.messages if "near" in message.text]
    assert re.fullmatch(r"damaged near (0:0[345]\.\d(, )?)+", text)


def transport(length: int, packets: int, first: int = 0) -> bytes:
    """An elementary packet of `packets` transport packets, which declares `length` bytes behind its first six."""
    head = b"\0\0\1\xc0" + length.to_bytes(2, "big")
    parts = [(head if index == 0 else b"").ljust(184, b"\x55") for index in range(packets)]
    heads = [bytes((0x47, 0x41 if index == 0 else 0x01, 0x00, 0x10 | (first + index) % 16)) for index in range(packets)]
    return b"".join(head + part for head, part in zip(heads, parts))


def test_missing_transport_packets_are_found_by_the_length_that_a_stream_declares(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    whole, following = transport(40 * 184 - 6, 40), transport(20 * 184 - 6, 20, first=8)
    path.write_bytes(whole + following)
    assert find_damage(path) == ([], None)
    path.write_bytes(whole[: 188 * 10] + whole[188 * 26 :] + following)
    assert find_damage(path) == ([TransportDamage(0, "packets of stream 256 are missing")], None)
    # Where the counter breaks as well, libav sees it.
    path.write_bytes(whole[: 188 * 10] + whole[188 * 27 :] + following)
    assert find_damage(path) == ([], None)
    path.write_bytes(whole + bytes(500) + following + bytes(100))
    gap, cut = find_damage(path)
    assert [damage.offset for damage in gap] == [188 * 40]
    assert cut is not None
    assert cut.offset == 188 * 60 + 500


LIVE = ("-live", "1", "-cluster_time_limit", "500")
#: Intact files of which nothing but the times tells what is missing.
INTACT: dict[str, tuple[str, ...]] = {
    "ntsc.mkv": ("-r", "30000/1001", *LIVE),
    "variable.mkv": ("-vf", "select='not(mod(n,7))+lt(mod(n,50),25)'", "-fps_mode", "vfr", *LIVE),
    "b_frames.mkv": ("-bf", "3", "-ar", "44100", *LIVE),
    "vorbis.mkv": ("-c:a", "libvorbis", *LIVE),
    "mp3.mkv": ("-c:a", "mp3", *LIVE),
    "opus.webm": ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-c:a", "libopus", *LIVE),
    "ac3.ts": ("-c:a", "ac3", "-r", "30000/1001"),
    "interlaced.ts": ("-c:v", "mpeg2video", "-flags", "+ilme+ildct", "-c:a", "mp2"),
    "early_sound.mkv": ("-c:a", "aac", *LIVE),
    "slow.flv": ("-r", "7", "-c:v", "libx264", "-ar", "44100"),
}


@pytest.mark.parametrize("name", INTACT)
def test_intact_streams_are_not_called_damaged(name: str, tmp_path: Path) -> None:
    data = make_recording(tmp_path / f"whole_{name}", *INTACT[name], seconds=4).read_bytes()
    diagnostics = found(data, tmp_path / name)
    assert not diagnostics.damaged
    assert diagnostics.places == ()


def test_a_piped_file_without_sizes_is_not_called_damaged(recordings: dict[str, bytes], tmp_path: Path) -> None:
    for name, form in (("a.mkv", "matroska"), ("a.ts", "mpegts"), ("fragments.mp4", "flv")):
        (tmp_path / name).write_bytes(recordings[name])
        command = ["ffmpeg", "-v", "error", "-i", str(tmp_path / name), "-map", "0:v", "-map", "0:a", "-c", "copy"]
        done = subprocess.run([*command, "-f", form, "pipe:1"], check=True, capture_output=True, timeout=60)
        assert found(done.stdout, tmp_path / f"piped_{name}").places == ()


def checked(*streams: list[int], alone: bool = True) -> tuple[list[Gap], list[Gap]]:
    """The gaps of the picture, in milliseconds, and of sound."""
    check = ContinuityCheck(alone, sound_gaps=False)
    for index, times in enumerate(streams):
        for time in times:
            packet: Any = SimpleNamespace(pts=time, dts=time, time_base=0.001, stream=SimpleNamespace(index=index))
            check.add(packet, index == 0)
    return check.missing()


def test_a_missing_frame_is_found_by_the_rate_of_the_others() -> None:
    times = [round(index * 1000 / 30) for index in range(60)]
    sound = [round(index * 1024 / 48) for index in range(100)]
    assert checked(times, sound) == ([], [])
    pictures, silent = checked(times[:20] + times[22:], sound[:50] + sound[51:])
    assert [(gap.count, round(gap.begin, 2)) for gap in pictures] == [(2, 0.67)]
    assert [(gap.count, round(gap.begin, 2)) for gap in silent] == [(1, 1.07)]
    assert checked(times[:20] + times[22:], sound[:50] + sound[51:], alone=False) == ([], [])


def test_frames_without_a_rate_have_no_gaps_of_their_own() -> None:
    chance = random.Random(1)
    times = [0]
    for _ in range(100):
        times.append(times[-1] + chance.choice((20, 33, 51, 90)))
    assert checked(times) == ([], [])


def test_more_places_than_a_list_holds_are_dropped() -> None:
    diagnostics = Diagnostics()
    for index in range(2000):
        diagnostics.place(index, "gone")
    assert len(diagnostics.places) == 1000
    assert diagnostics.places[1] == DamagedPlace(1.0, "gone")
