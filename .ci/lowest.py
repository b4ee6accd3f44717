"""Prints the lowest versions that pyproject.toml admits, as pip constraints: python .ci/lowest.py > constraints.txt."""

from __future__ import annotations

import re
from pathlib import Path

TEXT = (Path(__file__).resolve().parents[1] / "pyproject.toml").read_text("utf-8")

for name, version in sorted(set(re.findall(r'"([a-z][\w-]*)(?:\[[^"]*\])?>=([\d.]+)', TEXT))):
    if name != "hatchling":
        print(f"{name}=={version}")
