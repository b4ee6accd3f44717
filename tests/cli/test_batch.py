"""Several files: none ends the batch for the others, what is done stays done, and an interrupt says how to go on."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import struct
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import synthetic

from realtime import Frame, PerFrame
from realtime.cli.main import main
from realtime.cli.watch_folder import watch_folder
from realtime.media.part_file import part_path

#: Frames and rate of the long clip.
LONG, RATE = 600, 10


@pytest.fixture
def options(weights: Path) -> list[str]:
    """Input comes out as it was."""
    quick = ["--engine", "exact", "--precision", "float32", "--exposure", "off", "--strength", "0"]
    return ["--weights", str(weights), *quick]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def process_with(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Frame], Frame]], None]:
    """Makes ``realtime enhance`` process frames with a function instead of the network."""

    def replace(function: Callable[[Frame], Frame]) -> None:
        monkeypatch.setattr("realtime.cli.options.make_enhancer", lambda args: PerFrame(function, "test"))

    return replace


def unchanged(frame: Frame) -> Frame:
    return frame


def frame_indices(path: Path) -> list[int]:
    return [index for _, index in synthetic.read_clip(path)]


def test_an_unexpected_exception_costs_one_file(
    here: Path, process_with: Callable[[Callable[[Frame], Frame]], None], capfd: pytest.CaptureFixture[str]
) -> None:
    for name, width in (("a.mp4", 64), ("b.mp4", 32), ("c.mp4", 64)):
        synthetic.clip(here / name, width=width)

    def fail_on_small(frame: Frame) -> Frame:
        if frame.width == 32:
            raise ZeroDivisionError("division by zero")
        return frame

    process_with(fail_on_small)
    assert main(["enhance", ".", "-o", "out", "--json"]) == 1
    out, err = capfd.readouterr()
    assert [line for line in err.splitlines() if "b.mp4" in line] == [
        "realtime: b.mp4: unexpected ZeroDivisionError: division by zero; -v shows where"
    ]
    assert "Traceback" not in err
    results = json.loads(out)["results"]
    assert [result["error"] is None for result in results] == [True, False, True]
    assert frame_indices(here / "out" / "c.mp4") == list(range(synthetic.COUNT))


def huge_png(path: Path) -> Path:
    """A PNG of a few bytes that claims 2^30 pixels."""
    header = struct.pack(">IIBBBBB", 1 << 15, 1 << 15, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 99)), (b"IEND", b"")]
    body = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(body))
    return path


@pytest.mark.parametrize("name", ["m" * 247 + ".mp4", "m.png", "missing.mp4", "empty", "rtsp://u:PW@host/live"])
@pytest.mark.parametrize("output", [None, "out"])
def test_no_input_ends_the_batch(
    name: str,
    output: str | None,
    here: Path,
    process_with: Callable[[Callable[[Frame], Frame]], None],
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A name without room for a suffix, an image that claims to be huge, what is not there, and an address."""
    process_with(unchanged)
    for good in ("a.mp4", "z.mp4"):
        synthetic.clip(here / good)
    if name.endswith(".png"):
        huge_png(here / name)
    elif name.startswith("mmm"):
        shutil.copy(here / "a.mp4", here / name)
    (here / "empty").mkdir()
    where = ["-o", output] if output else []
    code = main(["enhance", "a.mp4", name, "z.mp4", *where, "--json"])
    out, err = capfd.readouterr()
    assert "Traceback" not in err
    assert "unexpected" not in err
    assert "PW" not in out + err
    first, bad, last = json.loads(out)["results"]
    assert first["error"] is last["error"] is None
    for result in (first, last):
        assert frame_indices(here / result["output"]) == list(range(synthetic.COUNT))
    if output is None or not name.startswith("mmm"):
        assert bad["error"]
        assert code == 1
    else:  # in a folder of its own the name has room
        assert (bad["error"], code) == (None, 0)


def test_a_name_that_begins_with_a_tilde(here: Path, process_with: Callable[[Callable[[Frame], Frame]], None]) -> None:
    process_with(unchanged)
    synthetic.clip(here / "~name.mp4")
    synthetic.clip(here / "b.mp4")
    assert main(["enhance", ".", "-q"]) == 0
    assert sorted(path.name for path in here.glob("*_enhanced.mp4")) == ["b_enhanced.mp4", "~name_enhanced.mp4"]


def test_an_enhancer_that_cannot_be_made_is_said_once(
    here: Path, options: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        synthetic.clip(here / name)
    assert main(["enhance", ".", *options, "--device", "gpu:99"]) == 1
    assert [line for line in capfd.readouterr().err.splitlines() if "gpu:99" in line][1:] == []


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["a.mp4", "-o", "out.jpg"], 2, "a.mp4 is a video, and out.jpg would be an image"),
        (["a.mp4", "b.mp4", "-o", "out.mp4"], 2, "-o out.mp4 names a file, and there are 2 inputs; name a folder"),
        (["rtsp://u:PW@host/live"], 1, "rtsp://***@host/live is an address; 'realtime live ADDRESS --record FILE'"),
        (["deep"], 1, "deep holds no video and no image; folders below it do: -r takes them too"),
        (["a.mp4", "--watch"], 2, "--watch waits at folders"),
    ],
)
def test_what_cannot_be_meant(
    words: list[str], code: int, says: str, here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.mp4", "b.mp4", "deep/er/a.mp4"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        synthetic.clip(here / name)
    before = sorted(here.rglob("*"))
    assert main(["enhance", *words]) == code
    (line,) = capfd.readouterr().err.splitlines()
    assert says in line
    assert "PW" not in line
    assert sorted(here.rglob("*")) == before


def test_results_among_the_inputs_are_left_out(
    here: Path, process_with: Callable[[Callable[[Frame], Frame]], None], capfd: pytest.CaptureFixture[str]
) -> None:
    process_with(unchanged)
    synthetic.clip(here / "n.mp4")
    assert main(["enhance", "n.mp4", "-q"]) == 0
    assert main(["enhance", *sorted(str(p.name) for p in here.glob("n*.mp4")), "--overwrite"]) == 0
    assert "n_enhanced.mp4: left out, it is the result of another input" in capfd.readouterr().err
    assert sorted(path.name for path in here.iterdir()) == ["n.mp4", "n_enhanced.mp4"]


class TestSkipExisting:
    """What is done is recognized by the job in the output's tags, not by name and length."""

    def enhance(self, capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, int]:
        """Number of files that were enhanced and skipped."""
        capfd.readouterr()
        assert main(["enhance", "in", "-o", "out", "--skip-existing", "--json", *words]) == 0
        summary = json.loads(capfd.readouterr().out)
        return len(summary["results"]), summary.get("skipped", 0)

    @pytest.fixture(autouse=True)
    def folders(self, here: Path) -> None:
        (here / "in").mkdir()
        synthetic.clip(here / "in" / "a.mp4")

    def test_the_same_is_skipped_and_other_options_are_not(
        self, here: Path, options: list[str], capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert self.enhance(capfd, *options) == (1, 0)
        assert self.enhance(capfd, *options) == (0, 1)
        assert self.enhance(capfd, *options, "--crf", "30") == (1, 0)
        assert self.enhance(capfd, *options, "--crf", "30") == (0, 1)
        assert self.enhance(capfd, *options, "--crf", "30", "--start", "0.08") == (1, 0)

    def test_another_recording_of_the_same_name_and_length(
        self, here: Path, options: list[str], capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert self.enhance(capfd, *options) == (1, 0)
        synthetic.clip(here / "in" / "a.mp4", sound=True)
        assert self.enhance(capfd, *options) == (1, 0)

    def test_an_output_with_a_hole(self, here: Path, options: list[str], capfd: pytest.CaptureFixture[str]) -> None:
        synthetic.clip(here / "in" / "a.mp4", width=320, height=240, count=50)
        assert self.enhance(capfd, *options) == (1, 0)
        output = here / "out" / "a.mp4"
        data = bytearray(output.read_bytes())
        begin = data.index(b"mdat")
        data[begin + 1000 : begin + (len(data) - begin) // 2] = bytes((len(data) - begin) // 2 - 1000)
        output.write_bytes(data)
        assert self.enhance(capfd, *options) == (1, 0)
        assert frame_indices(output) == [index % 36 for index in range(50)]

    def test_a_file_of_another_program_is_not_replaced(
        self, here: Path, options: list[str], capfd: pytest.CaptureFixture[str]
    ) -> None:
        (here / "out").mkdir()
        foreign = synthetic.clip(here / "out" / "a.mp4")
        before = foreign.read_bytes()
        assert main(["enhance", "in", "-o", "out", "--skip-existing", *options]) == 1
        assert "a.mp4 exists and was not made by this program; --overwrite replaces it" in capfd.readouterr().err
        assert foreign.read_bytes() == before


def test_watched_names_that_collide_are_all_enhanced(
    here: Path,
    process_with: Callable[[Callable[[Frame], Frame]], None],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """night.avi first, then night.mkv, then night.avi.mkv, whose output has the name of another's."""
    process_with(unchanged)
    (here / "in").mkdir()
    arriving = [partial(synthetic.clip, here / "in" / name) for name in ("n.mkv", "n.avi.mkv")]
    synthetic.clip(here / "in" / "n.avi", codec="mpeg4")
    rounds = 0

    def wait(interval: float) -> None:
        nonlocal rounds
        rounds += 1
        if rounds % 3 == 0:
            if not arriving:
                raise KeyboardInterrupt
            arriving.pop(0)()

    monkeypatch.setattr("realtime.cli.watch_folder.watch_folder", partial(watch_folder, wait=wait))
    assert main(["enhance", "--watch", "in", "-o", "out", "--json"]) == 130
    results = json.loads(capfd.readouterr().out)["results"]
    assert [(Path(r["input"]).name, r["error"] is None) for r in results] == [
        ("n.avi", True),
        ("n.mkv", True),
        ("n.avi.mkv", False),
    ]
    assert sorted(path.name for path in (here / "out").iterdir()) == ["n.avi.mkv", "n.mkv"]


def test_a_name_without_room_for_a_suffix_does_not_end_the_watch(
    here: Path,
    process_with: Callable[[Callable[[Frame], Frame]], None],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process_with(unchanged)
    (here / "in").mkdir()
    for name in ("a.mp4", "m" * 247 + ".mp4", "z.mp4"):
        synthetic.clip(here / "in" / name)
    rounds = iter(range(3))

    def wait(interval: float) -> None:
        if next(rounds, None) is None:
            raise KeyboardInterrupt

    monkeypatch.setattr("realtime.cli.watch_folder.watch_folder", partial(watch_folder, wait=wait))
    assert main(["enhance", "--watch", "in", "--json"]) == 130
    results = json.loads(capfd.readouterr().out)["results"]
    assert [(Path(r["input"]).name[0], r["error"] is None) for r in results] == [("a", True), ("m", False), ("z", True)]
    assert sorted(path.name for path in (here / "in").glob("*_enhanced.mp4")) == ["a_enhanced.mp4", "z_enhanced.mp4"]


def test_messages_come_before_the_work(
    here: Path, process_with: Callable[[Callable[[Frame], Frame]], None], capfd: pytest.CaptureFixture[str]
) -> None:
    synthetic.clip(here / "a.mp4", pixels="yuv444p")
    before_first_frame: list[str] = []

    def look(frame: Frame) -> Frame:
        if not before_first_frame:
            before_first_frame.append(capfd.readouterr().err)
        return frame

    process_with(look)
    assert main(["enhance", "a.mp4"]) == 0
    assert "realtime: a.mp4: warning: frames in yuv444p are written as yuv420p" in before_first_frame[0]
    assert "yuv444p" not in capfd.readouterr().err


class TestInterrupt:
    """The part stays, and the line that says so holds the command that goes on."""

    @pytest.fixture
    def interrupted(
        self, here: Path, long_clip: Path, process_with: Callable[[Callable[[Frame], Frame]], None]
    ) -> Callable[..., int]:
        """Runs the command, with a signal when frame 300 is processed; returns the exit code."""

        def run(*words: str, name: str = "SIGINT") -> int:
            seen = 0

            def interrupt(frame: Frame) -> Frame:
                nonlocal seen
                seen += 1
                if seen == 300:
                    os.kill(os.getpid(), getattr(signal, name))
                return frame

            process_with(interrupt)
            shutil.copy2(long_clip, here / "a.mp4")
            code = main(["enhance", *words])
            process_with(unchanged)
            return code

        return run

    @pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
    def test_the_command_that_is_printed_goes_on(
        self, name: str, here: Path, interrupted: Callable[..., int], capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert interrupted("a.mp4", "-o", "out.mkv", name=name) == 130
        line = capfd.readouterr().err.splitlines()[-1]
        assert line.startswith(
            "realtime: interrupted; .out.part.mkv keeps what was done; go on with: realtime enhance "
        )
        assert [path.name for path in here.iterdir() if path.name.endswith("out.mkv")] == []
        assert 100 < len(synthetic.read_clip(part_path(here / "out.mkv"))) < LONG
        _, *words = shlex.split(line.partition("go on with: ")[2])
        assert words == ["enhance", "a.mp4", "-o", "out.mkv", "--resume"]
        assert main(words) == 0
        assert "continues behind" in capfd.readouterr().err
        assert [time for time, _ in synthetic.read_clip(here / "out.mkv")] == [
            time for time, _ in synthetic.regular(LONG, RATE)
        ]
        assert sorted(path.name for path in here.iterdir()) == ["a.mp4", "out.mkv"]

    def test_a_batch_goes_on_with_what_is_not_done(
        self, here: Path, interrupted: Callable[..., int], capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert interrupted("a.mp4", "b.mp4", "-o", "out", "--overwrite", "--json") == 130
        out, err = capfd.readouterr()
        assert err.splitlines()[-1].endswith(
            "go on with: realtime enhance a.mp4 b.mp4 -o out --json --resume --skip-existing"
        )
        summary = json.loads(out)
        assert summary["ok"] is False
        (result,) = summary["results"]
        assert (result["interrupted"], result["error"]) == (True, None)
        assert 0 < result["frames"] < LONG

    def test_a_short_file_for_who_wants_one(
        self, here: Path, interrupted: Callable[..., int], capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert interrupted("a.mp4", "-o", "out.mp4", "--keep-partial") == 130
        line = capfd.readouterr().err.splitlines()[-1]
        assert line.startswith("realtime: interrupted; out.mp4 is playable, with ")
        assert 100 < len(synthetic.read_clip(here / "out.mp4")) < LONG
        assert sorted(path.name for path in here.iterdir()) == ["a.mp4", "out.mp4"]

    def test_what_cannot_be_resumed_says_so(
        self, here: Path, interrupted: Callable[..., int], capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert interrupted("a.mp4", "-o", "out.avi") == 130
        assert "--resume" not in capfd.readouterr().err
