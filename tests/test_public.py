"""The public names, and what importing the package costs."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys

import pytest

import realtime

PUBLIC = {
    *("enhance_videos", "ClusterOptions", "FileResult"),
    *("__version__", "enhance_video", "run", "Enhancer", "open_source", "Source", "open_sink", "Sink", "Discard"),
    *("EnhanceOptions", "EncodingOptions", "InputOverrides", "Control", "ControlState"),
    *("Processor", "Session", "PerFrame", "EngineInfo", "Diagnostics", "Message", "Severity"),
    *("Frame", "PixelFormat", "StreamInfo", "Report", "OutputReport"),
    *("RealtimeError", "SettingError", "SourceError", "SinkError", "WeightsError", "DeviceError", "TrainingError"),
    "StopStreaming",
}
HEAVY = {"tensorflow", "keras", "cv2", "av", "numpy", "rich"}


def test_the_public_names_are_these() -> None:
    assert set(realtime.__all__) == PUBLIC
    assert len(realtime.__all__) == len(PUBLIC)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_name_is_there_and_documented(name: str) -> None:
    value = getattr(realtime, name)
    assert value is not None
    if name != "__version__":
        assert value.__doc__
        assert value.__name__ == name


def test_a_type_checker_sees_the_same_names() -> None:
    import ast
    import inspect

    tree = ast.parse(inspect.getsource(realtime))
    seen = {
        alias.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.If)
        for part in node.body
        if isinstance(part, ast.ImportFrom)
        for alias in part.names
    }
    assert seen == PUBLIC - {"__version__"}


def test_dir_shows_the_public_names() -> None:
    assert set(dir(realtime)) >= PUBLIC


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'frobnicate'"):
        _ = realtime.frobnicate


def test_the_version_is_that_of_the_distribution() -> None:
    assert importlib.metadata.version("mbllen-realtime") == realtime.__version__


@pytest.mark.parametrize(
    "code",
    [
        "import realtime",
        "import realtime.cli.main",
        "from realtime.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass",
        "from realtime.cli.main import main\ntry: main(['enhance', '--help'])\nexcept SystemExit: pass",
        "from realtime.cli.main import main\ntry: main(['--version'])\nexcept SystemExit: pass",
    ],
    ids=["import", "command line", "help", "help of a command", "version"],
)
def test_nothing_heavy_is_loaded_before_it_is_used(code: str) -> None:
    report = "\nimport json, sys\nprint('\\n' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code + report], capture_output=True, text=True, check=True, timeout=60)
    assert not HEAVY & set(json.loads(done.stdout.splitlines()[-1]))
