"""``realtime weights``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import realtime
from realtime.cli.main import main


def test_list_and_verify(weights_folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["weights"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["night", "far"]
    assert "not here" in lines[1]
    assert main(["weights", "verify", "--json"]) == 0
    summary = json.loads(capfd.readouterr().out)
    assert (summary["version"], summary["command"], summary["ok"]) == (realtime.__version__, "weights", True)
    assert [(row["name"], row["state"]) for row in summary["results"]] == [("night", "intact"), ("far", "not here")]


@pytest.mark.parametrize("name", ["night.h5", "night.fast.h5"])
def test_an_altered_file_or_companion_is_found(
    name: str, weights_folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (weights_folder / name).write_bytes(b"altered")
    assert main(["weights", "verify", "--json"]) == 1
    summary = json.loads(capfd.readouterr().out)
    assert summary["ok"] is False
    assert summary["results"][0]["state"] == "ALTERED"


def test_verifying_one_that_is_not_here_fails(weights_folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "verify", "far"]) == 1
    assert "not here" in capfd.readouterr().out


def test_a_name_that_is_not_known(weights_folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "verify", "dusk"]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line == "realtime: weights dusk are not known; known are night, far; see 'realtime weights --help'"


def test_fetching_without_a_connection(weights_folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "fetch", "far"]) == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert "yourself" in line
    assert not list(weights_folder.rglob("far*"))
