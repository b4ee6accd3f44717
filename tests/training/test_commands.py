"""``train``, ``distil`` and ``evaluate`` on the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime.cli.main import main, parser


def test_a_file_that_is_too_small_is_named_with_the_option_that_helps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(tmp_path / "small.png"), np.zeros((40, 60, 3), np.uint8))
    assert main(["train", str(tmp_path), "-o", str(tmp_path / "out"), "--crop", "64"]) == 1
    expected = "small.png is 60x40, smaller than 64 pixels: remove it; a smaller --crop takes it"
    assert expected in capsys.readouterr().err


def test_a_changed_seed_is_one_line(pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "settings.json").write_text('{"seed": 3}')
    assert main(["train", str(pictures), "-o", str(tmp_path)]) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert lines == [f"realtime: {tmp_path} was begun with seed 3, not 0; resume with the same, or use another folder"]


def test_evaluate_without_its_extra_says_what_to_install(pictures: Path) -> None:
    code = "import sys; sys.modules['skimage'] = None; from realtime.cli.main import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "evaluate", "--clean", str(pictures)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "realtime: evaluate needs scikit-image; pip install 'mbllen-realtime[train]' brings it"
    ]
    assert done.stdout == ""


def test_evaluate_prints_a_table(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = str(pictures / "picture0.png")
    assert main(["evaluate", "--night", picture, "--engine", "fast"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("| method | kind | case |")
    assert [line.split(" | ")[0].strip("| ") for line in lines[2:]][-1] == "night"
    assert len(lines) == 2 + 7


def test_train_and_distil_take_the_same_options() -> None:
    words = ["DATA", "-o", "OUT", "--steps", "7", "--batch", "3", "--crop", "160", "--rate", "0.1", "--seed", "5"]
    words += ["--hold-out", "a*", "--hold-out", "b*"]
    parsed = [vars(parser().parse_args([command, *words])) for command in ("train", "distil")]
    for args in parsed:
        wanted = {"steps": 7, "batch": 3, "crop": 160, "rate": 0.1, "seed": 5, "hold_out": ["a*", "b*"]}
        assert wanted.items() <= args.items()
