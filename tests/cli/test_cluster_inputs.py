"""Which file goes where on a cluster: the same names as on one machine, and addresses."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from realtime import SettingError, SourceError
from realtime.cli import cluster_inputs
from realtime.cli.arguments import UsageError
from realtime.cli.cluster_inputs import list_pairs, watch_pairs
from realtime.cli.main import parser


def arguments(*words: str) -> argparse.Namespace:
    return parser().parse_args(["enhance", *words, "--ray"])


def pairs(*words: str) -> list[tuple[str, str | None]]:
    return [(pair.source, pair.target) for pair in list_pairs(arguments(*words))]


@pytest.fixture
def memory() -> Iterator[Any]:
    """A store with a night in it."""
    fsspec = pytest.importorskip("fsspec", reason="the extra 'cluster' is not installed")
    filesystem = fsspec.filesystem("memory")
    filesystem.store.clear()
    for name in ("a.mp4", "b.avi", "note.txt", ".c.mp4", "a_enhanced.mp4", "deep/d.mkv", ".hidden/e.mp4"):
        filesystem.pipe_file(f"/night/{name}", name.encode())
    yield filesystem
    filesystem.store.clear()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a.mp4", "b.avi", "deep/d.mkv"):
        path = tmp_path / "night" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"dark")
    return tmp_path


def test_local_names_are_those_of_one_machine(folder: Path) -> None:
    assert pairs("night", "-r", "-o", "out") == [
        ("night/a.mp4", "out/a.mp4"),
        ("night/b.avi", "out/b.avi.mkv"),
        ("night/deep/d.mkv", "out/deep/d.mkv"),
    ]
    assert pairs("night/a.mp4") == [("night/a.mp4", "night/a_enhanced.mp4")]


def test_from_here_into_a_store(folder: Path) -> None:
    assert pairs("night", "-r", "-o", "s3://bucket/out/") == [
        ("night/a.mp4", "s3://bucket/out/a.mp4"),
        ("night/b.avi", "s3://bucket/out/b.avi.mkv"),
        ("night/deep/d.mkv", "s3://bucket/out/deep/d.mkv"),
    ]
    assert pairs("night/a.mp4", "-o", "s3://bucket/out") == [("night/a.mp4", "s3://bucket/out/a.mp4")]
    assert pairs("night/a.mp4", "-o", "s3://bucket/out/x.mp4") == [("night/a.mp4", "s3://bucket/out/x.mp4")]


def test_from_a_store(memory: Any, folder: Path) -> None:
    assert pairs("memory://night", "-o", "out") == [
        ("memory:///night/a.mp4", "out/a.mp4"),
        ("memory:///night/b.avi", "out/b.avi.mkv"),
    ]
    assert pairs("memory://night/", "-r", "-o", "memory://bright/") == [
        ("memory:///night/a.mp4", "memory://bright/a.mp4"),
        ("memory:///night/b.avi", "memory://bright/b.avi.mkv"),
        ("memory:///night/deep/d.mkv", "memory://bright/deep/d.mkv"),
    ]
    assert pairs("memory://night/a.mp4", "-o", "x.mp4") == [("memory://night/a.mp4", "x.mp4")]
    assert pairs("memory://night/deep/d.mkv", "night/a.mp4", "-o", "out") == [
        ("night/a.mp4", "out/a.mp4"),
        ("memory://night/deep/d.mkv", "out/d.mkv"),
    ]


def test_what_cannot_be_done_is_said(memory: Any, folder: Path) -> None:
    with pytest.raises(SettingError, match="remote inputs need a place for their outputs; give it with -o"):
        pairs("memory://night")
    for address in ("memory://empty", "memory://night/none.mp4"):
        (pair,) = list_pairs(arguments(address, "-o", "out"))
        assert isinstance(pair.problem, SourceError)
    *_, second = list_pairs(arguments("memory://night/a.mp4", "night/a.mp4", "-o", "out"))
    assert "would both be written to out/a.mp4" in str(second.problem)
    (missing,) = list_pairs(arguments("none.mp4", "-o", "out.mp4"))
    with pytest.raises(SourceError, match=r"none\.mp4 does not exist"):
        missing.prepare()


def test_prepared_paths_are_absolute_and_their_folder_is_there(folder: Path) -> None:
    first, *_ = list_pairs(arguments("night", "-o", "out"))
    assert first.prepare() == (str(folder / "night" / "a.mp4"), str(folder / "out" / "a.mp4"))
    assert (folder / "out").is_dir()


def test_an_input_behind_ray_is_told_from_an_address(folder: Path) -> None:
    for words in (["night"], ["s3://bucket/night/"]):
        with pytest.raises(UsageError, match=r"neither auto nor HOST:PORT.*; give inputs before --ray$"):
            parser().parse_args(["enhance", "--ray", *words])
    for address in ("head", "head:", "head:port", "ray://head"):
        with pytest.raises(UsageError, match=r"neither auto nor HOST:PORT.* before it$"):
            parser().parse_args(["enhance", "night", "--ray", address])
    for address in ("auto", "head:6379", "ray://10.0.0.1:10001", "[::1]:6379"):
        assert parser().parse_args(["enhance", "night", "--ray", address]).ray == address
    assert arguments("night").ray == ""


def test_watching_takes_a_file_when_it_has_stopped_growing(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_inputs, "INTERVAL", 0.0)
    args = arguments("memory://night", "-o", "memory://bright/", "--watch")
    listings = iter(range(100))
    sizes = [1, 2, 2, 2, 3, 3]

    def listed(args: argparse.Namespace) -> Iterator[Any]:
        number = next(listings)
        if number == len(sizes):
            raise StopWatchingError
        yield cluster_inputs.ClusterPair("a", "b", None, (sizes[number], ""))

    class StopWatchingError(Exception):
        pass

    monkeypatch.setattr(cluster_inputs, "list_pairs", listed)
    taken: list[int] = []
    watched = watch_pairs(args)

    def take() -> None:
        pair = next(watched)
        assert pair is not None
        assert pair.state is not None
        taken.append(pair.state[0])

    take()
    take()
    with pytest.raises(StopWatchingError):
        take()
    assert taken == [2, 3]


def test_an_empty_folder_is_waited_at(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_inputs, "INTERVAL", 0.0)
    (folder / "inbox").mkdir()
    (folder / "inbox" / "note.txt").touch()  # gives the folder a size on every file system
    listings = 0

    def listed(args: argparse.Namespace) -> Iterator[Any]:
        nonlocal listings
        listings += 1
        if listings == 4:
            (folder / "inbox" / "a.mp4").write_bytes(b"dark")
        return list_pairs(args)

    monkeypatch.setattr(cluster_inputs, "list_pairs", listed)
    watched = watch_pairs(arguments("inbox", "-o", "out", "--watch"))
    pair = next(pair for pair in watched if pair is not None)
    assert (pair.source, listings) == ("inbox/a.mp4", 5)
