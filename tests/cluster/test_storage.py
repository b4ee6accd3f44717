"""Files elsewhere: read through a local copy, written under their final name only when they are whole."""

# ruff: noqa: PT012 (how a block ends is what these tests are about)
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from realtime import SettingError, SinkError, SourceError
from realtime.cluster.storage import Cache, exists, is_remote, listing


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
    cache = Cache(str(tmp_path))
    assert cache.source(str(tmp_path / "in.mp4")) == tmp_path / "in.mp4"
    with cache.target(str(tmp_path / "out.mp4")) as target:
        assert target == tmp_path / "out.mp4"


def test_a_remote_file_comes_and_its_result_goes_back(memory: Any, tmp_path: Path) -> None:
    memory.pipe_file("/night/in.mp4", b"dark")
    memory.pipe_file("/night/next.mp4", b"darker")
    cache = Cache(str(tmp_path))
    source = cache.source("memory://night/in.mp4")
    assert source.read_bytes() == b"dark"
    assert source.stat().st_mtime_ns == int(memory.created("/night/in.mp4").timestamp()) * 10**9
    assert cache.source("memory://night/in.mp4") == source, "the next segment of a file needs no other copy"
    with cache.target("memory://bright/out.mp4") as target:
        target.write_bytes(b"bright")
        target.with_name("out.mp4.manifest.json").write_bytes(b"{}")
        target.with_name(".out.part.mp4").write_bytes(b"hidden")
        assert not exists("memory://bright/out.mp4")
    assert memory.cat_file("/bright/out.mp4") == b"bright"
    bright = sorted(name for name in memory.store if name.startswith("/bright"))
    assert bright == ["/bright/out.mp4", "/bright/out.mp4.manifest.json"]
    cache.source("memory://night/next.mp4")
    assert not source.exists(), "one source at a time has a copy"


def test_after_a_failure_nothing_is_uploaded(memory: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="broken"), Cache(str(tmp_path)).target("memory://bright/out.mp4") as target:
        target.write_bytes(b"half")
        raise ValueError("broken")
    assert list(memory.store) == []


def test_a_missing_file_is_one_line(memory: Any, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"memory://night/deep/none\.mp4 does not exist"):
        Cache(str(tmp_path)).source("memory://night/deep/none.mp4")


def test_a_file_for_which_there_is_no_room_is_one_line(
    memory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe_file("/night/in.mp4", b"dark")
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=3))
    with pytest.raises(SourceError, match=r"memory://night/in\.mp4 has 4 bytes, and .* has room for 3"):
        Cache(str(tmp_path)).source("memory://night/in.mp4")


def test_an_upload_that_fails_is_one_line_and_leaves_no_final_name(
    memory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise PermissionError("access denied\nwith a second line")

    monkeypatch.setattr(type(memory), "put_file", refuse)
    cache = Cache(str(tmp_path))
    with (
        pytest.raises(SinkError, match=r"memory://bright/out\.mp4 cannot be written: access denied$"),
        cache.target("memory://bright/out.mp4") as target,
    ):
        target.write_bytes(b"bright")
    assert "/bright/out.mp4" not in memory.store


def test_an_unknown_scheme_names_itself(tmp_path: Path) -> None:
    pytest.importorskip("fsspec", reason="the extra 'cluster' is not installed")
    with pytest.raises(SettingError, match="nowhere://a/b cannot be used"):
        Cache(str(tmp_path)).source("nowhere://a/b")


def test_a_listing_has_sizes_and_marks(memory: Any) -> None:
    memory.pipe_file("/night/a.mp4", b"12345")
    memory.pipe_file("/night/sub/b.mp4", b"1")
    found = listing("memory://night")
    assert [(name, size) for name, size, _ in found] == [("memory:///night/a.mp4", 5), ("memory:///night/sub/b.mp4", 1)]
