"""The commands that move no frames, and ``live`` without a window."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import synthetic

import realtime
from realtime.cli import doctor
from realtime.cli.main import COMMANDS, main
from realtime.enhance import weights as weights_module
from realtime.media.libav import cv2


def answered(capfd: pytest.CaptureFixture[str]) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(capfd.readouterr().out)
    assert answer["version"] == realtime.__version__
    return answer


def test_version(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capfd.readouterr().out == f"realtime {realtime.__version__}\n"


@pytest.mark.parametrize("command", [module.__name__.rpartition(".")[2] for module in COMMANDS])
def test_help_of_every_command(command: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert f"usage: realtime {command}" in capfd.readouterr().out


@pytest.mark.parametrize("found", [[], [{"address": "0", "name": "Eye", "width": 640, "height": 480, "fps": 30.0}]])
def test_cameras(
    found: list[dict[str, object]], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.sources.camera.cameras", lambda: found)
    assert main(["cameras", "--json"]) == 0
    answer = answered(capfd)
    assert (answer["command"], answer["ok"], answer["results"]) == ("cameras", True, found)
    assert main(["cameras"]) == 0
    out = capfd.readouterr().out
    assert ("Eye" in out and "640x480" in out) if found else "no camera" in out


def test_cameras_of_this_machine(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["cameras", "--json"]) == 0
    out, err = capfd.readouterr()
    assert json.loads(out)["ok"] is True
    assert err == ""


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index with one bundled file, which is intact, and one that was not fetched."""
    night = b"night"
    entries = {
        "night": {"file": "night.h5", "sha256": hashlib.sha256(night).hexdigest(), "about": "of our own"},
        "far": {"file": "far.h5", "sha256": "0" * 64, "about": "published", "url": "http://127.0.0.1:9/far.h5"},
    }
    (tmp_path / "index.json").write_text(json.dumps(entries))
    (tmp_path / "night.h5").write_bytes(night)
    monkeypatch.setattr(weights_module, "bundled", lambda: tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def test_weights_list_and_verify(shelf: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["weights"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["night", "far"]
    assert "not here" in lines[1]
    assert main(["weights", "verify", "--json"]) == 0
    answer = answered(capfd)
    assert [(row["name"], row["state"]) for row in answer["results"]] == [("night", "intact"), ("far", "not here")]
    (shelf / "night.h5").write_bytes(b"altered")
    assert main(["weights", "verify", "--json"]) == 1
    answer = answered(capfd)
    assert answer["ok"] is False
    assert answer["results"][0]["state"] == "ALTERED"


def test_weights_that_are_not_known(shelf: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "verify", "dusk"]) == 2
    assert "known are night, far" in capfd.readouterr().err


def test_weights_fetch_without_a_connection(shelf: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "fetch", "far"]) == 1
    err = capfd.readouterr().err
    assert len(err.splitlines()) == 1
    assert "yourself" in err
    assert not (shelf / "cache" / "mbllen-realtime" / "far.h5").exists()


def test_doctor(shelf: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ENCODERS", ("libx264", "no_such_encoder"))
    assert main(["doctor", "--json"]) == 0
    answer = answered(capfd)
    found = answer["results"]
    assert {"versions", "import order", "display", "devices", "encoders", "weights"} <= set(found)
    assert set(doctor.PACKAGES) <= set(found["versions"])
    assert found["import order"]["cv2 before av"] == "yes"
    assert found["encoders"]["libx264"] == "works"
    assert found["encoders"]["no_such_encoder"] != "works"
    assert "cpu" in found["devices"]
    assert found["weights"]["night"].startswith("SHA-256 as recorded")
    (shelf / "night.h5").write_bytes(b"altered")
    assert main(["doctor"]) == 1
    assert "PROBLEM" in capfd.readouterr().out


def test_benchmark(weights: Path, capfd: pytest.CaptureFixture[str]) -> None:
    options = ["--only", "stages", "--sizes", "64x48", "--frames", "4", "--rounds", "1"]
    options += ["--weights", str(weights), "--engine", "exact", "--precision", "float32", "--json"]
    assert main(["benchmark", *options]) == 0
    answer = answered(capfd)
    assert (answer["command"], answer["ok"]) == ("benchmark", True)
    rows = {row["stage"]: row for row in answer["results"]}
    assert {"capture", "inference", "writing", "together", "model.predict"} <= set(rows)
    assert all(row["frames"] == 4 and row["seconds"] > 0 and row["fps"] > 0 for row in rows.values())
    assert rows["together"]["of_slowest_stage"] > 0
    assert rows["model.predict"]["of_inference"] > 0


def test_benchmark_of_the_network(
    weights: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Other runtimes are there or not, and leave threads behind.
    monkeypatch.setattr("realtime.benchmarks.engines.runtimes", lambda *_: {})
    options = ["--only", "network", "--sizes", "32x32", "--batches", "1", "2", "--precisions", "float32"]
    options += ["--rounds", "1", "--weights", str(weights), "--plot", str(tmp_path / "speed.png")]
    assert main(["benchmark", *options, "--json"]) == 0
    rows = answered(capfd)["results"]
    assert [row["batch"] for row in rows if row["what"] == "exact"] == [1, 2]
    assert all((row["size"], row["device"]) == ("32x32", "cpu") for row in rows)
    height, width, _ = synthetic.read_image(tmp_path / "speed.png").shape
    assert (width > 300, height > 100) == (True, True)
    assert main(["benchmark", *options]) == 0
    head, *lines = capfd.readouterr().out.strip().splitlines()
    columns = {name.strip() for name in head.split("  ")}
    assert {"fps", "p50 ms", "p95 ms", "teraflops", "of peak", "of predict", "memory mb"} <= columns
    assert len(lines) == len(rows)


def test_benchmark_of_layers(weights: Path, capfd: pytest.CaptureFixture[str]) -> None:
    options = ["--only", "layers", "--sizes", "32x32", "--rounds", "1", "--precision", "float32", "--json"]
    assert main(["benchmark", *options, "--weights", str(weights)]) == 0
    whole, *parts = answered(capfd)["results"]
    assert (whole["layer"], whole["of_work"]) == ("whole network", 1.0)
    assert sum(row["of_work"] for row in parts) == pytest.approx(1, abs=0.01)
    assert all(row["ms"] > 0 and row["teraflops"] >= 0 for row in parts)


def test_live_without_a_window(
    clip: Path, weights: Path, tmp_path: Path, no_display: None, capfd: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "recorded.mp4"
    options = ["--weights", str(weights), "--engine", "exact", "--precision", "float32", "--strength", "0", "--json"]
    assert main(["live", str(clip), "--no-window", "--record", str(target), *options]) == 0
    (result,) = answered(capfd)["results"]
    assert result["frames"] + result["dropped"] == synthetic.COUNT
    assert result["latency_ms"]["p50"] > 0
    found = synthetic.read_clip(target)
    assert len(found) == result["frames"] >= 1
    assert [place for _, place in found] == sorted(place for _, place in found)


def test_live_for_a_while(long_clip: Path, weights: Path, no_display: None, capfd: pytest.CaptureFixture[str]) -> None:
    options = ["--weights", str(weights), "--engine", "exact", "--precision", "float32", "--duration", "0.3", "--json"]
    assert main(["live", str(long_clip), "--no-window", *options]) == 0
    (result,) = answered(capfd)["results"]
    assert 1 <= result["frames"] + result["dropped"] <= 4
    assert result["output"] is None


def test_the_image_library_shares_a_process_with_the_codecs() -> None:
    """A window's library must be loaded first: the other way round it hangs for ever."""
    import subprocess
    import sys

    code = "import realtime.media.libav, sys; names = list(sys.modules); print(names.index('cv2') < names.index('av'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "True\n"
    assert cv2.__name__ == "cv2"
