"""Messages when they happen, once, told apart; a progress bar only where somebody watches."""

from __future__ import annotations

import argparse
import threading
from dataclasses import replace

import pytest
from doubles import Terminal

from realtime.cli.progress import ProgressListener, live_state, progress_bar
from realtime.diagnostics import Counted, Diagnostics
from realtime.report import Report

FILE = Report("fast", "cpu", "bfloat16", 64, 48, 90, 90, 0, 3.0, None, ())
QUIET = argparse.Namespace(quiet=True, json=False)
LOUD = argparse.Namespace(quiet=False, json=False)


def watched(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Puts a terminal in the place of stderr, for the rest of the test."""
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    return terminal


def test_a_file_has_no_state_and_a_live_stream_reports_delay_drops_and_level() -> None:
    assert live_state(FILE) == ""
    live = replace(FILE, latency_ms={"p50": 12.4, "p95": 40.0}, governor={"level": 0, "lowest": 0, "changes": 0})
    assert live_state(live) == "12 ms behind"
    slow = replace(live, dropped=3, governor={"level": 2, "lowest": 3, "changes": 4})
    assert live_state(slow) == "12 ms behind, 3 dropped, maps at level 2"


def test_messages_are_printed_when_they_come_once_and_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    diagnostics, listener = Diagnostics(), ProgressListener("a.mp4", quiet=False)
    diagnostics.info("engine fast")
    diagnostics.subscribe(listener.on_message)
    assert capsys.readouterr().err == "realtime: a.mp4: engine fast\n"
    diagnostics.warn("subtitles are left out")
    diagnostics.warn("subtitles are left out")
    assert capsys.readouterr().err == "realtime: a.mp4: warning: subtitles are left out\n"
    diagnostics.count(Counted.SKIPPED_PACKETS)
    diagnostics.count(Counted.SKIPPED_PACKETS)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("realtime: a.mp4: damage: the input is damaged")
    assert [message.text for message in listener.messages][:2] == ["engine fast", "subtitles are left out"]


def test_information_may_hold_an_address_of_ours_and_nothing_else_may(capsys: pytest.CaptureFixture[str]) -> None:
    diagnostics, listener = Diagnostics(), ProgressListener("rtsp://u:PW@host/live", quiet=False)
    diagnostics.subscribe(listener.on_message)
    diagnostics.info("the page is at http://127.0.0.1:8080/?token=abc")
    diagnostics.warn("http://127.0.0.1:8080/?token=abc is slow")
    diagnostics.info("a title: \x1b[2J")
    assert capsys.readouterr().err.splitlines() == [
        "realtime: rtsp://***@host/live: the page is at http://127.0.0.1:8080/?token=abc",
        "realtime: rtsp://***@host/live: warning: http://127.0.0.1:8080/?*** is slow",
        "realtime: rtsp://***@host/live: a title: \\x1b[2J",
    ]


def test_quiet_leaves_damage(capsys: pytest.CaptureFixture[str]) -> None:
    diagnostics, listener = Diagnostics(), ProgressListener("a.mp4", quiet=True)
    diagnostics.subscribe(listener.on_message)
    diagnostics.info("engine fast")
    diagnostics.warn("subtitles are left out")
    diagnostics.damage("cut off")
    assert capsys.readouterr().err == "realtime: a.mp4: damage: cut off\n"
    assert len(listener.messages) == 3


def test_no_bar_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("a.mp4", LOUD) as listener:
        listener(FILE)
    assert listener.last is FILE
    assert capsys.readouterr() == ("", "")


def test_no_bar_when_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = watched(monkeypatch)
    with progress_bar("a.mp4", QUIET) as listener:
        listener(FILE)
    assert listener.last is FILE
    assert screen.text == ""


def test_messages_stand_above_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """From whichever thread they come, each is a line of its own that the bar does not overwrite."""
    screen = watched(monkeypatch)
    with progress_bar("a\x1b.mp4", LOUD) as listener:
        listener(FILE)
        diagnostics = Diagnostics()
        diagnostics.subscribe(listener.on_message)
        thread = threading.Thread(target=diagnostics.warn, args=("subtitles are left out",))
        thread.start()
        thread.join()
        listener(replace(FILE, frames=90))
    lines = screen.text.split("\n")
    (above,) = [index for index, line in enumerate(lines) if "warning: subtitles are left out" in line]
    assert "90/90" not in lines[above].partition("subtitles")[2]
    assert "90/90" in "".join(lines[above + 1 :])
    assert "a\\x1b.mp4" in screen.text


def test_a_batch_has_a_second_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = watched(monkeypatch)
    with progress_bar("b.mp4", LOUD, index=1, total=3) as listener:
        listener(replace(FILE, frames=45))
    assert "all files" in screen.text
    assert "45/90" in screen.text
