"""Format, lint, types and import rules as tests, so that one command holds everything."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CHECKS = {
    "ruff check": ["-m", "ruff", "check"],
    "ruff format": ["-m", "ruff", "format", "--check"],
    "mypy": ["-m", "mypy"],
    "importlinter": ["-c", "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())"],
}


@pytest.mark.parametrize("name", CHECKS)
def test_check(name: str) -> None:
    if importlib.util.find_spec(name.split()[0]) is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{name} is not installed, and CI must not skip")
        pytest.skip(f"{name} is not installed; the extra 'dev' brings it")
    done = subprocess.run([sys.executable, *CHECKS[name]], cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
