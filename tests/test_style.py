"""Format, lint and types as tests, so that one command holds everything."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CHECKS = (["ruff", "check"], ["ruff", "format", "--check"], ["mypy"])


@pytest.mark.parametrize("check", CHECKS, ids=" ".join)
def test_check(check: list[str]) -> None:
    if importlib.util.find_spec(check[0]) is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{check[0]} is not installed, and CI must not skip")
        pytest.skip(f"{check[0]} is not installed; the extra 'dev' brings it")
    done = subprocess.run([sys.executable, "-m", *check], cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
