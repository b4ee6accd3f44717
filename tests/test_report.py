"""Numbers about a run."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from time import perf_counter

import pytest
import synthetic

from realtime import Report, StreamInfo
from realtime.report import Tally

INFO = StreamInfo(6, 4, time_base=Fraction(1, 25), frames=9, notes=("read as BT.601",))


def tally(info: StreamInfo, told: list[Report] | None = None, dropped: int = 0) -> Tally:
    return Tally(info, synthetic.Echo(), lambda: dropped, None if told is None else told.append)


def test_it_counts_what_is_written() -> None:
    counting = tally(INFO, dropped=3)
    for place in range(5):
        counting.add(synthetic.gray(place))
    report = counting.report()
    assert (report.frames, report.total, report.dropped) == (5, 9, 3)
    assert (report.width, report.height) == (6, 4)
    assert (report.engine, report.device, report.precision) == ("echo", "none", "exact")
    assert "read as BT.601" in report.warnings
    assert report.seconds > 0
    assert report.fps == pytest.approx(5 / report.seconds)


def test_latency_is_told_for_live_only() -> None:
    for live in (True, False):
        counting = tally(replace(INFO, live=live))
        counting.add(synthetic.gray(0, captured_at=perf_counter() - 0.25))
        latency = counting.report().latency_ms
        assert (latency is not None) == live
        if latency is not None:
            assert 250 <= latency["p50"] <= latency["p95"] < 5000


def test_progress_is_told_now_and_then_and_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Report] = []
    counting = tally(INFO, told)
    monkeypatch.setattr("realtime.report.INTERVAL", 3600.0)
    for place in range(5):
        counting.add(synthetic.gray(place))
    assert told == []
    monkeypatch.setattr("realtime.report.INTERVAL", 0.0)
    counting.add(synthetic.gray(5))
    assert [report.frames for report in told] == [6]
    final = counting.report(final=True)
    assert told[-1] is final


def test_a_run_of_no_time_has_no_rate() -> None:
    assert replace(tally(INFO).report(), seconds=0.0).fps == 0.0
