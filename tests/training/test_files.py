"""Which files there are, which may be trained on, which are held out, and what of them can be read."""

from __future__ import annotations

import logging
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime.errors import TrainingError
from realtime.training.files import find_files, find_training_files, read_clip, read_image, split, training_files


def write_picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.zeros((8, 8, 3), np.uint8))
    return path


def write_sources(folder: Path, *rows: tuple[str, str]) -> None:
    lines = ["file\tuse\tlicense", *(f"{file}\t{use}\tCC0" for file, use in rows)]
    (folder / "SOURCES.tsv").write_text("\n".join(lines) + "\n", "utf-8")


def test_empty_and_missing_folders(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no images or clips"):
        find_files([tmp_path])
    with pytest.raises(TrainingError, match="not a folder"):
        find_files([tmp_path / "nowhere"])


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    image, clip = tmp_path / "broken.png", tmp_path / "broken.mp4"
    image.write_bytes(b"no picture")
    clip.write_bytes(b"no clip")
    with pytest.raises(TrainingError, match=r"broken\.png is not a readable image"):
        read_image(image)
    with pytest.raises(TrainingError, match=r"broken\.mp4 is not a readable clip"):
        read_clip(clip, 3)


def test_a_clip_repeats_its_last_frame(clip: Path) -> None:
    frames = read_clip(clip, 12)
    assert len(frames) == 12
    assert frames[0].shape == (48, 64, 3)
    assert all(np.array_equal(frame, frames[7]) for frame in frames[8:])
    assert not np.array_equal(frames[6], frames[7])
    # Beyond the end it begins anew.
    assert np.array_equal(read_clip(clip, 1, skip=500)[0], frames[0])


def test_the_split_depends_on_names_alone(tmp_path: Path) -> None:
    files = [Path(f"{i}.jpg") for i in range(200)]
    training, held_out = split(files, ["7.*"])
    assert sorted([*training, *held_out]) == sorted(files)
    assert Path("7.jpg") in held_out
    assert 10 <= len(held_out) <= 40
    assert set(split(files[:50], ["7.*"])[1]) == {file for file in held_out if file in files[:50]}


def test_a_table_of_sources_says_what_may_be_trained_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    allowed = write_picture(tmp_path / "data" / "free" / "a.png")
    write_picture(tmp_path / "data" / "free" / "b.png")
    write_picture(tmp_path / "data" / "unlisted.png")
    other = write_picture(tmp_path / "other" / "c.png")
    write_sources(tmp_path / "data", ("free/a.png", "train"), ("free/b.png", "measure only"))
    with caplog.at_level(logging.WARNING):
        found = find_training_files([tmp_path / "data", tmp_path / "other"])
    assert found == sorted([allowed, other])
    assert "2 of 4 files are left out" in caplog.text
    # A folder below that of the table is under the table as well.
    assert find_training_files([tmp_path / "data" / "free"]) == [allowed]
    # What may only be measured on is still found for that.
    assert len(find_files([tmp_path / "data"])) == 3


def test_a_table_that_allows_nothing_or_is_no_table(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png")
    write_sources(tmp_path, ("a.png", "measure only"))
    with pytest.raises(TrainingError, match="allows none of the 1 files"):
        find_training_files([tmp_path])
    (tmp_path / "SOURCES.tsv").write_text("name\tlicense\na.png\tCC0\n", "utf-8")
    with pytest.raises(TrainingError, match="no column file, use"):
        find_training_files([tmp_path])


def test_all_held_out_is_refused_and_none_held_out_validates_on_all(tmp_path: Path) -> None:
    # picture0 and picture1 are not among the 12 % that their checksums hold out.
    files = [write_picture(tmp_path / f"picture{index}.png") for index in range(2)]
    assert training_files([tmp_path], []) == (files, files)
    assert training_files([tmp_path], ["picture1*"]) == (files[:1], files[1:])
    with pytest.raises(TrainingError, match="every file is held out"):
        training_files([tmp_path], ["picture*"])
