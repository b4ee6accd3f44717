"""Documentation that cannot disagree with the program: its links, commands, options, Python and names exist."""

from __future__ import annotations

import argparse
import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

import realtime
from realtime.cli.main import parser

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {".": "*.md", "docs": "**/*.md", "weights": "*.md", "samples": "*.md"}
PAGES = sorted(path for folder, pattern in FOLDERS.items() for path in (ROOT / folder).glob(pattern))
#: Pages that `docs/hooks.py` generates.
GENERATED = {"docs/reference/commands.md", "docs/model_card.md", "docs/changelog.md", "docs/images/before_after.jpg"}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def commands(path: Path) -> Iterator[str]:
    """Lines of code blocks that start with ``realtime COMMAND``, with continued lines joined."""
    text = path.read_text("utf-8").replace("\\\n", " ")
    for line in re.findall(r"^ {4}(realtime .*)$", text, re.MULTILINE):
        yield re.split(r"\s[>#]\s| {2,}(?=[A-Za-z])", line)[0]


def subparsers() -> dict[str, argparse.ArgumentParser]:
    (action,) = (a for a in parser()._actions if isinstance(a, argparse._SubParsersAction))
    return dict(action.choices)


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_links_lead_to_files(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if not target.startswith(("http://", "https://")):
            goal = (path.parent / target).resolve()
            assert goal.exists() or name(goal) in GENERATED, f"{target} is not there"


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_commands_are_understood(path: Path) -> None:
    for command in commands(path):
        try:
            parser().parse_args(shlex.split(command)[1:])
        except SystemExit:
            pytest.fail(f"not understood: {command}")


def test_options_exist() -> None:
    known = {option for sub in subparsers().values() for action in sub._actions for option in action.option_strings}
    for path in [*ROOT.glob("README.md"), *(ROOT / "docs").rglob("*.md")]:
        for code in re.findall(r"`([^`\n]+)`", path.read_text("utf-8")):
            if re.match(r"--?[a-z]", code):  # options of other programs stand behind their names
                assert code.split()[0].rstrip(".,") in known, f"{name(path)}: {code}"


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_python_uses_public_names(path: Path) -> None:
    for block in re.findall(r"```python\n(.*?)```", path.read_text("utf-8"), re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "realtime":
                assert node.attr in realtime.__all__, f"realtime.{node.attr}"


def test_the_architecture_names_every_part_and_only_what_is_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    package = ROOT / "realtime"
    parts = [p for p in package.iterdir() if not p.name.startswith("_") and (p.suffix == ".py" or p.is_dir())]
    for part in parts:
        if part.name != "py.typed":
            assert f"`{part.name}" in text or f"`{part.name}/`" in text, f"{part.name} is missing in the page"
    for path in re.findall(r"`([a-z_]+/[\w/]+\.py)`", text):
        assert (package / path).is_file() or (ROOT / path).is_file(), f"{path} is not there"


def test_the_move_from_an_earlier_version_names_what_is_there() -> None:
    section = (ROOT / "CHANGELOG.md").read_text("utf-8").split("### Moving", 2)[1]
    for line in re.findall(r"^\|.*\|$", section, re.MULTILINE)[2:]:
        new = line.strip("|").split(" | ")[-1]
        for word in re.findall(r"\b([A-Z]\w+)\b(?=[.(`])", new):
            assert word in realtime.__all__, word
