"""Which file goes where."""

from __future__ import annotations

from pathlib import Path

import pytest
import synthetic

from realtime.cli.io_pairs import IoPair, resolve_io
from realtime.errors import RealtimeError, SettingError, SinkError, SourceError


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


def resolved(inputs: list[str], output: str | None = None, *, recursive: bool = False) -> list[tuple[str, str]]:
    plan = resolve_io(inputs, output, recursive=recursive)
    assert [pair.problem for pair in plan.pairs if pair.problem] == []
    return [(pair.source.as_posix(), pair.target.as_posix()) for pair in plan.pairs if pair.target]


def problem_of(inputs: list[str], output: str | None = None) -> tuple[list[IoPair], RealtimeError]:
    """The pairs that can be enhanced, and what is wrong with the one that cannot."""
    pairs = resolve_io(inputs, output).pairs
    (bad,) = [pair for pair in pairs if pair.problem]
    assert bad.problem is not None
    with pytest.raises(type(bad.problem)):
        bad.prepare()
    return [pair for pair in pairs if not pair.problem], bad.problem


def test_the_default_name_is_beside_the_input(folder: Path) -> None:
    assert resolved(["a.mp4"]) == [("a.mp4", "a_enhanced.mp4")]
    assert resolved(["inner/a.mp4"]) == [("inner/a.mp4", "inner/a_enhanced.mp4")]


def test_a_container_that_cannot_hold_it_becomes_matroska_and_keeps_its_suffix_in_the_name(folder: Path) -> None:
    """Whether or not a b.mkv lies beside it: that one may arrive later."""
    assert resolved(["b.avi"]) == [("b.avi", "b.avi_enhanced.mkv")]
    assert resolved(["b.avi"], "inner") == [("b.avi", "inner/b.avi.mkv")]
    (folder / "b.mkv").write_bytes(b"")
    assert resolved(["b.avi", "b.mkv"], "out") == [("b.avi", "out/b.avi.mkv"), ("b.mkv", "out/b.mkv")]
    assert resolved(["b.avi", "b.mkv"]) == [("b.avi", "b.avi_enhanced.mkv"), ("b.mkv", "b_enhanced.mkv")]


def test_a_lossless_codec_needs_matroska(folder: Path) -> None:
    (pair,) = resolve_io(["a.mp4"], "inner", lossless=True).pairs
    assert pair.target == Path("inner/a.mp4.mkv")


def test_a_named_output_is_a_file(folder: Path) -> None:
    assert resolved(["a.mp4"], "x.mkv") == [("a.mp4", "x.mkv")]
    assert resolved(["d.PNG"], "x.jpg") == [("d.PNG", "x.jpg")]


def test_an_output_folder_that_is_there_or_ends_in_a_slash(folder: Path) -> None:
    assert resolved(["a.mp4"], "inner") == [("a.mp4", "inner/a.mp4")]
    assert resolved(["a.mp4"], "new/") == [("a.mp4", "new/a.mp4")]


def test_several_inputs_go_into_a_folder_that_is_made_when_it_is_needed(folder: Path) -> None:
    plan = resolve_io(["a.mp4", "b.avi"], "new/deep")
    assert not (folder / "new").exists()
    assert [pair.prepare() for pair in plan.pairs] == [Path("new/deep/a.mp4"), Path("new/deep/b.avi.mkv")]
    assert (folder / "new" / "deep").is_dir()


def test_a_folder_means_what_is_in_it(folder: Path) -> None:
    assert resolved(["."]) == [
        ("a.mp4", "a_enhanced.mp4"),
        ("b.avi", "b.avi_enhanced.mkv"),
        ("d.PNG", "d_enhanced.PNG"),
    ]


def test_folders_in_folders_are_mirrored_but_for_the_output(folder: Path) -> None:
    for target in ("out/x.mp4", "out/inner/y.mp4"):
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        (folder / target).write_bytes(b"")
    assert resolved(["."], "out", recursive=True) == [
        ("a.mp4", "out/a.mp4"),
        ("b.avi", "out/b.avi.mkv"),
        ("d.PNG", "out/d.PNG"),
        ("inner/a.mp4", "out/inner/a.mp4"),
    ]


def test_a_pattern_means_what_it_matches(folder: Path) -> None:
    assert [source for source, _ in resolved(["?.mp4"])] == ["a.mp4"]
    assert [source for source, _ in resolved(["**/a.mp4"])] == ["a.mp4", "inner/a.mp4"]


def test_a_file_named_like_a_pattern_is_a_file(folder: Path) -> None:
    (folder / "take[1].mp4").write_bytes(b"")
    assert resolved(["take[1].mp4"]) == [("take[1].mp4", "take[1]_enhanced.mp4")]


@pytest.mark.parametrize("inputs", [["c.mp4", "c_enhanced.mp4"], ["c*.mp4"], ["c_enhanced.mp4", "c.mp4"]])
def test_results_of_an_earlier_call_are_no_inputs(inputs: list[str], folder: Path) -> None:
    """Neither where the shell expands the pattern nor where we do."""
    (folder / "c.mp4").write_bytes(b"")
    plan = resolve_io(inputs, None)
    assert [pair.source for pair in plan.pairs] == [Path("c.mp4")]
    assert plan.left_out == [Path("c_enhanced.mp4")]


def test_a_result_of_a_changed_container_is_no_input_either(folder: Path) -> None:
    (folder / "b.avi_enhanced.mkv").write_bytes(b"")
    plan = resolve_io(["b.avi", "b.avi_enhanced.mkv"], None)
    assert [pair.source for pair in plan.pairs] == [Path("b.avi")]


def test_a_result_that_is_asked_for_alone_is_an_input(folder: Path) -> None:
    assert resolved(["c_enhanced.mp4"]) == [("c_enhanced.mp4", "c_enhanced_enhanced.mp4")]


def test_two_inputs_for_one_output_are_the_seconds_problem(folder: Path) -> None:
    others, problem = problem_of(["a.mp4", "inner/a.mp4"], "out")
    assert [pair.source for pair in others] == [Path("a.mp4")]
    assert "a.mp4 and inner/a.mp4 would both be written to out/a.mp4" in str(problem)


def test_a_name_that_another_keeps(folder: Path) -> None:
    """Three names of which two collide, and the other one is still done."""
    for name in ("n.avi", "n.mkv", "n.avi.mkv"):
        (folder / name).write_bytes(b"")
    others, problem = problem_of(["n.avi", "n.mkv", "n.avi.mkv"], "out")
    assert [pair.target for pair in others] == [Path("out/n.avi.mkv"), Path("out/n.mkv")]
    assert "n.avi and n.avi.mkv" in str(problem)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("empty", "empty holds no video and no image"),
        ("*.webm", "*.webm matches no video and no image"),
        ("deep", "deep holds no video and no image; folders below it do: -r takes them too"),
        ("results", "results holds no video and no image but 1 results of earlier calls"),
        ("rtsp://u:PW@host/live", "'realtime live ADDRESS --record FILE'"),
    ],
)
def test_an_input_without_anything_to_do_leaves_the_others(text: str, says: str, folder: Path) -> None:
    (folder / "empty").mkdir()
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er" / "a.mp4").write_bytes(b"")
    (folder / "results").mkdir()
    (folder / "results" / "a_enhanced.mp4").write_bytes(b"")
    others, problem = problem_of([text, "a.mp4"], "out")
    assert [pair.source for pair in others] == [Path("a.mp4")]
    assert isinstance(problem, SourceError)
    assert says in str(problem)
    assert "PW" not in str(problem)


@pytest.mark.parametrize(("source", "output"), [("a.mp4", "out.jpg"), ("d.PNG", "out.mp4")])
def test_a_video_does_not_become_an_image_nor_the_reverse(source: str, output: str, folder: Path) -> None:
    others, problem = problem_of([source], output)
    assert others == []
    assert isinstance(problem, SettingError)
    assert "choose an output of the same kind" in str(problem)


@pytest.mark.parametrize("inputs", [["a.mp4", "b.avi"], ["inner"], ["."]])
def test_a_files_name_is_no_output_for_several_inputs(inputs: list[str], folder: Path) -> None:
    with pytest.raises(SettingError, match=r"-o out.mp4 names a file"):
        resolve_io(inputs, "out.mp4")
    assert not (folder / "out.mp4").exists()


def test_an_output_folder_that_is_a_file(folder: Path) -> None:
    with pytest.raises(SinkError, match=r"notes.txt is a file; several inputs need a folder"):
        resolve_io(["a.mp4", "b.avi"], "notes.txt")


def test_a_folder_that_cannot_be_made_is_a_problem_of_its_files(folder: Path) -> None:
    (pair, *_) = resolve_io(["a.mp4", "b.avi"], "notes.txt/deep").pairs
    with pytest.raises(SinkError, match="cannot be created"):
        pair.prepare()


@pytest.mark.parametrize("inputs", [["."], ["~nobody.mp4"], ["~*.mp4"]])
def test_a_name_that_begins_with_a_tilde(inputs: list[str], folder: Path) -> None:
    (folder / "~nobody.mp4").write_bytes(b"")
    assert ("~nobody.mp4", "~nobody_enhanced.mp4") in resolved(inputs)


def test_a_name_that_is_too_long_to_exist(folder: Path) -> None:
    name = "n" * 250 + ".mp4"
    others, problem = problem_of(["n" * 300 + ".mp4", "a.mp4"])
    assert [pair.source for pair in others] == [Path("a.mp4")]
    assert "cannot be read: File name too long" in str(problem)
    (folder / name).write_bytes(b"")
    assert resolved([name]) == [(name, "n" * 250 + "_enhanced.mp4")]  # its output is refused when it is written
