"""Summary line, table and JSON object of what became of each input."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from realtime import __version__
from realtime.cli.progress import ProgressListener
from realtime.cli.results import ResultCollector
from realtime.diagnostics import DamagedPlace, Message, Severity
from realtime.errors import SinkError
from realtime.report import OutputReport, Report

#: What ``--json`` promises for each result; there may be more.
RESULT = {"input", "output", "engine", "device", "precision", "width", "height", "frames", "dropped", "seconds", "fps"}
RESULT |= {"latency_ms", "warnings", "error"}
REPORT = Report("fast", "cpu", "bfloat16", 64, 48, 90, 90, 0, 3.0, None, ())


def arguments(**values: object) -> argparse.Namespace:
    return argparse.Namespace(**{"json": False, "quiet": False, "verbose": False, "command": "enhance"} | values)


def heard(*messages: Message) -> ProgressListener:
    listener = ProgressListener("a.mp4", quiet=True)
    listener.messages.extend(messages)
    return listener


def as_json(results: ResultCollector, capsys: pytest.CaptureFixture[str], **how: bool) -> dict[str, Any]:
    results.finish(**how)
    out: dict[str, Any] = json.loads(capsys.readouterr().out)
    return out


def test_a_summary_says_frames_speed_sizes_and_engine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = tmp_path / "a.mp4", tmp_path / "b.mp4"
    source.write_bytes(bytes(900_000))
    target.write_bytes(bytes(13_900_000))
    results = ResultCollector("enhance", arguments())
    results.add(source, target, heard(), REPORT)
    results.finish()
    assert capsys.readouterr() == (
        "",
        f"{source} -> {target}: 90 frames in 3.0 s, 30.0 fps, 0.9 MB -> 13.9 MB (15.4 times) (fast, cpu, bfloat16)\n",
    )
    assert results.exit_code == 0


def test_a_live_summary_says_delay_and_each_outputs_own_frames(capsys: pytest.CaptureFixture[str]) -> None:
    outputs = (OutputReport("window", 2, 28), OutputReport("night.mkv", 30, 0))
    report = replace(REPORT, frames=2, dropped=4, latency_ms={"p50": 12.0, "p95": 30.4}, outputs=outputs)
    results = ResultCollector("live", arguments(command="live"))
    results.add("camera 0", None, heard(), report)
    line = capsys.readouterr().err
    assert line.startswith(
        "camera 0: window 2 frames (28 dropped), night.mkv 30 frames, 4 dropped at capture in 3.0 s, "
    )
    assert "12 ms behind (p95 30)" in line


@pytest.mark.parametrize("values", [{"start": 1.0}, {"duration": 0.5}])
def test_a_part_of_a_file_is_not_compared_with_the_whole(
    values: dict[str, float], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(bytes(900_000))
    results = ResultCollector("enhance", arguments(**values))
    results.add(tmp_path / "a.mp4", tmp_path / "b.mp4", heard(), REPORT)
    assert "times" not in capsys.readouterr().err


def test_counts_are_printed_in_the_end_and_messages_not_again(capsys: pytest.CaptureFixture[str]) -> None:
    said = Message(Severity.WARNING, "subtitles are left out")
    results = ResultCollector("enhance", arguments())
    results.add("a.mp4", None, heard(said), replace(REPORT, warnings=(said.text, "timestamps repaired: 3")))
    counted, summary = capsys.readouterr().err.splitlines()
    assert counted == "realtime: a.mp4: timestamps repaired: 3"
    assert summary.startswith("a.mp4: 90 frames")


def test_json_has_the_promised_fields_and_all_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    results = ResultCollector("enhance", arguments(json=True))
    messages = (Message(Severity.INFO, "engine fast"), Message(Severity.WARNING, "subtitles are left out"))
    results.add("a.mp4", "b.mp4", heard(*messages), replace(REPORT, warnings=("subtitles are left out", "repaired: 3")))
    results.add("c.mp4", "d.mp4", heard(messages[1]), error=SinkError("d.mp4 exists"))
    summary = as_json(results, capsys)
    assert (summary["version"], summary["command"], summary["ok"]) == (__version__, "enhance", False)
    assert summary["seconds"] >= 0
    good, bad = summary["results"]
    assert all(set(result) >= RESULT for result in (good, bad))
    assert (good["frames"], good["fps"], good["error"], good["interrupted"]) == (90, 30.0, None, False)
    assert good["warnings"] == ["subtitles are left out", "repaired: 3"]
    assert good["messages"] == ["engine fast"]
    assert (bad["frames"], bad["warnings"], bad["error"]) == (None, ["subtitles are left out"], "d.mp4 exists")


@pytest.mark.parametrize(
    ("report", "messages"),
    [(replace(REPORT, damaged=True), ()), (REPORT, (Message(Severity.DAMAGE, "cut off"),))],
    ids=["in the report", "heard"],
)
def test_damage_makes_ok_false_and_the_exit_code_1(
    report: Report, messages: tuple[Message, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Whichever command met it: what is printed and how the process ends agree."""
    results = ResultCollector("live", arguments(json=True))
    results.add("a.mp4", None, heard(*messages), report)
    assert results.exit_code == 1
    assert as_json(results, capsys)["ok"] is False


def test_an_interrupted_input_is_not_ok(capsys: pytest.CaptureFixture[str]) -> None:
    results = ResultCollector("enhance", arguments(json=True))
    listener = heard()
    listener(replace(REPORT, frames=12))
    results.add("a.mp4", "b.mp4", listener, interrupted=True)
    summary = as_json(results, capsys, interrupted=True)
    assert summary["ok"] is False
    assert (summary["results"][0]["interrupted"], summary["results"][0]["frames"]) == (True, 12)


def test_several_inputs_make_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    results = ResultCollector("enhance", arguments())
    results.add("a.mp4", "b.mp4", heard(), REPORT)
    results.add("rtsp://u:PW@host/\x1b", None, heard(Message(Severity.WARNING, "w")), REPORT)
    results.add("c.mp4", "d.mp4", heard(), error=SinkError("d.mp4 exists"))
    results.add("e.mp4", "f.mp4", heard(), replace(REPORT, frames=7), interrupted=True)
    results.skipped = 2
    capsys.readouterr()
    results.finish()
    out, err = capsys.readouterr()
    assert out == ""
    head, *rows, done, skipped = err.splitlines()
    assert head.split() == ["input", "frames", "fps", "size", "state"]
    assert [row.split()[-1] for row in rows] == ["done", "warnings", "failed", "interrupted"]
    assert "PW" not in err
    assert "\x1b" not in err
    assert done == "2 of 4 files done"
    assert skipped == "2 skipped, whose outputs are up to date"


def test_information_is_no_warning(capsys: pytest.CaptureFixture[str]) -> None:
    results = ResultCollector("enhance", arguments())
    for name in ("a.mp4", "b.mp4"):
        results.add(name, None, heard(Message(Severity.INFO, "engine fast, since exact would take 9 s")), REPORT)
    capsys.readouterr()
    results.finish()
    assert [line.split()[-1] for line in capsys.readouterr().err.splitlines()[1:3]] == ["done", "done"]


def test_quiet_prints_errors_only(capsys: pytest.CaptureFixture[str]) -> None:
    results = ResultCollector("enhance", arguments(quiet=True))
    results.add("a.mp4", "b.mp4", heard(), replace(REPORT, warnings=("repaired: 3",)))
    results.add("c.mp4", "d.mp4", heard(), error=SinkError("d.mp4 exists"))
    results.finish()
    assert capsys.readouterr() == ("", "realtime: c.mp4: d.mp4 exists\n")


def test_rows_of_another_kind(capsys: pytest.CaptureFixture[str]) -> None:
    results = ResultCollector("verify", arguments(command="verify"))
    results.add_row("a.mp4: as recorded", file="a.mp4")
    results.finish()
    assert capsys.readouterr() == ("a.mp4: as recorded\n", "")


def test_damaged_places_are_listed_on_request_and_always_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    places = (DamagedPlace(62.54, "packets are missing"), DamagedPlace(None, "the index: sizes of track 2"))
    report = replace(REPORT, damaged=True, places=places)
    for listed in (False, True):
        results = ResultCollector("enhance", arguments(list_damage=listed, quiet=True))
        results.add("a.ts", None, heard(), report)
        assert capsys.readouterr().err.splitlines() == listed * [
            "realtime: a.ts: damage at 1:02.5: packets are missing",
            "realtime: a.ts: damage: the index: sizes of track 2",
        ]
        assert results.exit_code == 1
    results = ResultCollector("enhance", arguments(json=True))
    results.add("a.ts", None, heard(), report)
    assert as_json(results, capsys)["results"][0]["damage"] == [
        {"seconds": 62.54, "text": "packets are missing"},
        {"seconds": None, "text": "the index: sizes of track 2"},
    ]
