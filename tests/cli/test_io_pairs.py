"""Which file goes where."""

from __future__ import annotations

from pathlib import Path

import pytest
import synthetic

from realtime import SettingError, SinkError, SourceError
from realtime.cli.io_pairs import plan


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two clips, a picture, and what is no input."""
    for name in ("a.mp4", "b.avi", "c_enhanced.mp4", "notes.txt", ".hidden.mp4"):
        (tmp_path / name).write_bytes(b"")
    synthetic.image(tmp_path / "d.PNG")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "a.mp4").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def planned(inputs: list[str], output: str | None = None) -> list[tuple[str, str]]:
    pairs = plan(inputs, None if output is None else Path(output))
    return [(source.as_posix(), target.as_posix()) for source, target in pairs]


def test_the_default_name_is_beside_the_input(folder: Path) -> None:
    assert planned(["a.mp4"]) == [("a.mp4", "a_enhanced.mp4")]
    assert planned(["inner/a.mp4"]) == [("inner/a.mp4", "inner/a_enhanced.mp4")]


def test_a_container_that_cannot_hold_it_becomes_matroska(folder: Path) -> None:
    assert planned(["b.avi"]) == [("b.avi", "b_enhanced.mkv")]


def test_a_named_output_is_a_file(folder: Path) -> None:
    assert planned(["a.mp4"], "x.mkv") == [("a.mp4", "x.mkv")]


def test_an_output_folder_that_is_there(folder: Path) -> None:
    assert planned(["a.mp4"], "inner") == [("a.mp4", "inner/a.mp4")]


def test_several_inputs_go_into_a_folder_that_is_made(folder: Path) -> None:
    assert planned(["a.mp4", "b.avi"], "new/deep") == [("a.mp4", "new/deep/a.mp4"), ("b.avi", "new/deep/b.mkv")]
    assert (folder / "new" / "deep").is_dir()


def test_a_folder_means_what_is_in_it(folder: Path) -> None:
    assert planned(["."]) == [("a.mp4", "a_enhanced.mp4"), ("b.avi", "b_enhanced.mkv"), ("d.PNG", "d_enhanced.PNG")]


def test_a_pattern_means_what_it_matches(folder: Path) -> None:
    assert [source for source, _ in planned(["?.mp4"])] == ["a.mp4"]
    assert [source for source, _ in planned(["**/a.mp4"])] == ["a.mp4", "inner/a.mp4"]


def test_two_inputs_for_one_output_are_refused(folder: Path) -> None:
    with pytest.raises(SettingError, match="two inputs would both be written"):
        planned(["a.mp4", "inner/a.mp4"], "out")


def test_a_name_that_becomes_anothers_keeps_its_suffix(folder: Path) -> None:
    (folder / "b.mkv").write_bytes(b"")
    assert planned(["b.avi", "b.mkv"], "out") == [("b.avi", "out/b.avi.mkv"), ("b.mkv", "out/b.mkv")]


@pytest.mark.parametrize(("text", "told"), [("empty", "holds no video"), ("*.webm", "matches no video")])
def test_nothing_to_do_is_an_error(text: str, told: str, folder: Path) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(SourceError, match=told):
        planned([text])


def test_a_folder_that_cannot_be_made(folder: Path) -> None:
    with pytest.raises(SinkError, match="cannot be created"):
        planned(["a.mp4", "b.avi"], "notes.txt")


def test_a_file_named_like_a_pattern_is_a_file(folder: Path) -> None:
    (folder / "take[1].mp4").write_bytes(b"")
    assert planned(["take[1].mp4"]) == [("take[1].mp4", "take[1]_enhanced.mp4")]
