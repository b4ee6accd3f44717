"""What the user sees of a live stream while it runs."""

from __future__ import annotations

from dataclasses import replace

from realtime.cli.results import state
from realtime.report import Report

FILE = Report("fast", "cpu", "bfloat16", 64, 48, 90, 90, 0, 3.0, None, ())


def test_a_file_has_no_state_and_a_live_stream_tells_what_it_gave_up() -> None:
    assert state(FILE) == ""
    live = replace(FILE, latency_ms={"p50": 12.4, "p95": 40.0}, governor={"level": 0, "lowest": 0, "changes": 0})
    assert state(live) == "12 ms behind"
    eased = replace(live, dropped=3, governor={"level": 2, "lowest": 3, "changes": 4})
    assert state(eased) == "12 ms behind, 3 dropped, maps at level 2"
