"""What reaches the terminal: nothing that controls it, no password, and the remedies that a command has."""

from __future__ import annotations

import argparse
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.cli.tables import print_table
from realtime.cli.terminal import clean, error_line, print_error, print_line, write
from realtime.errors import SettingError, SinkError


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("night\x1b[2J.mp4", "night\\x1b[2J.mp4"),
        ("a\nrealtime: as recorded", "a\\nrealtime: as recorded"),
        ("a\rb\tc\x07", "a\\rb\\tc\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("gpj.\u202emp4", "gpj.\\u202emp4"),
        ("a\u2028b", "a\\u2028b"),
        ("bad\udcff.mp4", "bad\\udcff.mp4"),
        ("Straße nächtlich 夜 → ½", "Straße nächtlich 夜 → ½"),
        ("rtsp://u:PW@host/live is not there", "rtsp://***@host/live is not there"),
    ],
)
def test_control_characters_become_escapes(text: str, shown: str) -> None:
    assert clean(text) == shown


@given(st.text(max_size=60))
def test_a_clean_text_is_one_printable_line(text: str) -> None:
    assert len(clean(text).splitlines()) <= 1
    assert not any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in clean(text))


def test_a_line_goes_where_it_is_sent(capsys: pytest.CaptureFixture[str]) -> None:
    print_line("for the reader\x1b")
    print_line("for the user\x1b", error=True)
    assert capsys.readouterr() == ("for the reader\\x1b\n", "for the user\\x1b\n")


def test_what_the_terminal_cannot_show_becomes_an_escape() -> None:
    code = "from realtime.cli.terminal import print_line; print_line('夜 night')"
    environment = {"PYTHONIOENCODING": "ascii", "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60)
    assert (done.stdout, done.stderr) == ("\\u591c night\n", "")


def test_a_reader_that_has_gone_is_no_failure() -> None:
    """``realtime … --json | head``: what is still printed goes nowhere, without a traceback or another exit code."""
    code = "from realtime.cli.terminal import write\nfor _ in range(9): write('x' * 100000)\nraise SystemExit(5)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 5


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize(("stream", "raised"), [("stdout", "OSError 28 standard output"), ("stderr", "nothing")])
def test_a_full_disk_behind_a_stream(stream: str, raised: str) -> None:
    """Messages that nobody can read end nothing; results do, once."""
    code = f"""
import os
from realtime.cli.terminal import write
said = "nothing"
try:
    write("x", error={stream == "stderr"})
except OSError as error:
    said = f"OSError {{error.errno}} {{error.filename}}"
write("more", error={stream == "stderr"})
os.write({1 if stream == "stderr" else 2}, said.encode())
"""
    with open("/dev/full", "w") as full:
        streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | {stream: full}
        done = subprocess.run([sys.executable, "-c", code], text=True, timeout=60, check=True, **streams)
    assert (done.stdout or "") + (done.stderr or "") == raised


REMEDIES = {"resume=True": "{} continues it", "overwrite=True": "{} starts over", "engine=exact": "or use {}"}


@pytest.mark.parametrize(
    ("options", "end"),
    [
        ({}, "a.part is left"),
        ({"overwrite": False}, "a.part is left; --overwrite starts over"),
        ({"overwrite": False, "resume": False}, "a.part is left; --resume continues it, --overwrite starts over"),
        ({"engine": "fast"}, "a.part is left; or use --engine exact"),
    ],
)
def test_remedies_are_those_that_the_command_has(options: dict[str, object], end: str) -> None:
    args = argparse.Namespace(command="live", **options)
    assert error_line(SinkError("a.part is left", remedies=REMEDIES), args) == end


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (SettingError("strength 3 is outside 0..1"), "strength 3 is outside 0..1; see 'realtime enhance --help'"),
        (OSError(28, "No space left on device", "/mnt/a.mp4"), "/mnt/a.mp4: No space left on device"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError(36, "File name too long", "rtsp://u:PW@host/live"), "rtsp://***@host/live: File name too long"),
        (MemoryError(), "out of memory; close other programs, or enhance smaller frames"),
        (ImportError("libx.so: failed\nto map"), "a library cannot be loaded (libx.so: failed); see 'realtime doctor'"),
        (ValueError("bad\nworse"), "unexpected ValueError: bad; -v shows where"),
        (ZeroDivisionError(), "unexpected ZeroDivisionError; -v shows where"),
    ],
)
def test_every_error_is_one_line(error: Exception, line: str) -> None:
    assert error_line(error, argparse.Namespace(command="enhance")) == line


def test_an_error_names_its_file_once(capsys: pytest.CaptureFixture[str]) -> None:
    args = argparse.Namespace(command="enhance", verbose=False)
    print_error(ZeroDivisionError(), args, "a.mp4")
    print_error(SinkError("a.mp4 exists"), args, "a.mp4")
    print_error(SinkError("rtsp://u:PW@host/live is an address"), args, "rtsp:/u:PW@host/live")
    assert capsys.readouterr().err.splitlines() == [
        "realtime: a.mp4: unexpected ZeroDivisionError; -v shows where",
        "realtime: a.mp4 exists",
        "realtime: rtsp://***@host/live is an address",
    ]


def test_a_traceback_comes_with_v_only(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        try:
            raise OSError(f"rtsp://u:a{chr(10)}secret@host/live is not there, {chr(27)}[2J")
        except OSError as cause:
            raise SinkError("a.mp4 cannot be written") from cause
    except SinkError as error:
        print_error(error, argparse.Namespace(command="live", verbose=True))
    text = capsys.readouterr().err
    assert text.startswith("Traceback")
    assert text.endswith("\nrealtime: a.mp4 cannot be written\n")
    assert "OSError: rtsp://***@host/live is not there, \\x1b[2J\n" in text
    assert "secret@" not in text
    assert "\x1b" not in text


def test_a_table_has_a_line_per_row_and_no_escapes(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [["short", 1.5, None], ["a very long name \x1b[2J " * 20, 10, "note [red]"]]
    print_table(["what", "fps", "note"], rows)
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["what", "fps", "note"]
    assert first.split() == ["short", "1.5"]
    assert first.index("1.5") > 400  # the columns stand under each other
    assert "\\x1b[2J" in second
    assert second.endswith("10  note [red]")


def test_clean_text_is_written_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    write("two\nlines\n")
    assert capsys.readouterr().out == "two\nlines\n"
