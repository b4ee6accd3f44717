"""The governor: down when frames are late, up again when there is room, and no swinging between the two."""

from __future__ import annotations

import pytest

from realtime.enhance.governor import MAX_UP_DELAY, Governor

INTERVAL = 1 / 30


def run(governor: Governor, seconds: float, cost: dict[int, float], waited: float = 0.0) -> list[int]:
    """Levels over time of a machine where a frame at level n takes ``cost[n]`` intervals."""
    return [governor.note(waited, cost[governor.level] * INTERVAL) for _ in range(round(seconds / INTERVAL))]


def test_a_machine_that_keeps_up_is_left_alone() -> None:
    governor = Governor(INTERVAL, 5)
    assert set(run(governor, 60, {0: 0.7})) == {0}
    assert governor.describe() == {"level": 0, "lowest": 0, "changes": 0}


def test_one_slow_frame_changes_nothing() -> None:
    governor = Governor(INTERVAL, 5)
    run(governor, 2, {0: 0.5})
    assert governor.note(0.0, 3 * INTERVAL) == 0


def test_it_gives_way_within_a_second_and_stops_where_it_fits() -> None:
    governor = Governor(INTERVAL, 5)
    levels = run(governor, 10, {0: 1.6, 1: 1.1, 2: 0.7})
    assert levels[30] >= 1
    assert levels[-1] == 2


def test_frames_that_wait_count_as_slow_ones() -> None:
    governor = Governor(INTERVAL, 3)
    assert run(governor, 3, {0: 0.4, 1: 0.3, 2: 0.2}, waited=1.5 * INTERVAL)[-1] == 2


def test_it_takes_back_what_it_gave_up() -> None:
    governor = Governor(INTERVAL, 5)
    run(governor, 5, {0: 2.0, 1: 1.5, 2: 0.7})
    assert governor.level == 2
    assert run(governor, 20, {0: 0.3, 1: 0.3, 2: 0.3})[-1] == 0
    assert governor.describe() == {"level": 0, "lowest": 2, "changes": 4}


def test_a_step_up_that_fails_is_tried_ever_more_rarely() -> None:
    governor = Governor(INTERVAL, 2)
    run(governor, 600, {0: 1.2, 1: 0.3})
    assert governor.changes < 40
    levels = run(governor, 2 * MAX_UP_DELAY, {0: 1.2, 1: 0.3})
    assert sum(level == 1 for level in levels) > 0.95 * len(levels)


@pytest.mark.parametrize("load", [0.0, 0.6, 5.0, 1e9])
def test_levels_stay_within_what_there_is(load: float) -> None:
    governor = Governor(INTERVAL, 3)
    assert all(0 <= level <= 2 for level in run(governor, 30, dict.fromkeys(range(3), load)))
