"""What was chosen, repaired, skipped or left out."""

from __future__ import annotations

import threading

import pytest

from realtime import Diagnostics, Message, Severity
from realtime.diagnostics import Counted, as_time


def test_a_text_is_kept_once() -> None:
    diagnostics = Diagnostics()
    for _ in range(2):
        diagnostics.warn("subtitles left out")
    assert diagnostics.messages == (Message(Severity.WARNING, "subtitles left out"),)


def test_a_choice_is_no_warning_and_no_damage() -> None:
    diagnostics = Diagnostics()
    diagnostics.info("engine fast, because exact would take an hour")
    assert diagnostics.warnings == ()
    assert not diagnostics.damaged


def test_counts_are_summed_and_said_once_at_the_first() -> None:
    diagnostics, heard = Diagnostics(), list[Message]()
    diagnostics.subscribe(heard.append)
    diagnostics.count(Counted.SKIPPED_PACKETS, 0)
    assert heard == []
    diagnostics.count(Counted.SKIPPED_PACKETS)
    diagnostics.count(Counted.SKIPPED_PACKETS, 2)
    assert [message.severity for message in heard] == [Severity.DAMAGE]
    assert diagnostics.counts == {"skipped_packets": 3}
    assert diagnostics.messages == (Message(Severity.DAMAGE, "damaged places skipped: 3"),)
    assert diagnostics.damaged


def test_a_late_listener_hears_what_came_before() -> None:
    diagnostics, heard = Diagnostics(), list[str]()
    diagnostics.info("first")
    diagnostics.subscribe(lambda message: heard.append(message.text))
    diagnostics.warn("second")
    assert heard == ["first", "second"]


@pytest.mark.parametrize("kind", list(Counted))
def test_damage_of_every_kind_is_damage(kind: Counted) -> None:
    diagnostics = Diagnostics()
    diagnostics.count(kind)
    assert diagnostics.damaged == (kind.severity is Severity.DAMAGE)


def test_threads_lose_no_count() -> None:
    diagnostics = Diagnostics()

    def count() -> None:
        for _ in range(1000):
            diagnostics.count(Counted.CONCEALED_FRAMES)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert diagnostics.counts == {"concealed_frames": 4000}


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00.0"), (59.96, "1:00.0"), (3661.25, "61:01.2"), (-62.5, "-1:02.5")]
)
def test_times_are_minutes_and_seconds(seconds: float, text: str) -> None:
    assert as_time(seconds) == text
