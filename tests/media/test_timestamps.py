"""Timestamps rise whatever the file says."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from realtime.media.timestamps import FarPtsFixer, TimestampFixer, writable_duration

MILLISECOND = Fraction(1, 1000)


@given(st.lists(st.none() | st.integers(-5000, 5000)), st.booleans())
def test_fixed_timestamps_rise(times: list[int | None], strictly: bool) -> None:
    fixer = TimestampFixer(MILLISECOND, 40, strictly)
    fixed = [fixer.fix(time) for time in times]
    assert all(later > earlier or (later == earlier and not strictly) for earlier, later in pairwise(fixed))


@given(st.lists(st.integers(-5000, 5000), unique=True).map(sorted))
def test_times_that_rise_are_left_alone(times: list[int]) -> None:
    fixer = TimestampFixer(MILLISECOND)
    assert [fixer.fix(time) for time in times] == times
    assert fixer.repaired == 0


def test_each_kind_of_repair_is_counted() -> None:
    fixer = TimestampFixer(MILLISECOND, 40)
    times = [0, 40, None, 119, 160, -9000, -8960]
    assert [fixer.fix(time, 40) for time in times] == [0, 40, 80, 119, 160, 200, 240]
    assert fixer.repaired == 2  # the missing one and the step back; what follows that is shifted with it


def test_a_second_recording_of_a_second_goes_on_behind_the_first() -> None:
    fixer = TimestampFixer(MILLISECOND, 40)
    times = [fixer.fix(time, 40) for time in [*range(0, 1000, 40), *range(0, 1000, 40)]]
    assert times == list(range(0, 2000, 40))
    assert fixer.repaired == 1


def test_a_jump_of_years_is_closed_but_not_among_subtitles() -> None:
    times = [0, 40, 10**14, 10**14 + 40]
    for sparse, expected in ((False, [0, 40, 80, 120]), (True, times)):
        fixer = TimestampFixer(MILLISECOND, 40, sparse=sparse)
        assert [fixer.fix(time, 40) for time in times] == expected


def packet(pts: int | None, dts: int | None) -> SimpleNamespace:
    return SimpleNamespace(pts=pts, dts=dts, size=1, time_base=MILLISECOND)


def fixed(packets: list[SimpleNamespace], end: Fraction | None = None) -> tuple[list[int | None], int]:
    fixer = FarPtsFixer(packets[:5], end)
    return [each.pts for each in fixer.fixed(iter(packets))], fixer.repaired


def test_one_presentation_time_that_is_far_off_follows_its_decoding_time() -> None:
    packets = [packet(80 + 40 * index, 40 * index) for index in range(20)]
    packets[7].pts = 90_000_000
    assert fixed(packets) == ([80 + 40 * index for index in range(20)], 1)


def test_good_presentation_times_stay_where_all_decoding_times_are_far_off() -> None:
    """One wrong entry in the table of offsets of an MP4 moves the decoding times of the whole file."""
    packets = [packet(40 * index, 40 * index - 90_000_000) for index in range(20)]
    assert fixed(packets) == ([40 * index for index in range(20)], 0)


def test_a_wrong_decoding_time_changes_no_presentation_time() -> None:
    packets = [packet(80 + 40 * index, 40 * index) for index in range(20)]
    packets[7].dts = 90_000_000
    assert fixed(packets) == ([80 + 40 * index for index in range(20)], 0)


def test_a_pause_is_no_time_that_is_far_off() -> None:
    """Frames that are shown behind a pause are decoded before it, where frames are reordered."""
    shown = [40 * index + (60_000 if index >= 20 else 0) for index in range(60)]
    packets = [packet(pts, dts) for pts, dts in zip(shown[2:], shown)]
    assert fixed(packets) == (shown[2:], 0)
    assert fixed(packets[:20], end=Fraction(61)) == (shown[2:22], 0)
    assert fixed(packets[:20]) == (shown[2:20] + [shown[18] + 80, shown[19] + 80], 2)


def test_a_frame_every_ten_seconds_is_none_either() -> None:
    times = [10_000 * index for index in range(40)]
    packets = [packet(times[index + (4 if index % 4 == 0 else 1)], times[index]) for index in range(36)]
    assert fixed(packets) == ([each.pts for each in packets], 0)


def test_packets_without_times_are_left_alone() -> None:
    assert fixed([packet(None, 3), packet(3, None), packet(None, None)]) == ([None, 3, None], 0)


def test_a_duration_that_no_muxer_takes_is_unknown_and_a_subtitles_is_shortened() -> None:
    base, finer = Fraction(1, 1000), Fraction(1, 1_000_000)
    assert writable_duration(40, base, base) == 40
    assert writable_duration((1 << 32) - 5, base, base) == writable_duration(-5, base, base) == 0
    assert writable_duration(3_000_000, base, finer) == 0
    assert writable_duration(3_000_000, base, finer, sparse=True) == 2_147_483
