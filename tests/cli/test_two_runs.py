"""Two commands for one output at the same time: one does it, the other says who has it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import synthetic

from realtime.media.part_file import part_path

#: The command with a processor that changes nothing. It stops at frame 40 and says so, until its input ends.
PROGRAM = """
import sys
from realtime import PerFrame
from realtime.cli import options, watch_folder
from realtime.cli.main import main

count = 0

def hold(frame):
    global count
    count += 1
    if count == 40:
        print("holding", flush=True)
        sys.stdin.read()
    return frame

options.make_enhancer = lambda args: PerFrame(hold, "test")
watch_folder.INTERVAL = 0.02
raise SystemExit(main(sys.argv[1:]))
"""
#: Frames of the recording.
COUNT = 80
IN_USE = re.compile(
    r"n\.mp4 is being written by (another process|process (\d+)); wait for it, or choose another output$"
)


class Run:
    """One command in a process of its own."""

    def __init__(self, folder: Path, *words: str, hold: bool = False) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "enhance", *words],
            cwd=folder,
            stdin=subprocess.PIPE if hold else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.number = self._process.pid

    def wait_until_it_holds(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "holding\n"

    def wait_for_line(self, text: str) -> str:
        """The next line that says `text`; fails where the command ends before."""
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if text in line:
                return line.rstrip("\n")
        raise AssertionError(f"it ended without '{text}'")

    def go_on(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.stdin = None

    def end(self, number: int | None = None) -> tuple[int, str]:
        """The exit code and what else it says, after a signal if one is given."""
        if number is not None:
            self._process.send_signal(number)
        _, said = self._process.communicate(timeout=60)
        return self._process.returncode, said

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Starts commands in a folder with one recording, ``in/n.mp4``; kills those that are left."""
    (tmp_path / "in").mkdir()
    synthetic.clip(tmp_path / "in" / "n.mp4", count=COUNT)
    with ExitStack() as left:

        def begin(*words: str, hold: bool = False) -> Run:
            run = Run(tmp_path, *words, hold=hold)
            left.callback(run.kill)
            return run

        yield begin


def frame_count(path: Path) -> int:
    return len(synthetic.read_clip(path))


def check_in_use(line: str, first: Run) -> None:
    found = IN_USE.search(line)
    assert found is not None
    assert found[2] in (None, str(first.number))
    assert "interrupted" not in line
    assert "resume" not in line


@pytest.mark.parametrize("option", [(), ("--overwrite",), ("--resume",), ("--skip-existing",)], ids=" ".join)
def test_the_second_run_says_who_writes_and_changes_nothing(
    option: tuple[str, ...], start: Callable[..., Run], tmp_path: Path
) -> None:
    words = ("in/n.mp4", "-o", "out/n.mp4")
    (tmp_path / "out").mkdir()
    first = start(*words, hold=True)
    first.wait_until_it_holds()
    code, said = start(*words, *option).end()
    assert code == 1
    (line,) = said.splitlines()
    check_in_use(line, first)
    first.go_on()
    code, said = first.end()
    assert code == 0
    assert f"n.mp4: {COUNT} frames" in said
    assert frame_count(tmp_path / "out" / "n.mp4") == COUNT
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["n.mp4"]


def test_what_a_killed_run_had_is_free_again(start: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    first = start("in/n.mp4", "-o", "out", hold=True)
    first.wait_until_it_holds()
    first.kill()
    assert part_path(tmp_path / "out" / "n.mp4").exists()
    code, said = start("in/n.mp4", "-o", "out", "--resume").end()
    assert "being written" not in said
    assert code == 0
    assert frame_count(tmp_path / "out" / "n.mp4") == COUNT


def test_two_that_watch_one_folder_leave_a_whole_recording(start: Callable[..., Run], tmp_path: Path) -> None:
    words = ("--watch", "in", "-o", "out")
    first = start(*words, hold=True)
    first.wait_until_it_holds()
    second = start(*words)
    check_in_use(second.wait_for_line("being written"), first)
    first.go_on()
    assert f"{COUNT} frames" in first.wait_for_line("n.mp4: ")
    for run in (first, second):
        code, said = run.end(signal.SIGINT)
        assert code == 130
        assert "Traceback" not in said
    assert frame_count(tmp_path / "out" / "n.mp4") == COUNT
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["n.mp4"]
