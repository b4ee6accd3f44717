"""Files elsewhere: read through a local copy, written under their final name only when they are whole."""

# ruff: noqa: PT012 (how a block ends is what these tests are about)
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from realtime import SettingError, SinkError, SourceError
from realtime.cluster.storage import exists, is_remote, listing, staged


@pytest.fixture
def memory() -> Iterator[Any]:
    """An fsspec file system in memory."""
    fsspec = pytest.importorskip("fsspec", reason="the extra 'cluster' is not installed")
    filesystem = fsspec.filesystem("memory")
    filesystem.store.clear()
    yield filesystem
    filesystem.store.clear()


@pytest.mark.parametrize(
    ("address", "remote"), [("/night/a.mp4", False), ("a.mp4", False), ("s3://bucket/a.mp4", True), ("C:/a.mp4", False)]
)
def test_what_is_remote(address: str, remote: bool) -> None:
    assert is_remote(address) == remote


def test_local_paths_are_used_as_they_are(tmp_path: Path) -> None:
    with staged(str(tmp_path / "in.mp4"), str(tmp_path / "out.mp4")) as (source, target):
        assert (source, target) == (tmp_path / "in.mp4", tmp_path / "out.mp4")


def test_a_remote_file_comes_and_its_result_goes_back(memory: Any, tmp_path: Path) -> None:
    memory.pipe_file("/night/in.mp4", b"dark")
    with staged("memory://night/in.mp4", "memory://bright/out.mp4", tmp_path) as (source, target):
        assert source.read_bytes() == b"dark"
        target.write_bytes(b"bright")
        target.with_name("out.mp4.manifest.json").write_bytes(b"{}")
        target.with_name(".out.part.mp4").write_bytes(b"hidden")
        assert not exists("memory://bright/out.mp4")
    assert memory.cat_file("/bright/out.mp4") == b"bright"
    assert sorted(memory.store) == ["/bright/out.mp4", "/bright/out.mp4.manifest.json", "/night/in.mp4"]
    assert list(tmp_path.iterdir()) == [], "copies are removed"


def test_after_a_failure_nothing_is_uploaded(memory: Any, tmp_path: Path) -> None:
    memory.pipe_file("/night/in.mp4", b"dark")
    with (
        pytest.raises(ValueError, match="broken"),
        staged("memory://night/in.mp4", "memory://bright/out.mp4", tmp_path) as (_, target),
    ):
        target.write_bytes(b"half")
        raise ValueError("broken")
    assert list(memory.store) == ["/night/in.mp4"]
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_one_line(memory: Any, tmp_path: Path) -> None:
    with (
        pytest.raises(SourceError, match=r"memory://night/none\.mp4 does not exist"),
        staged("memory://night/none.mp4", "memory://bright/out.mp4", tmp_path),
    ):
        pass


def test_an_upload_that_fails_is_one_line_and_leaves_no_final_name(
    memory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe_file("/night/in.mp4", b"dark")

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise PermissionError("access denied\nwith a second line")

    with (
        pytest.raises(SinkError, match=r"memory://bright/out\.mp4 cannot be written: access denied$"),
        staged("memory://night/in.mp4", "memory://bright/out.mp4", tmp_path) as (_, target),
    ):
        target.write_bytes(b"bright")
        monkeypatch.setattr(type(memory), "put_file", refuse)
    assert "/bright/out.mp4" not in memory.store


def test_an_unknown_scheme_names_itself(tmp_path: Path) -> None:
    pytest.importorskip("fsspec", reason="the extra 'cluster' is not installed")
    with pytest.raises(SettingError, match="nowhere://a/b cannot be used"), staged("nowhere://a/b", "c", tmp_path):
        pass


def test_a_listing_has_sizes_and_marks(memory: Any) -> None:
    memory.pipe_file("/night/a.mp4", b"12345")
    memory.pipe_file("/night/sub/b.mp4", b"1")
    found = listing("memory://night")
    assert [(name, size) for name, size, _ in found] == [("memory:///night/a.mp4", 5), ("memory:///night/sub/b.mp4", 1)]
