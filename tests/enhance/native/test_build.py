"""The build of the package: a C compiler makes it faster, and nothing makes it fail."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from realtime.enhance.native import library

ROOT = Path(__file__).parents[3]
HOOKS = "hatchling.builders.hooks.plugin.interface"


@pytest.fixture
def hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The build of a copy of the sources, in an environment without Hatchling, with an old library among them."""
    module: Any = ModuleType(HOOKS)
    module.BuildHookInterface = object
    parts = HOOKS.split(".")
    for count in range(1, len(parts)):
        monkeypatch.setitem(sys.modules, ".".join(parts[:count]), ModuleType(parts[count - 1]))
    monkeypatch.setitem(sys.modules, HOOKS, module)
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    build: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    build.FLAGS = build.FLAGS.replace("-O3", "-O0")  # which takes less time
    folder = tmp_path / build.FOLDER
    shutil.copytree(library.FILE.parent, folder, ignore=shutil.ignore_patterns("library.bin*", "__pycache__"))
    (folder / build.LIBRARY).write_bytes(b"an old one")
    hook = build.NativeFunctions()
    hook.root, hook.target_name, hook.warnings = str(tmp_path), "wheel", []
    hook.app = SimpleNamespace(display_warning=hook.warnings.append)
    hook.folder = folder
    return hook


def built(hook: Any) -> dict[str, Any]:
    data: dict[str, Any] = {"artifacts": []}
    hook.initialize("standard", data)
    return data


@pytest.mark.usefixtures("compiled")
def test_what_is_built_is_used(hook: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = set(hook.folder.iterdir())
    assert built(hook) == {
        "artifacts": ["realtime/enhance/native/library.bin"],
        "pure_python": False,
        "infer_tag": True,
    }
    assert set(hook.folder.iterdir()) == before
    monkeypatch.setattr(library, "FILE", hook.folder / library.FILE.name)
    assert library._library.__wrapped__() is not None


@pytest.mark.parametrize("compiler", ["", "false", "no-such-compiler", "cc 'of a quotation without its end"])
def test_without_a_compiler_it_is_slower(hook: Any, compiler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", compiler)
    assert built(hook) == {"artifacts": []}
    assert len(hook.warnings) == 1
    assert not list(hook.folder.glob("library.bin*"))


def test_without_room_for_the_library_it_is_slower(hook: Any) -> None:
    """As in a folder that is read-only: what is there cannot be replaced, nor removed."""
    place = hook.folder / library.FILE.name
    place.unlink()
    (place / "folder").mkdir(parents=True)
    assert built(hook) == {"artifacts": []}
    assert len(hook.warnings) == 1
    assert [path.name for path in hook.folder.glob("library.bin*")] == [place.name]
