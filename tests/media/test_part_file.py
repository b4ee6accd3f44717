"""Part files: one writer at a time, no links followed, any name that the file system takes."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from realtime import SinkError
from realtime.media.part_file import PartFile, check_not_in_use, check_output, part_path, previous_part_path, write_file

#: Claims the part file of its argument, says so, and waits until its input ends.
CLAIM = """
import sys
from pathlib import Path
from realtime.media.part_file import PartFile
part = PartFile(Path(sys.argv[1]))
part.acquire()
print("claimed", flush=True)
sys.stdin.read()
"""


def test_a_claim_is_refused_to_others_with_the_process_that_has_it(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    command = [sys.executable, "-c", CLAIM, str(out)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "claimed\n"
        who = f"process {other.pid}" if Path("/proc/locks").exists() else "another process"
        for attempt in (PartFile(out).acquire, lambda: check_not_in_use(out)):
            with pytest.raises(SinkError, match=f"out.mp4 is being written by {who}; wait for it"):
                attempt()
        # Killed, it can release nothing itself.
        other.kill()
        other.wait()
        check_not_in_use(out)
        with PartFile(out) as part:
            assert part.size == 0
        other.stdin.close()


def test_a_claim_holds_within_one_process(tmp_path: Path) -> None:
    with PartFile(tmp_path / "out.mp4"), pytest.raises(SinkError, match=f"process {os.getpid()}|another process"):
        PartFile(tmp_path / "out.mp4").acquire()
    PartFile(tmp_path / "out.mp4").acquire()


def test_a_claim_on_a_file_that_was_renamed_meanwhile_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between opening and locking, its writer may finish."""
    out = tmp_path / "out.mp4"
    first, second = PartFile(out), PartFile(out)
    first.acquire()
    first.file.write(b"whole")

    def open_late() -> object:
        file = real_open()
        if first.acquired:
            first.move(out)
        return file

    real_open = second._open
    monkeypatch.setattr(second, "_open", open_late)
    second.acquire()
    assert second.size == 0
    second.remove()
    assert out.read_bytes() == b"whole"


@pytest.mark.parametrize("target", ["other.mp4", "nowhere/other.mp4"])
def test_a_link_in_its_place_is_not_followed(target: str, tmp_path: Path) -> None:
    out, other = tmp_path / "out.mp4", tmp_path / "other.mp4"
    other.write_bytes(b"of somebody else")
    part_path(out).symlink_to(tmp_path / target)
    with pytest.raises(SinkError, match="symbolic link"):
        PartFile(out).acquire()
    with pytest.raises(SinkError, match="symbolic link"):
        write_file(out, b"content")
    assert other.read_bytes() == b"of somebody else"
    assert not out.exists()


def test_another_name_of_a_file_in_its_place_is_not_overwritten(tmp_path: Path) -> None:
    out, other = tmp_path / "out.mp4", tmp_path / "other.mp4"
    other.write_bytes(b"of somebody else")
    os.link(other, part_path(out))
    with pytest.raises(SinkError, match="another name of a file"):
        PartFile(out).acquire()
    assert other.read_bytes() == b"of somebody else"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_or_a_folder_in_its_place_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(part_path(tmp_path / "a.mp4"))
    with pytest.raises(SinkError, match="not a regular file"):
        PartFile(tmp_path / "a.mp4").acquire()
    part_path(tmp_path / "b.mp4").mkdir()
    with pytest.raises(SinkError, match="cannot be written"):
        PartFile(tmp_path / "b.mp4").acquire()


def test_what_is_written_goes_into_the_file_that_was_claimed(tmp_path: Path) -> None:
    """Even when somebody puts a link in its place; then it does not get the final name."""
    out, other = tmp_path / "out.mp4", tmp_path / "other.mp4"
    other.write_bytes(b"of somebody else")
    part = PartFile(out)
    part.acquire()
    part.path.unlink()
    part.path.symlink_to(other)
    part.file.write(b"ours")
    for step in (part.sync, lambda: part.move(out)):
        with pytest.raises(SinkError, match="removed or replaced"):
            step()
    part.remove()
    assert other.read_bytes() == b"of somebody else"
    assert part.path.is_symlink()
    assert not out.exists()


@pytest.mark.parametrize("length", [200, 244, 250, 255])
def test_long_names_get_shorter_part_names_of_their_own(length: int, tmp_path: Path) -> None:
    names = ["ü" * ((length - 5) // 2) + "x" * (length - 5) + ending for ending in ("a.mp4", "b.mp4")]
    paths = [tmp_path / os.fsdecode(os.fsencode(name)[:2] + os.fsencode(name)[-(length - 2) :]) for name in names]
    assert [len(os.fsencode(path.name)) for path in paths] == [length, length]
    parts = {mark(path) for path in paths for mark in (part_path, previous_part_path)}
    assert len(parts) == 4
    assert max(len(os.fsencode(part.name)) for part in parts) <= 255
    for path in paths:
        write_file(path, b"content")
        assert path.read_bytes() == b"content"


def test_a_name_that_is_too_long_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="cannot be written: File name too long"):
        check_output(tmp_path / ("x" * 300 + ".mp4"), overwrite=False)


def test_a_file_is_written_as_a_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "a.json"
    write_file(out, b"first")

    def full(self: object, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("realtime.media.part_file._WholeWrites.write", full)
    with pytest.raises(SinkError, match="No space left"):
        write_file(out, b"second")
    assert out.read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_part_that_is_left_over_is_named_with_what_helps(tmp_path: Path) -> None:
    for name, remedies in (("a.mp4", ["resume=True", "overwrite=True"]), ("a.avi", ["overwrite=True"])):
        part_path(tmp_path / name).write_bytes(b"x")
        with pytest.raises(SinkError, match="left from an interrupted run") as caught:
            check_output(tmp_path / name, overwrite=False)
        assert list(caught.value.remedies) == remedies
        check_output(tmp_path / name, overwrite=True)
        check_output(tmp_path / name, overwrite=False, resume=True)
