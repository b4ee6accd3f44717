"""A file that shrinks while it is read is damage, and does not kill the process."""

from __future__ import annotations

import os
from pathlib import Path

import synthetic

from realtime import open_source
from realtime.media.libav import av
from realtime.media.matroska import MatroskaScanner


def positions(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        return [packet.pos for packet in container.demux(video=0) if packet.size]


def test_all_blocks_of_an_intact_file_are_contiguous(tmp_path: Path) -> None:
    path = synthetic.clip(tmp_path / "a.mkv")
    scanner = MatroskaScanner(path)
    assert [text for position in positions(path) for text in scanner.check(position)] == []
    assert scanner.check_end() == []
    scanner.close()


def test_blocks_that_are_not_read_are_counted(tmp_path: Path) -> None:
    path = synthetic.clip(tmp_path / "a.mkv")
    scanner, problems = MatroskaScanner(path), list[str]()
    for position in positions(path)[::2]:
        problems += scanner.check(position)
    assert problems + scanner.check_end() == ["a block of track 1 is skipped"] * (synthetic.COUNT // 2)
    scanner.close()


def test_a_file_that_shrinks_under_the_scanner(tmp_path: Path) -> None:
    """With a mapped file this is SIGBUS, which kills the process."""
    path = synthetic.clip(tmp_path / "a.mkv", count=30, codec="ffv1")
    places = positions(path)
    scanner = MatroskaScanner(path)
    assert scanner.check(places[0]) == []
    os.truncate(path, places[1])
    assert scanner.check(places[-1])
    assert scanner.check_end()
    scanner.close()


def test_a_file_that_shrinks_while_its_frames_are_read(tmp_path: Path) -> None:
    path = synthetic.clip(tmp_path / "a.mkv", 320, 240, count=200, codec="ffv1")
    with open_source(path) as source:
        frames = source.frames()
        next(frames)
        os.truncate(path, path.stat().st_size // 2)
        assert 1 <= sum(1 for _ in frames) < 199
    assert source.info.diagnostics.damaged
