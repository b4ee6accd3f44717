"""``realtime verify``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import synthetic

from realtime.cli.main import main
from realtime.manifest import manifest_path, write_manifest


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def record(folder: Path, name: str) -> Path:
    """A manifest beside the two files that it names."""
    folder.mkdir(parents=True, exist_ok=True)
    source, output = synthetic.image(folder / f"{name}.png"), synthetic.image(folder / f"{name}_enhanced.png", value=90)
    return write_manifest(source, output, {}, {})


def test_files_as_recorded_and_altered(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    manifest = record(here, "a")
    assert main(["verify", str(manifest)]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.endswith(": as recorded") for line in lines] == [True, True]
    (here / "a.png").write_bytes(b"altered")
    assert main(["verify", str(manifest), "--json"]) == 1
    summary = json.loads(capfd.readouterr().out)
    assert summary["ok"] is False
    assert [row["state"] for row in summary["results"]] == ["altered", "as recorded"]


def test_folders_stand_for_all_manifests_in_them(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for folder in ("out", "out/monday", "out/monday/front"):
        record(here / folder, "a")
    assert main(["verify", "out"]) == 0
    assert len(capfd.readouterr().out.splitlines()) == 6


def test_one_that_is_missing_does_not_end_it(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    names = [str(record(here, "a")), "missing.manifest.json", "empty", str(record(here, "b"))]
    (here / "empty").mkdir()
    assert main(["verify", *names]) == 1
    out, err = capfd.readouterr()
    assert len(out.splitlines()) == 4
    first, second = err.splitlines()
    assert first.startswith("realtime: missing.manifest.json cannot be read")
    assert second == "realtime: empty holds no manifest, nor does a folder below it"


def test_files_elsewhere_are_not_read_unless_asked(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (here / "in").mkdir()
    (here / "out").mkdir()
    source, output = synthetic.image(here / "in" / "a.png"), synthetic.image(here / "out" / "a.png")
    write_manifest(source, output, {}, {})
    assert main(["verify", "out"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert "not checked" in lines[0]
    assert lines[0].endswith("--anywhere checks it")
    assert lines[1].endswith("as recorded")
    source.write_bytes(b"altered")
    assert main(["verify", "out", "--anywhere"]) == 1


def test_names_in_a_manifest_cannot_fake_a_line(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    manifest = record(here, "a")
    content = json.loads(manifest.read_text())
    content["input"]["path"] = "gone.png\na.manifest.json: input a.png: as recorded\x1b[2J"
    manifest.write_text(json.dumps(content))
    assert main(["verify", str(manifest)]) == 1
    out = capfd.readouterr().out
    assert len(out.splitlines()) == 2
    assert "\x1b" not in out
    assert out.splitlines()[0].endswith(": missing")


def test_manifest_path_is_found_beside_the_output(here: Path) -> None:
    assert record(here, "a") == manifest_path(here / "a_enhanced.png")
