"""Fixtures of the command line's tests."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from realtime.enhance import weights as weights_module


@pytest.fixture
def weights_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of weights whose index names ``night``, which is intact with its student, and ``far``, not fetched."""
    files = {"night.h5": b"night", "night.fast.h5": b"student"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    night = {"file": "night.h5", "sha256": sums["night.h5"], "about": "bundled"}
    night["fast"] = {"file": "night.fast.h5", "sha256": sums["night.fast.h5"]}  # type: ignore[assignment]
    far = {"file": "far.h5", "sha256": "0" * 64, "about": "published", "url": "http://127.0.0.1:9/far.h5"}
    (tmp_path / "index.json").write_text(json.dumps({"night": night, "far": far}))
    monkeypatch.setattr(weights_module, "bundled_folder", lambda: tmp_path)
    monkeypatch.setattr(weights_module, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path
