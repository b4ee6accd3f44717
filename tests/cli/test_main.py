"""From words to an exit code: usage, errors in one line, signals, and how a command is added."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import realtime.cli
from realtime.cli import main as main_module
from realtime.cli.main import COMMANDS, main

HELLO = '''
"""``realtime hello``: a command that does as it is told."""
import builtins, os, signal
from realtime import errors
from realtime.cli import options
from realtime.cli.terminal import print_line

def add(commands):
    parser = commands.add_parser("hello", help="say hello")
    parser.add_argument("words", nargs="*")
    parser.add_argument("--raise", dest="error")
    parser.add_argument("--signal")
    options.add_report_options(parser)
    parser.set_defaults(run=run, media=False)

def run(args):
    if args.signal:
        os.kill(os.getpid(), getattr(signal, args.signal))
    if args.error:
        raise (vars(errors).get(args.error) or vars(builtins)[args.error])(*args.words)
    print_line("hello " + " ".join(args.words))
    return len(args.words)
'''


@pytest.fixture
def hello(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Adds a command the way it is done: a new file, and its name in the registry."""
    (tmp_path / "hello.py").write_text(HELLO)
    monkeypatch.setattr(realtime.cli, "__path__", [*realtime.cli.__path__, str(tmp_path)])
    monkeypatch.setattr(main_module, "COMMANDS", (*COMMANDS, "hello"))
    monkeypatch.delitem(sys.modules, "realtime.cli.hello", raising=False)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"realtime {realtime.__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert f"usage: realtime {command}" in capsys.readouterr().out


@pytest.mark.usefixtures("hello")
def test_a_command_is_a_file_and_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hello", "you", "there"]) == 2
    assert capsys.readouterr() == ("hello you there\n", "")
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "say hello" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "the following arguments are required: COMMAND; see 'realtime --help'"),
        (["frobnicate"], "invalid choice: 'frobnicate'"),
        (["enhance"], "the following arguments are required: INPUT; see 'realtime enhance --help'"),
        (["enhance", "a.mp4", "--strength", "3"], "--strength: 3 is outside 0..1; see 'realtime enhance --help'"),
        (["preview", "a.mp4", "--strength", "nan"], "--strength: nan is outside 0..1; see 'realtime preview --help'"),
        (["live", "--strength", "much"], "--strength: 'much' is not a number from 0 to 1"),
        (["enhance", "a.mp4", "--crf", "99"], "--crf: 99 is not a whole number 0..63"),
        (["enhance", "a.mp4", "--crf", "high"], "--crf: high is not a whole number 0..63"),
        (["enhance", "a.mp4", "--preset", "sluggish"], "--preset: invalid choice: 'sluggish' (choose from"),
        (["enhance", "a.mp4", "--batch", "0"], "--batch: 0 is not auto or a number from 1"),
        (["enhance", "a.mp4", "--start", "-4"], "--start: -4 is negative; times are 0 or more"),
        (["enhance", "a.mp4", "--duration", "soon"], "--duration: 'soon' is not a time"),
        (["enhance", "a.mp4", "--engine", "magic"], "--engine: invalid choice: 'magic' (choose from"),
        (["enhance", "a.mp4", "--precision", "int4"], "--precision: invalid choice: 'int4'"),
        (["enhance", "a.mp4", "--overwrite", "--skip-existing"], "--skip-existing: not allowed with argument"),
        (["benchmark", "--sizes", "64x48x3"], "--sizes: '64x48x3' is not WIDTHxHEIGHT"),
        (["benchmark", "--sizes=-1x2"], "--sizes: '-1x2' is not WIDTHxHEIGHT"),
        (["live", "0", "rtsp://u:PW@host/live"], "unrecognized arguments: rtsp://***@host/live; see 'realtime live"),
        (["live", "0", "rtsp://u:a PW@host/live"], "unrecognized arguments: rtsp://***@host/live;"),
        (["rtsp://host/live?pw=PW"], "invalid choice: 'rtsp://host/live?***'"),
        (["live", "--size", "http://h/?a=PW"], "--size: 'http://h/?***' is not WIDTHxHEIGHT"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_usage_is_one_line(words: list[str], says: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    out, err = capfd.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("realtime: ")
    assert says in line
    assert "PW" not in line


@pytest.mark.usefixtures("hello")
@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        ("SettingError", 2, "told so; see 'realtime hello --help'"),
        ("SourceError", 1, "told so"),
        ("SourceLost", 3, "told so"),
        ("SinkError", 1, "told so"),
        ("MemoryError", 1, "out of memory; close other programs, or enhance smaller frames"),
        ("ImportError", 1, "a library cannot be loaded (told so); see 'realtime doctor'"),
        ("ZeroDivisionError", 1, "unexpected ZeroDivisionError: told so; -v shows where"),
        ("KeyboardInterrupt", 130, "interrupted; told so"),
    ],
)
def test_every_error_has_a_line_and_an_exit_code(
    error: str, code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["hello", "told so", "--raise", error]) == code
    assert capsys.readouterr() == ("", f"realtime: {says}\n")
    assert main(["hello", "told so", "--raise", error, "-v"]) == code
    assert capsys.readouterr().err.startswith("realtime: interrupted" if code == 130 else "Traceback")


@pytest.mark.usefixtures("hello")
def test_an_error_is_in_the_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hello", "rtsp://u:PW@host/x is lost", "--raise", "SourceLost", "--json"]) == 3
    summary = json.loads(capsys.readouterr().out)
    assert (summary["version"], summary["command"], summary["ok"]) == (realtime.__version__, "hello", False)
    assert summary["results"] == [{"error": "rtsp://***@host/x is lost"}]


@pytest.mark.usefixtures("hello")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_signals_that_end_a_session_are_interrupts(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    if not hasattr(signal, name):
        pytest.skip(f"this system has no {name}")
    before = signal.getsignal(getattr(signal, name))
    assert main(["hello", "--signal", name]) == 130
    assert capsys.readouterr() == ("", "realtime: interrupted\n")
    assert signal.getsignal(getattr(signal, name)) is before


def test_importing_changes_no_signal_and_no_log() -> None:
    code = (
        "import logging, signal, realtime.cli.main as m; m.parser();"
        "print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, logging.getLogger('realtime').handlers)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "True []\n"


def test_json_into_a_reader_that_has_gone_ends_quietly() -> None:
    """``realtime weights --json | head -c 1``."""
    command = [sys.executable, "-m", "realtime", "weights", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_a_library_that_does_not_load_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "realtime.media.libav", None)
    assert main(["enhance", "a.mp4"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("realtime: a library cannot be loaded (")
