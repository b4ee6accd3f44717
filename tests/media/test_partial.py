"""What is kept of an interrupted file: nothing that is damaged, and nothing at a wrong time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import synthetic

from realtime import EncodingOptions, Frame, PixelFormat, SinkError, StreamInfo, open_sink
from realtime.media.containers import AVI, MATROSKA, MPEGTS
from realtime.media.job_tag import container_tags, read_job
from realtime.media.libav import av
from realtime.media.packet_scan import packet_times
from realtime.media.part_file import part_path
from realtime.media.partial import KeptPart, find_kept_part
from realtime.sinks.video_file import VideoFileSink

COUNT, GROUP = 200, 50
FORMAT = PixelFormat("yuv", 8, (2, 2), "bt601", full_range=False)
JOB = "0123456789abcdef-0123456789abcdef"
SUFFIXES = (".mp4", ".mkv", ".ts")


def noisy(index: int) -> Frame:
    noise = np.random.default_rng(index)
    planes = [noise.integers(60, 200, shape, dtype=np.uint8) for shape in FORMAT.shapes(64, 48)]
    return Frame(tuple(planes), FORMAT, index, Fraction(1, 25))


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What killed runs left: groups of 50 frames, the last of which is not whole."""
    result = {}
    for suffix in SUFFIXES:
        path = tmp_path_factory.mktemp("part") / f"out{suffix}"
        # Nothing held back by the encoder, and no keyframes but the regular ones.
        options = {"sc_threshold": "0", "tune": "zerolatency", "bf": "2"}
        sink = open_sink(path, EncodingOptions(encoder_options=options))
        assert isinstance(sink, VideoFileSink)
        sink.set_metadata({"realtime_job": JOB})
        sink.open(StreamInfo(64, 48, FORMAT, Fraction(1, 25), Fraction(25), COUNT))
        for index in range(COUNT):
            sink.write(noisy(index))
        result[suffix] = part_path(path).read_bytes()
        sink.abort()
    return result


def source_times(exact: bool) -> Sequence[Fraction]:
    return [Fraction(index, 25) for index in range(300)]


def kept(folder: Path, suffix: str, data: bytes) -> KeptPart:
    path = folder / f"part{suffix}"
    path.write_bytes(data)
    return KeptPart(path, JOB)


every = pytest.mark.parametrize("suffix", SUFFIXES)


@every
def test_a_sound_part_is_kept_but_for_its_last_group(suffix: str, parts: dict[str, bytes], tmp_path: Path) -> None:
    part = kept(tmp_path, suffix, parts[suffix])
    assert (part.same_job, part.frames) == (True, COUNT - GROUP)
    assert part.check(source_times) == 0
    packets = list(part.packets(Fraction(COUNT - GROUP, 25)))
    shown = sorted(packet.pts * packet.time_base for packet in packets)
    assert shown == [pytest.approx(time, abs=0.001) for time in source_times(False)[: COUNT - GROUP]]
    assert all(a.dts < b.dts and a.dts <= a.pts for a, b in pairwise(packets))


def offset_of_frame(path: Path, index: int) -> int:
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    return int(packets[index].pos)


@every
@pytest.mark.parametrize("kind", ["zeros", "noise", "removed", "cut"])
def test_damage_costs_its_group_and_what_is_behind_it(
    suffix: str, kind: str, parts: dict[str, bytes], tmp_path: Path
) -> None:
    data = bytearray(parts[suffix])
    start = offset_of_frame(kept(tmp_path, suffix, parts[suffix]).path, GROUP + 25)
    changes: dict[str, Callable[[], object]] = {
        "zeros": lambda: data.__setitem__(slice(start, start + 4096), bytes(4096)),
        "noise": lambda: data.__setitem__(slice(start, start + 4096), np.random.default_rng(1).bytes(4096)),
        "removed": lambda: data.__delitem__(slice(start, start + 4096)),
        "cut": lambda: data.__delitem__(slice(start, None)),
    }
    changes[kind]()
    part = kept(tmp_path, suffix, bytes(data))
    dropped = part.check(source_times)
    assert part.frames == GROUP
    assert dropped > 0 or kind in ("cut", "removed"), "what cannot be read at all was not there to be dropped"


def test_groups_in_another_order_are_not_kept(parts: dict[str, bytes], tmp_path: Path) -> None:
    """Matroska with clusters in the wrong order: each group is whole, and each frame is there."""
    data, path = parts[".mkv"], kept(tmp_path, ".mkv", parts[".mkv"]).path
    # A cluster begins with each group.
    first, second, third = (
        data.rindex(b"\x1f\x43\xb6\x75", 0, offset_of_frame(path, GROUP * group)) for group in (1, 2, 3)
    )
    part = kept(tmp_path, ".mkv", data[:first] + data[second:third] + data[first:second] + data[third:])
    assert part.check(source_times) == 2 * GROUP
    assert part.frames == GROUP


@every
def test_frames_at_other_times_than_the_sources_are_not_kept(
    suffix: str, parts: dict[str, bytes], tmp_path: Path
) -> None:
    part = kept(tmp_path, suffix, parts[suffix])

    def one_missing(exact: bool) -> Sequence[Fraction]:
        return [time for time in source_times(exact) if time != Fraction(120, 25)]

    assert part.check(one_missing) == GROUP
    assert part.frames == 2 * GROUP


@every
def test_exact_times_are_asked_for_only_where_the_packets_times_differ(
    suffix: str, parts: dict[str, bytes], tmp_path: Path
) -> None:
    asked: list[bool] = []

    def times(exact: bool) -> Sequence[Fraction]:
        asked.append(exact)
        return source_times(exact) if exact else []

    part = kept(tmp_path, suffix, parts[suffix])
    assert part.check(times) == 0
    assert asked == [False, True]


@every
def test_a_lost_beginning_is_not_taken_for_a_shift(suffix: str, parts: dict[str, bytes], tmp_path: Path) -> None:
    """The first frames are 3 s later than the source's: a container shifts less."""
    part = kept(tmp_path, suffix, parts[suffix])
    part.check(lambda exact: [time - 3 for time in source_times(exact)])
    assert part.frames == 0


def test_what_another_job_left_is_refused(parts: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "out.mkv"
    part_path(path).write_bytes(parts[".mkv"])
    with pytest.raises(SinkError, match="with other settings; repeat those, or start over with overwrite=True"):
        find_kept_part(path, JOB.replace("0", "1"))
    found = find_kept_part(path, JOB)
    assert found is not None
    assert found.frames == COUNT - GROUP


@pytest.mark.parametrize("content", [b"", b"no video at all", bytes(5000)])
def test_what_is_no_video_is_nothing_to_keep(content: bytes, tmp_path: Path) -> None:
    part_path(tmp_path / "out.mp4").write_bytes(content)
    assert find_kept_part(tmp_path / "out.mp4", JOB) is None


def test_a_link_is_nothing_to_keep(parts: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "elsewhere.mkv").write_bytes(parts[".mkv"])
    part_path(tmp_path / "out.mkv").symlink_to(tmp_path / "elsewhere.mkv")
    assert find_kept_part(tmp_path / "out.mkv", JOB) is None


@every
def test_the_job_is_read_from_the_file(suffix: str, parts: dict[str, bytes], tmp_path: Path) -> None:
    assert JOB in (read_job(kept(tmp_path, suffix, parts[suffix]).path) or "")
    assert read_job(synthetic.clip(tmp_path / "plain.mp4")) is None


def test_tags_that_are_no_unicode_are_written_without_what_is_not() -> None:
    tags = {"enhanced_by": "realtime \udcff", "realtime_job": JOB, "enhanced_with": "x"}
    assert container_tags(tags, MATROSKA) == {**tags, "enhanced_by": "realtime ?"}
    assert container_tags(tags, MPEGTS) == {"service_provider": "realtime ?", "service_name": JOB}
    assert container_tags(tags, AVI) == {"encoded_by": "realtime ?"}


def test_times_of_packets_within_a_span(tmp_path: Path) -> None:
    path = synthetic.clip(tmp_path / "a.mp4", count=10)
    assert packet_times(path, 0, None, None) == [Fraction(index, 25) for index in range(10)]
    assert packet_times(path, 0, 0.08, 0.2) == [Fraction(index, 25) for index in (2, 3, 4)]
