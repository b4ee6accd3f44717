"""A program that is started with closed standard streams (``realtime … >&- 2>&-``) writes into the right files."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import synthetic

#: The command, with a processor that changes nothing and prints as libraries of C do, to the numbers of the streams.
PROGRAM = """
import os
from realtime import PerFrame
from realtime.cli import main, options

def noisy(frame):
    for number in (1, 2):
        os.write(number, b"a line that a library prints\\n")
    return frame

options.make_enhancer = lambda args: PerFrame(noisy, "test")
main.program()
"""


def shell(folder: Path, streams: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = shlex.join([sys.executable, "-c", PROGRAM, *words])
    return subprocess.run(
        ["sh", "-c", f"exec {command} {streams}"], cwd=folder, capture_output=True, text=True, timeout=60
    )


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize("streams", ["<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("more", [(), ("--json",), ("-v",)], ids=" ".join)
def test_nothing_that_is_printed_goes_into_a_file(streams: str, more: tuple[str, ...], tmp_path: Path) -> None:
    synthetic.clip(tmp_path / "a.mp4")
    done = shell(tmp_path, streams, "enhance", "a.mp4", "-o", "out.mkv", *more)
    assert done.returncode == 0
    assert "Traceback" not in done.stdout + done.stderr
    assert synthetic.read_clip(tmp_path / "out.mkv") == synthetic.regular()
    assert b"a library prints" not in (tmp_path / "out.mkv").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "out.mkv"]
    if "2>&-" not in streams:
        assert "a.mp4 -> out.mkv: 8 frames" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize("streams", [">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("enhance", "missing.mp4"), 1),
        (("enhance",), 2),
        (("enhance", "missing.mp4", "--json"), 1),
        (("verify", "x"), 1),
    ],
    ids=["missing", "usage", "json", "verify"],
)
def test_errors_keep_their_exit_codes(streams: str, words: tuple[str, ...], code: int, tmp_path: Path) -> None:
    done = shell(tmp_path, streams, *words)
    assert done.returncode == code
    assert "Traceback" not in done.stdout + done.stderr
