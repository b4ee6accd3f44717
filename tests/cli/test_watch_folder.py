"""Files as they arrive."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

import pytest

from realtime.cli.io_pairs import IoPair, resolve_arguments
from realtime.cli.main import parser
from realtime.cli.watch_folder import INTERVAL, watch_folder


def test_a_file_is_taken_when_it_stopped_growing_and_again_when_it_changed(tmp_path: Path) -> None:
    growing, ready, empty = (tmp_path / name for name in ("growing.mp4", "ready.mp4", "empty.mp4"))
    for file in (growing, ready):
        file.write_bytes(b"1")
    empty.touch()
    waits: list[float] = []

    def wait(interval: float) -> None:
        waits.append(interval)
        if len(waits) < 4:
            growing.write_bytes(b"1" * (1 + len(waits)))
        if len(waits) == 7:
            ready.write_bytes(b"another")
            os.utime(ready, ns=(1, 1))

    def listing() -> list[IoPair]:
        return [IoPair(path, path.with_suffix(".out")) for path in sorted(tmp_path.glob("*.mp4"))]

    names, counts = [], []
    for pair in islice(watch_folder(listing, wait), 3):
        names.append(pair.source.name)
        counts.append(len(waits))
    assert names == ["ready.mp4", "growing.mp4", "ready.mp4"]
    assert counts == [1, 4, 8]
    assert set(waits) == {INTERVAL}


def test_a_file_that_goes_away_is_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    file.write_bytes(b"1")
    rounds = 0

    def wait(interval: float) -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 3:
            raise KeyboardInterrupt
        file.unlink(missing_ok=True)

    taken: list[IoPair] = []
    with pytest.raises(KeyboardInterrupt):
        taken.extend(watch_folder(lambda: [IoPair(file, None)], wait))
    assert taken == []
    assert rounds == 3


def test_an_empty_folder_is_waited_at(tmp_path: Path) -> None:
    (tmp_path / "note.txt").touch()  # gives the folder a size on every file system
    args = parser().parse_args(["enhance", str(tmp_path), "-o", str(tmp_path / "out"), "--watch"])
    waits = iter(range(4))

    def wait(interval: float) -> None:
        if next(waits) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        assert next(watch_folder(lambda: resolve_arguments(args, args.inputs, args.output).pairs, wait)) is None
