"""``realtime doctor``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from realtime.cli import doctor
from realtime.cli.main import main


def test_it_reports_what_works_and_what_does_not(
    weights_folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "ENCODERS", ("libx264", "no_such_encoder"))
    assert main(["doctor", "--json"]) == 0
    summary = json.loads(capfd.readouterr().out)
    assert (summary["command"], summary["ok"]) == ("doctor", True)
    found = summary["results"]
    assert {"versions", "import order", "display", "devices", "encoders", "weights"} <= set(found)
    assert {*doctor.PACKAGES, "native functions"} <= set(found["versions"])
    assert found["import order"]["cv2 before av"] == "yes"
    assert found["encoders"]["libx264"] == "works"
    assert found["encoders"]["no_such_encoder"] != "works"
    assert "cpu" in found["devices"]
    assert found["weights"]["night"].startswith("SHA-256 as recorded")
    assert found["weights"]["far"] == "not here"


def test_a_problem_makes_it_fail(
    weights_folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "ENCODERS", ())
    (weights_folder / "night.h5").write_bytes(b"altered")
    assert main(["doctor"]) == 1
    assert "PROBLEM" in capfd.readouterr().out


def test_the_image_library_is_loaded_before_the_codecs() -> None:
    """The other way round windows hang for ever on Linux."""
    code = "import realtime.media.libav, sys; names = list(sys.modules); print(names.index('cv2') < names.index('av'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "True\n"


def test_it_says_whether_functions_were_compiled(native: bool) -> None:
    assert doctor._versions()["native functions"].startswith("compiled" if native else "not compiled")
