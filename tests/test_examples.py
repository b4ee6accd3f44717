"""The examples run as their first lines say, in an empty folder, and do what they promise."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import realtime

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SAMPLE = EXAMPLES.parent / "samples" / "night_drive.mp4"


def run(name: str, folder: Path, *arguments: str) -> str:
    """What the example prints."""
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


def levels(path: Path) -> list[float]:
    """The mean luma sample of each frame."""
    return [float(frame.planes[0].mean()) for frame in realtime.open_source(path).frames()]


def test_own_source(tmp_path: Path) -> None:
    assert "50 frames by the engine fast" in run("own_source.py", tmp_path)
    written = levels(tmp_path / "moving_lamp.mp4")
    assert len(written) == 50
    assert min(written) > 30  # the source's pictures have a mean luma sample of 22


def test_own_sink(tmp_path: Path) -> None:
    assert "from 60 frames" in run("own_sink.py", tmp_path, str(SAMPLE), "sheet.jpg")
    sheet = np.asarray(cv2.imread(str(tmp_path / "sheet.jpg")))
    assert sheet.shape == (2 * 270, 3 * 480, 3)  # six of 60 frames, three to a row
    assert all(tile.mean() > 50 for row in np.vsplit(sheet, 2) for tile in np.hsplit(row, 3))


def test_own_processor(tmp_path: Path) -> None:
    assert "60 frames" in run("own_processor.py", tmp_path, str(SAMPLE), "gamma.mp4")
    before, after = levels(SAMPLE), levels(tmp_path / "gamma.mp4")
    assert len(after) == len(before)
    assert np.mean(after) > np.mean(before) + 20


def test_frames_from_array(tmp_path: Path) -> None:
    lines = run("frames_from_array.py", tmp_path).splitlines()
    means = [tuple(map(int, re.findall(r"level (\d+) -> (\d+)", line)[0])) for line in lines]
    assert len(means) == 3
    assert all(after > 3 * before for before, after in means)


def test_before_after(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the extra 'train' brings matplotlib")
    assert "3 frames before and after" in run("before_after.py", tmp_path, str(SAMPLE), "figure.png")
    assert np.asarray(cv2.imread(str(tmp_path / "figure.png"))).std() > 20


def test_every_example_is_tested() -> None:
    text = Path(__file__).read_text("utf-8")
    for path in EXAMPLES.glob("*.py"):
        assert f'"{path.name}"' in text, f"{path.name} has no test"
