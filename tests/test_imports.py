"""Structure that neither ruff nor import-linter can state (their rules are in pyproject.toml)."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "realtime"
MODULES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES = 250
HEAVY = ("tensorflow", "keras", "cv2", "av", "matplotlib", "skimage")


def relative(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_module_is_short_and_its_resources_are_context_managers(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    assert not re.search(r"def __del__|\bdaemon\s*=", text), "no finalizers, no daemon threads"


@pytest.mark.parametrize(
    "code",
    ["import realtime; dir(realtime)", "import realtime.cli.main as m; m.parser().format_help()"],
    ids=["import realtime", "realtime --help"],
)
def test_heavy_libraries_are_loaded_only_when_they_are_needed(code: str) -> None:
    script = f"import sys; {code}; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
