"""Which module may import which, read from the source: the layout in pictures of arrows, held by a test."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "realtime"
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST = 250

#: What each part may import of the package. A part is a folder, or a module beside them.
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "frame": set(),
    "channel": set(),
    "interrupt": set(),
    "media": set(),
    "crew": {"channel"},
    "report": {"frame"},
    "capture": {"errors", "frame", "media"},
    "enhance": {"errors", "frame"},
    "output": {"errors", "frame", "media"},
    "pipeline": {"capture", "enhance", "output", "channel", "crew", "interrupt", "errors", "frame", "report"},
    "api": {"capture", "enhance", "output", "pipeline", "errors", "report"},
    "benchmarks": {"capture", "enhance", "output", "pipeline", "errors", "frame"},
    "training": {"errors", "frame", "enhance", "media"},
    "__init__": {"api", "capture", "enhance", "output", "pipeline", "errors", "frame", "report"},
    "__main__": {"cli"},
    "cli": {"__init__", "api", "benchmarks", "capture", "enhance", "output", "pipeline", "training", "errors"}
    | {"media", "report"},
}


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Every module that is imported anywhere in a file, and whether that happens at the top level."""
    tree = ast.parse(path.read_text("utf-8"))
    top = set(map(id, tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide their direction"
            assert node.module is not None
            for alias in node.names:
                # `from realtime.enhance import meter` imports a module, `from realtime import __version__` does not.
                whole = f"{node.module}.{alias.name}"
                named = PACKAGE.parent / whole.replace(".", "/")
                is_module = named.is_dir() or named.with_suffix(".py").is_file()
                yield whole if is_module else node.module, id(node) in top


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_one_way(path: Path) -> None:
    part = part_of(path)
    for module, _ in imports(path):
        pieces = module.split(".")
        if pieces[0] != "realtime":
            continue
        target = pieces[1] if len(pieces) > 1 else "__init__"
        assert target == part or target in ALLOWED[part], f"{part} must not import {module}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_heavy_libraries_have_one_door(path: Path) -> None:
    for module, _ in imports(path):
        library = module.split(".")[0]
        assert library != "tensorflow" or name_of(path) == "enhance/backend.py", (
            "say: from realtime.enhance.tensorflow_loader"
        )
        assert library != "av" or name_of(path) == "media.py", "say: from realtime.media.libav import av"
        assert library != "keras" or part_of(path) in ("enhance", "training")
        assert library != "cv2" or part_of(path) in ("capture", "enhance", "output", "media", "training")


@pytest.mark.parametrize("path", [PACKAGE / "channel.py", PACKAGE / "crew.py"], ids=name_of)
def test_channel_and_crew_use_the_standard_library_only(path: Path) -> None:
    outside = {module.split(".")[0] for module, _ in imports(path)} - sys.stdlib_module_names
    assert outside <= {"realtime"}


def test_channel_and_crew_serve_only_the_pipeline() -> None:
    users = {
        name_of(path)
        for path in MODULES
        for module, _ in imports(path)
        if module in ("realtime.channel", "realtime.crew")
    }
    assert users == {"pipeline.py", "crew.py"}


def test_the_command_line_loads_its_commands_lazily() -> None:
    light = {"realtime", "realtime.errors", "realtime.cli.options", "realtime.cli.results", "realtime.config"}
    for path in (PACKAGE / "cli").glob("*.py"):
        top = {module for module, at_top in imports(path) if at_top and module.startswith("realtime")}
        others = {module for module in top if not module.startswith("realtime.cli")} - light
        # `plan` and `play` are themselves imported inside a command's `run`.
        assert not others or path.stem in ("plan", "play"), f"{path.name} imports {others} before a command is chosen"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_is_too_long_to_read(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= LONGEST


def test_every_part_is_listed() -> None:
    assert {part_of(path) for path in MODULES} <= set(ALLOWED)


def test_the_reader_of_imports_sees_them_all(tmp_path: Path) -> None:
    path = tmp_path / "example.py"
    path.write_text("import os.path\ndef f():\n    from realtime.enhance import meter\n    import av\n")
    assert list(imports(path)) == [("os.path", True), ("realtime.enhance.exposure.meter", False), ("av", False)]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_style_that_no_linter_knows(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        assert not (isinstance(node, ast.FunctionDef) and node.name == "__del__"), "resources are context managers"
        assert not (isinstance(node, ast.ImportFrom) and any(a.name == "*" for a in node.names))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr != "sleep", "nothing sleeps or polls"
        assert not (isinstance(node, ast.keyword) and node.arg == "daemon"), "no daemon threads"
    assert name_of(path) in ("__main__.py",) or not tree.body or ast.get_docstring(tree), "a module says what it is"
