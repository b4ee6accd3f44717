"""Numbers about a run."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from time import perf_counter

import pytest
from doubles import gray

from realtime import EngineInfo, Report, StreamInfo
from realtime.events import Event
from realtime.report import OutputReport, RunStats


def stream(live: bool = False) -> StreamInfo:
    return StreamInfo(6, 4, time_base=Fraction(1, 25), frames=9, live=live)


def stats(info: StreamInfo, reports: list[Report] | None = None, dropped: int = 0) -> RunStats:
    outputs = {"window": lambda: 2, "night.mkv": lambda: 0}
    progress = None if reports is None else reports.append
    return RunStats(info, outputs, lambda: EngineInfo("echo", "none", "exact", 3), lambda: dropped, progress)


def test_each_output_has_its_own_counts() -> None:
    counting = stats(stream(), dropped=3)
    for index in range(5):
        counting.add("night.mkv", gray(index))
    counting.add("window", gray(0))
    report = counting.report()
    assert report.outputs == (OutputReport("window", 1, 2), OutputReport("night.mkv", 5, 0))
    assert (report.frames, report.total, report.dropped) == (1, 9, 3)
    assert (report.width, report.height) == (6, 4)
    assert (report.engine, report.device, report.precision, report.batch) == ("echo", "none", "exact", 3)


def test_warnings_are_in_the_report_and_information_is_not() -> None:
    info = stream()
    info.diagnostics.info("engine fast")
    info.diagnostics.warn("subtitles left out")
    report = stats(info).report()
    assert report.warnings == ("subtitles left out",)
    assert not report.damaged
    info.diagnostics.damage("the file ends early")
    assert stats(info).report().damaged


def test_seconds_count_from_the_first_capture() -> None:
    counting = stats(stream())
    assert counting.report().seconds == 0
    counting.add("window", gray(0, captured_at=perf_counter() - 10))
    assert counting.report().seconds >= 10
    assert counting.report().fps <= 0.1


def test_latency_is_reported_for_live_only() -> None:
    for live in (True, False):
        counting = stats(stream(live))
        counting.add("window", gray(0, captured_at=perf_counter() - 0.25))
        latency = counting.report().latency_ms
        assert (latency is not None) == live
        if latency is not None:
            assert 250 <= latency["p50"] <= latency["p95"]


def test_the_first_picture_of_a_live_stream_is_an_event() -> None:
    for live in (True, False):
        info = stream(live)
        heard: list[Event] = []
        info.events.subscribe(heard.append)
        counting = stats(info)
        counting.add("night.mkv", gray(0))
        counting.add("window", gray(0))
        assert [(event.kind, event.details) for event in heard] == [("first_picture", {"engine": "echo"})] * live


def test_progress_comes_now_and_then_and_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    reports: list[Report] = []
    counting = stats(stream(), reports)
    monkeypatch.setattr("realtime.report.PROGRESS_INTERVAL", 3600.0)
    for index in range(5):
        counting.add("window", gray(index))
    assert reports == []
    monkeypatch.setattr("realtime.report.PROGRESS_INTERVAL", 0.0)
    counting.add("night.mkv", gray(0))
    assert reports == [], "only the first output reports progress, so that one thread calls it"
    counting.add("window", gray(5))
    assert [report.frames for report in reports] == [6]
    final = counting.report(final=True)
    assert reports[-1] is final


def test_a_run_of_no_time_has_no_rate() -> None:
    assert replace(stats(stream()).report(), seconds=0.0).fps == 0.0
