"""Records with checksums: what they say, what they find, and what they do not read."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
import synthetic
from plain import Plain

from realtime import SinkError, SourceError, enhance_video
from realtime.manifest import (
    ALTERED,
    AS_RECORDED,
    LARGEST_MANIFEST,
    MANIFEST_KIND,
    MISSING,
    NOT_A_FILE,
    OUTSIDE,
    check_manifest,
    manifest_path,
)
from realtime.media.checksum import sha256
from realtime.media.part_file import _WholeWrites


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """The manifest of an output beside its input."""
    source, out = synthetic.clip(tmp_path / "a.mp4"), tmp_path / "out.mp4"
    enhance_video(source, out, enhancer=Plain(), manifest=True)
    return manifest_path(out)


def states(path: Path, **how: Any) -> dict[str, str]:
    return {file.role: file.state for file in check_manifest(path, **how)}


def test_files_as_recorded_altered_and_missing(record: Path, tmp_path: Path) -> None:
    assert states(record) == {"input": AS_RECORDED, "output": AS_RECORDED}
    with (tmp_path / "out.mp4").open("ab") as file:
        file.write(b"x")
    (tmp_path / "a.mp4").unlink()
    assert states(record) == {"input": MISSING, "output": ALTERED}
    (tmp_path / "a.mp4").mkdir()
    assert states(record)["input"] == NOT_A_FILE


def test_a_folder_may_move_as_a_whole(record: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    moved.mkdir()
    for path in [path for path in tmp_path.iterdir() if path.is_file()]:
        path.rename(moved / path.name)
    assert states(moved / record.name) == {"input": AS_RECORDED, "output": AS_RECORDED}


def test_the_weights_are_compared_where_they_are_given(tmp_path: Path, record: Path) -> None:
    content = json.loads(record.read_text())
    weights = tmp_path / "elsewhere.h5"
    weights.write_bytes(b"weights")
    with pytest.raises(SourceError, match="is no manifest"):
        states(record, weights=weights)
    content["parameters"]["weights_sha256"] = sha256(weights)
    record.write_text(json.dumps(content))
    assert states(record, weights=weights)["weights"] == AS_RECORDED


def test_engine_settings_and_libraries_are_in_it(record: Path) -> None:
    content = json.loads(record.read_text())
    assert content["parameters"]["engine"] == content["result"]["engine"] == "plain"
    assert content["parameters"]["encoding"]["codec"] == "h264"
    assert "PyAV" in content["result"]["libraries"]


def naming(name: str, checksum: str = "0" * 64) -> dict[str, Any]:
    """A record that names a file of any name."""
    entry = {"path": name, "sha256": checksum}
    return {"kind": MANIFEST_KIND, "input": entry, "output": entry, "parameters": {}}


def hostile(folder: Path, name: str, checksum: str = "0" * 64) -> Path:
    path = folder / "b.mp4.manifest.json"
    path.write_text(json.dumps(naming(name, checksum)))
    return path


@pytest.mark.parametrize("name", ["/etc/passwd", "../secret", "/proc/kmsg", "link", "folder/../../secret"])
def test_files_outside_its_folder_are_not_read(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    folder = tmp_path / "inbox"
    (folder / "folder").mkdir(parents=True)
    (folder / "link").symlink_to(tmp_path / "secret")
    monkeypatch.setattr("realtime.manifest.sha256", lambda path: pytest.fail(f"{path} was read"))
    assert set(states(hostile(folder, name)).values()) == {OUTSIDE}


def test_they_are_read_on_request(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "inbox").mkdir()
    record = hostile(tmp_path / "inbox", "../secret", sha256(tmp_path / "secret"))
    assert set(states(record, anywhere=True).values()) == {AS_RECORDED}


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no files that never end")
@pytest.mark.parametrize("name", ["/dev/zero", "/proc/self/pagemap"])
def test_files_that_never_end_end(name: str, tmp_path: Path) -> None:
    assert set(states(hostile(tmp_path, name), anywhere=True).values()) <= {NOT_A_FILE, ALTERED}


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert set(states(hostile(tmp_path, "pipe")).values()) == {NOT_A_FILE}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "null",
        "{}",
        "[" * 100_000,
        '{"kind": "other"}',
        '{"kind": "realtime-manifest-1", "input": 7, "output": 7}',
        json.dumps(naming("a\0b")),
        json.dumps(naming("\ud800")),
        b"\xff\xfe\x00",
        " " * (LARGEST_MANIFEST + 1),
    ],
    ids=["empty", "list", "null", "object", "deep", "other", "numbers", "zero byte", "surrogate", "no text", "large"],
)
def test_what_is_no_manifest_is_one_line(content: str | bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.manifest.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SourceError, match=r"is no manifest of this program$"):
        states(path)
    with pytest.raises(SourceError, match="cannot be read"):
        states(tmp_path / "missing.manifest.json")


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_a_name_that_is_no_unicode_is_recorded_and_found(tmp_path: Path) -> None:
    source = Path(os.fsdecode(os.fsencode(tmp_path) + b"/n\xffght.mp4"))
    synthetic.clip(tmp_path / "a.mp4").rename(source)
    enhance_video(source, tmp_path / "out.mp4", enhancer=Plain(), manifest=True)
    assert states(manifest_path(tmp_path / "out.mp4")) == {"input": AS_RECORDED, "output": AS_RECORDED}


def test_a_full_disk_leaves_no_half_a_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = synthetic.clip(tmp_path / "a.mp4"), tmp_path / "out.mp4"
    whole = _WholeWrites.write

    def full(self: _WholeWrites, data: bytes) -> int:
        if b"manifest" in data:
            raise OSError(errno.ENOSPC, "No space left on device")
        return whole(self, data)

    monkeypatch.setattr("realtime.media.part_file._WholeWrites.write", full)
    with pytest.raises(SinkError, match=r"out\.mp4\.manifest\.json cannot be written: No space left"):
        enhance_video(source, out, enhancer=Plain(), manifest=True)
    assert sorted(os.listdir(tmp_path)) == ["a.mp4", "out.mp4"]
