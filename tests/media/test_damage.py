"""Damage that libav skips in silence is counted, what is only odd is not, and no other file is opened."""

from __future__ import annotations

import ctypes
import os
import random
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ffmpeg_tools import ffmpeg, make_recording, make_video, packet_times, times
from plain import Plain

from realtime import enhance_video, open_source
from realtime.diagnostics import Diagnostics
from realtime.media.libav import av

pytestmark = pytest.mark.needs("ffprobe", "ffmpeg")


def jpegs(path: Path, change: Callable[[bytes], bytes] = bytes) -> Path:
    """Fifty pictures of MJPEG with the standard tables, each of them changed."""
    whole = path.with_name(f"whole{path.suffix}")
    make_video(whole, "-vf", "noise=alls=20:allf=t", "-c:v", "mjpeg", "-huffman", "default", "-q:v", "5")
    with av.open(str(whole)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0], opaque=True)
        for packet in source.demux(video=0):
            if packet.size:
                made = av.Packet(change(bytes(packet)))
                made.stream, made.pts, made.dts, made.time_base = stream, packet.pts, packet.dts, packet.time_base
                made.duration, made.is_keyframe = packet.duration, True
                target.mux(made)
    return path


def read(path: Path) -> tuple[int, Diagnostics]:
    """How many pictures there are, and what was found on the way."""
    with open_source(path) as source:
        return len(list(source.frames())), source.info.diagnostics


def flipped(picture: bytes) -> bytes:
    """With one bit of the second half wrong, where no table is."""
    made = bytearray(picture)
    made[random.randrange(len(made) // 2, len(made) - 2)] ^= 1 << random.randrange(8)
    return bytes(made)


@pytest.mark.parametrize("suffix", [".avi", ".mov"])
def test_flipped_bits_in_jpegs_are_counted_and_cost_no_picture(suffix: str, tmp_path: Path) -> None:
    random.seed(1)
    count, diagnostics = read(jpegs(tmp_path / f"a{suffix}", flipped))
    assert count == 50
    assert 5 <= diagnostics.counts["concealed_frames"] < 50
    assert diagnostics.damaged
    enhance_video(tmp_path / f"a{suffix}", tmp_path / "out.mkv", enhancer=Plain())
    assert times(tmp_path / "out.mkv") == times(tmp_path / f"whole{suffix}")


def without_tables(picture: bytes) -> bytes:
    """As most webcams send them: everybody knows the Huffman tables of the standard."""
    made, place = picture[:2], 2
    while True:
        length = 2 + struct.unpack(">H", picture[place + 2 : place + 4])[0]
        if picture[place + 1] != 0xC4:
            made += picture[place : place + length]
        place += length
        if picture[place - length + 1] == 0xDA:
            return made + picture[place:]


@pytest.mark.parametrize("suffix", [".avi", ".mov"])
@pytest.mark.parametrize(
    "odd",
    [
        bytes,
        without_tables,
        lambda picture: picture + bytes(500),
        lambda picture: picture + b"\xff" * 500,
        lambda picture: picture[:-2] + b"\xff\xff\xff" + picture[-2:],
        lambda picture: picture[:-2] + bytes(6) + picture[-2:],
        lambda picture: picture[:-2],
        lambda picture: picture[:2] + b"\xff\xe0\x00\x10AVI1".ljust(18, b"\0") + picture[2:],
        lambda picture: picture[:2] + b"\xff\xe1\x00\x08Exif\0\0\xff\xfe\x00\x03x" + picture[2:],
    ],
    ids=["plain", "no tables", "zeros", "ones", "fill", "zeros inside", "no end", "AVI1", "marks"],
)
def test_odd_but_whole_jpegs_are_no_damage(suffix: str, odd: Callable[[bytes], bytes], tmp_path: Path) -> None:
    count, diagnostics = read(jpegs(tmp_path / f"a{suffix}", odd))
    assert (count, diagnostics.messages) == (50, ())


def element(name: str, *parts: bytes) -> bytes:
    """An element of Matroska with eight bytes of length."""
    data = b"".join(parts)
    return bytes.fromhex(name) + struct.pack(">Q", 1 << 56 | len(data)) + data


def elements(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The elements side by side in `data`."""
    place = 0
    while place < len(data):
        ends = []
        for keep in (True, False):  # the name, which keeps its mark of length, and the length, which loses it
            size = 9 - data[place].bit_length()
            mask = 0 if keep else 1 << 7 * size
            ends.append(int.from_bytes(data[place : place + size], "big") - mask)
            place += size
        yield f"{ends[0]:X}", data[place : place + ends[1]]
        place += ends[1]


def rebuilt(path: Path, clusters: Callable[[bytes], bytes]) -> Path:
    """The file with other clusters, each made from the content of one."""
    (head, first), (_, segment) = elements(path.read_bytes())
    kept = dict(elements(segment))
    body = [element(name, kept[name]) for name in ("1549A966", "1654AE6B")]
    made = [clusters(data) for name, data in elements(segment) if name == "1F43B675"]
    path.write_bytes(element(head, first) + element("18538067", *body, *made))
    return path


def otherwise(cluster: bytes) -> bytes:
    """A cluster as others write it: pictures in groups, sound two packets a block, room between."""
    made, waiting = [element("E7", dict(elements(cluster))["E7"])], b""
    for name, data in elements(cluster):
        if name == "A3" and data[0] == 0x81:
            more = element("75A1", element("A6", element("EE", b"\x04"), element("A5", bytes(50))))
            made += [element("A0", element("A1", data), more), element("EC", bytes(500))]
        elif name == "A3" and not waiting:
            waiting = data
        elif name == "A3":
            size = len(waiting) - 4
            laced = waiting[:3] + b"\x02\x01" + b"\xff" * (size // 255) + bytes([size % 255]) + waiting[4:] + data[4:]
            made, waiting = [*made, element("A3", laced)], b""
    return element("1F43B675", *made, element("A3", waiting) if waiting else b"")


def test_matroska_as_others_write_it_is_no_damage(tmp_path: Path) -> None:
    source = make_recording(tmp_path / "a.mkv", seconds=2)
    sound = len(packet_times(source, "a:0"))
    assert read(rebuilt(source, otherwise))[1].messages == ()
    enhance_video(source, tmp_path / "out.mkv", enhancer=Plain())
    assert (len(times(tmp_path / "out.mkv")), len(packet_times(tmp_path / "out.mkv", "a:0"))) == (50, sound)
    # Written without going back: clusters of unknown length, no index.
    command = ["ffmpeg", "-v", "error", "-i", str(source), "-c", "copy", "-f", "matroska", "pipe:1"]
    (tmp_path / "b.mkv").write_bytes(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)
    count, diagnostics = read(tmp_path / "b.mkv")
    assert (count, diagnostics.messages) == (50, ())


@pytest.mark.parametrize("suffix", [".mkv", ".webm"])
@pytest.mark.parametrize("how", ["zeros", "cut", "another name"])
def test_what_is_passed_over_in_matroska_is_counted(suffix: str, how: str, tmp_path: Path) -> None:
    codecs = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-c:a", "libopus") if suffix == ".webm" else ()
    source = make_recording(tmp_path / f"a{suffix}", *codecs, "-cluster_time_limit", "500", seconds=4)
    assert read(source)[1].messages == ()
    data = bytearray(source.read_bytes())
    with av.open(str(source)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    if how == "zeros":
        data[places[50] : places[70]] = bytes(places[70] - places[50])
    elif how == "cut":
        del data[places[-5] + 3 :]
    else:
        # A block's header has two or three bytes, and the name is the first.
        place = max(places[50] - 3, data.rindex(0xA3, 0, places[50]))
        data[place] ^= 0x10
    source.write_bytes(data)
    count, diagnostics = read(source)
    assert 50 <= count < 100
    assert diagnostics.damaged
    assert "missing_seconds" not in diagnostics.counts


@pytest.mark.parametrize("gone", [1, 100, 187])
@pytest.mark.parametrize("before", [0, 50])
def test_a_transport_stream_that_ends_within_a_piece_was_cut_off(gone: int, before: int, tmp_path: Path) -> None:
    source = make_recording(tmp_path / "a.ts", "-c:v", "mpeg2video", seconds=1)
    data = source.read_bytes()
    source.write_bytes(data[before:-gone])
    assert read(source)[1].damaged
    source.write_bytes(data[before:] + bytes(1000))
    assert read(source)[1].damaged, "whether those zeros were packets cannot be known"


def test_a_hole_in_a_transport_stream_is_counted_and_a_joint_is_not(tmp_path: Path) -> None:
    whole, other = (make_recording(tmp_path / name, "-c:v", "mpeg2video", seconds=4) for name in ("a.ts", "b.ts"))
    data = whole.read_bytes()
    with av.open(str(whole)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    (tmp_path / "hole.ts").write_bytes(data[: places[50]] + data[places[60] :])
    (tmp_path / "joint.ts").write_bytes(data + other.read_bytes())
    count, diagnostics = read(tmp_path / "hole.ts")
    assert count == 90
    assert diagnostics.damaged
    assert "concealed_frames" not in diagnostics.counts
    count, diagnostics = read(tmp_path / "joint.ts")
    assert count >= 198
    assert not diagnostics.damaged


def test_segments_that_are_put_together_are_no_damage_and_a_missing_one_is(tmp_path: Path) -> None:
    """What programs that record in pieces leave: times go on, and the counters of packets begin anew."""
    whole = make_recording(tmp_path / "a.ts", "-g", "50", seconds=6)
    ffmpeg("-i", whole, "-c", "copy", "-f", "segment", "-segment_time", "2", tmp_path / "part%d.ts")
    parts = [(tmp_path / f"part{number}.ts").read_bytes() for number in range(3)]
    (tmp_path / "all.ts").write_bytes(b"".join(parts))
    count, diagnostics = read(tmp_path / "all.ts")
    assert (count, diagnostics.messages) == (150, ())
    (tmp_path / "two.ts").write_bytes(parts[0] + parts[2])
    count, diagnostics = read(tmp_path / "two.ts")
    assert count + diagnostics.counts["missing_frames"] == 150
    assert count < 110
    (tmp_path / "cut.ts").write_bytes(parts[0][: -188 * 40] + parts[1] + parts[2])
    assert read(tmp_path / "cut.ts")[1].damaged


UID = {"own": bytes(range(16)), "other": bytes(range(16, 32))}


def linked(path: Path, other: Path) -> Path:
    """Matroska that goes on with another file in two ways: as its next segment, and as a chapter that plays it."""
    (head, first), (_, segment) = elements(make_video(path, seconds=1).read_bytes())
    kept = dict(elements(segment))
    link = [element("73A4", UID["own"]), element("3EB923", UID["other"]), element("3E83BB", other.name.encode())]
    info = b"".join(element(name, data) for name, data in elements(kept["1549A966"]) if name not in ("73A4", "EC"))
    times = (element("91", bytes(1)), element("92", struct.pack(">I", 10**9)))
    atoms = [
        element("B6", element("73C4", b"\x01"), *times),
        element("B6", element("73C4", b"\x02"), *times, element("6E67", UID["other"])),
    ]
    chapters = element("1043A770", element("45B9", element("45DD", b"\x01"), *atoms))
    clusters = [element(name, data) for name, data in elements(segment) if name == "1F43B675"]
    body = [element("1549A966", info, *link), element("1654AE6B", kept["1654AE6B"]), chapters, *clusters]
    path.write_bytes(element(head, first) + element("18538067", *body))
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells by inotify which files are opened")
def test_segments_of_matroska_in_other_files_are_not_opened(tmp_path: Path) -> None:
    other = make_video(tmp_path / "other.mkv", seconds=1)
    source = linked(tmp_path / "a.mkv", other)
    data = source.read_bytes()
    assert all(mark in data for mark in (UID["own"], UID["other"], b"other.mkv"))
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_NONBLOCK)
    try:
        assert libc.inotify_add_watch(watch, bytes(other), 0x20) >= 0  # IN_OPEN
        report = enhance_video(source, tmp_path / "out.mkv", enhancer=Plain())
        with pytest.raises(BlockingIOError):
            os.read(watch, 4096)
        assert (report.frames, report.damaged) == (25, False)
        assert len(times(tmp_path / "out.mkv")) == 25
        other.read_bytes()
        assert os.read(watch, 4096), "it would have been noticed"
    finally:
        os.close(watch)
