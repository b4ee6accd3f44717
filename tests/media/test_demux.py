"""The 33-bit clock of MPEG-TS wraps every 26.5 hours; pictures and sound go on as if it did not."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import ffmpeg_tools
import pytest
from plain import Plain

from realtime import InputOverrides, enhance_video, open_source
from realtime.media.demux import packets, seek, start_time, unwrap
from realtime.media.opening import open_path

WRAP = Fraction(1 << 33, 90_000)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ffmpeg_tools.make_recording(tmp_path_factory.mktemp("wrap") / "whole.ts", "-g", "25")


@pytest.fixture(scope="module")
def wrapped(whole: Path) -> Path:
    """The same recording, which begins three seconds before the clock wraps."""
    path = whole.with_name("wrapped.ts")
    offset = float(WRAP - 3)
    ffmpeg_tools.ffmpeg("-i", whole, "-c", "copy", "-output_ts_offset", str(offset), "-mpegts_copyts", "1", path)
    return path


def relative_times(path: Path) -> dict[str, list[Fraction]]:
    found: dict[str, list[Fraction]] = {"video": [], "audio": []}
    with open_path(path) as container:
        for packet in packets(container, lambda: pytest.fail("damage")):
            if packet.size:
                found[packet.stream.type].append(packet.pts * packet.time_base)
    first = min(min(times) for times in found.values())
    return {kind: [time - first for time in times] for kind, times in found.items()}


@pytest.mark.needs("ffmpeg")
def test_times_go_on_over_the_wrap(whole: Path, wrapped: Path) -> None:
    before, after = relative_times(whole), relative_times(wrapped)
    assert {kind: len(times) for kind, times in before.items()} == {kind: len(times) for kind, times in after.items()}
    pairs = [(a, b) for kind in before for a, b in zip(before[kind], after[kind])]
    assert max(abs(a - b) for a, b in pairs) <= Fraction(2, 90_000)
    with open_path(wrapped) as container:
        assert WRAP - 4 < start_time(container) < WRAP
        assert start_time(container, container.streams.video[0]) >= start_time(container)


@pytest.mark.needs("ffmpeg")
@pytest.mark.parametrize("start", [1.0, 2.9, 3.5])
def test_a_part_is_found_on_either_side_of_the_wrap_and_across_it(whole: Path, wrapped: Path, start: float) -> None:
    taken = []
    for path in (whole, wrapped):
        with open_source(path, InputOverrides(start=start, duration=2.0)) as source:
            taken.append([(frame.seconds, float(frame.planes[0].mean())) for frame in source.frames()])
            assert source.info.diagnostics.warnings == ()
    assert len(taken[0]) == len(taken[1]) == 50
    assert [picture for _, picture in taken[0]] == [picture for _, picture in taken[1]]
    assert max(abs(a - b) for (a, _), (b, _) in zip(*taken)) < 0.001


@pytest.mark.needs("ffmpeg", "ffprobe")
@pytest.mark.parametrize("part", [InputOverrides(), InputOverrides(start=2.5, duration=2.0)])
def test_sound_is_copied_across_the_wrap(whole: Path, wrapped: Path, part: InputOverrides, tmp_path: Path) -> None:
    copied = []
    for path in (whole, wrapped):
        enhance_video(path, tmp_path / "out.ts", enhancer=Plain(), input=part, overwrite=True)
        copied.append(len(ffmpeg_tools.packet_times(tmp_path / "out.ts", "a:0")))
    assert copied[0] == copied[1] > 80


@pytest.mark.needs("ffmpeg")
def test_a_seek_leads_behind_the_wrap(wrapped: Path) -> None:
    with open_path(wrapped) as container:
        seek(container, WRAP + 1, container.streams.video[0])
        found = next(p for p in packets(container, lambda: None) if p.pts is not None)
        assert abs(found.pts * found.time_base - WRAP - 1) < 2


def test_a_second_wrap_is_followed_as_well() -> None:
    period = Fraction(1 << 33, 90_000)
    last = None
    for hours in range(0, 80, 5):
        ticks = hours * 3600 * 90_000
        packet = SimpleNamespace(dts=ticks % (1 << 33), pts=ticks % (1 << 33) + 3000, time_base=Fraction(1, 90_000))
        last = unwrap(packet, period, last, False)
        assert (packet.dts, packet.pts) == (ticks, ticks + 3000)
        assert last == hours * 3600
