"""``realtime benchmark``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import synthetic

from realtime.cli.main import main


def rows_of(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    summary = json.loads(capfd.readouterr().out)
    assert (summary["command"], summary["ok"]) == ("benchmark", True)
    rows: list[dict[str, Any]] = summary["results"]
    return rows


def test_stages(weights: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["--only", "stages", "--sizes", "64x48", "--frames", "4", "--rounds", "1"]
    words += ["--weights", str(weights), "--engine", "exact", "--precision", "float32", "--json"]
    assert main(["benchmark", *words]) == 0
    rows = {row["stage"]: row for row in rows_of(capfd)}
    assert {"capture", "inference", "writing", "together", "model.predict"} <= set(rows)
    assert all(row["frames"] == 4 and row["seconds"] > 0 and row["fps"] > 0 for row in rows.values())
    assert rows["together"]["of_slowest_stage"] > 0
    assert rows["model.predict"]["of_inference"] > 0


def test_the_network_by_size(
    weights: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Other runtimes are installed or not, and leave threads behind.
    monkeypatch.setattr("realtime.benchmarks.engines.runtimes", lambda *_: {})
    words = ["--only", "network", "--sizes", "32x32", "--batches", "1", "2", "--precisions", "float32"]
    words += ["--rounds", "1", "--weights", str(weights), "--plot", str(tmp_path / "speed.png")]
    assert main(["benchmark", *words, "--json"]) == 0
    rows = rows_of(capfd)
    assert [row["batch"] for row in rows if row["what"] == "exact"] == [1, 2]
    assert all((row["size"], row["device"]) == ("32x32", "cpu") for row in rows)
    height, width, _ = synthetic.read_image(tmp_path / "speed.png").shape
    assert (width > 300, height > 100) == (True, True)
    assert main(["benchmark", *words]) == 0
    head, *lines = capfd.readouterr().out.strip().splitlines()
    for column in ("fps", "p50 ms", "p95 ms", "teraflops", "of peak", "of predict", "memory mb"):
        assert column in head
    assert len(lines) == len(rows)


def test_layers(weights: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["--only", "layers", "--sizes", "32x32", "--rounds", "1", "--precision", "float32", "--json"]
    assert main(["benchmark", *words, "--weights", str(weights)]) == 0
    whole, *parts = rows_of(capfd)
    assert (whole["layer"], whole["of_work"]) == ("whole network", 1.0)
    assert sum(row["of_work"] for row in parts) == pytest.approx(1, abs=0.01)
    assert all(row["ms"] > 0 and row["teraflops"] >= 0 for row in parts)
