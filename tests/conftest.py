"""Fixtures for all tests: media, weights, a display, and a check that no thread outlives its test.

TensorFlow takes seconds to load, so only fixtures that need it import it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import synthetic
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from realtime.enhance.enhancer import Enhancer

# No deadline: the first example of a size compiles. Derandomised: a red suite must be red again on the next run.
settings.register_profile("suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(program, ...): skip where a program is missing; fail where CI is 'true'")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        missing = [program for program in marker.args if shutil.which(program) is None]
        if missing:
            reason = f"{', '.join(missing)} not installed"
            if os.environ.get("CI") == "true":
                pytest.fail(f"{reason}, and CI must not skip", pytrace=False)
            pytest.skip(reason)


@pytest.fixture(autouse=True)
def no_thread_outlives() -> Iterator[None]:
    """Fails the test that leaves a thread alive."""
    before = set(threading.enumerate())
    yield
    assert synthetic.left_over(before) == []


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference material beside the checkout; most machines do not have it."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "goldens").is_dir():
        pytest.skip("no ../shared with reference material")
    return folder


@pytest.fixture
def compiled() -> None:
    """Skips where ``realtime/enhance/native`` was not compiled; fails where CI is 'true'."""
    from realtime.enhance.native import library

    if not library.available():
        reason = "no C compiler was there when the package was installed"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{reason}, and CI must not skip", pytrace=False)
        pytest.skip(reason)


@pytest.fixture(params=[False, True], ids=["opencv", "native"])
def native(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Once without what was compiled, and once with it."""
    if request.param:
        request.getfixturevalue("compiled")
    from realtime.enhance.native import library

    monkeypatch.setattr(library, "available", lambda: request.param)
    return bool(request.param)


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights file of random numbers, without a student. To be read only."""
    from realtime.training.checkpoint import export

    path = tmp_path_factory.mktemp("weights") / "random.weights.h5"
    export(path, synthetic.random_model())
    return path


@pytest.fixture(scope="session")
def student_weights(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Path:
    """The same weights with a student beside them whose maps restore nothing. To be read only."""
    import numpy as np

    from realtime.enhance.engines.fast import student, student_file
    from realtime.enhance.weights import find
    from realtime.training.checkpoint import export

    path = Path(shutil.copy(weights, tmp_path_factory.mktemp("student") / weights.name))
    model = student.build()
    model.set_weights([np.zeros_like(array) for array in model.get_weights()])
    export(find(path).student_path, model)
    student_file.stamp_teacher(find(path).student_path, find(path))
    return path


@pytest.fixture(scope="session")
def enhancer(weights: Path) -> Enhancer:
    """An enhancer that changes pictures."""
    from realtime.enhance.enhancer import Enhancer

    return Enhancer(weights=weights, **synthetic.QUICK)


@pytest.fixture(scope="session")
def plain(weights: Path) -> Enhancer:
    """An enhancer of strength 0: pictures come out as they went in."""
    from realtime.enhance.enhancer import Enhancer

    return Enhancer(weights=weights, strength=0.0, **synthetic.QUICK)


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """64x48, 8 frames, 25 a second, silent. To be read only."""
    return synthetic.clip(tmp_path_factory.mktemp("clip") / "silent.mp4")


@pytest.fixture(scope="session")
def clip_with_sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with AAC sound. To be read only."""
    return synthetic.clip(tmp_path_factory.mktemp("clip") / "sound.mp4", sound=True)


@pytest.fixture(scope="session")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """64x48, a minute at 10 frames a second: long enough to be interrupted. To be read only."""
    return synthetic.clip(tmp_path_factory.mktemp("clip") / "long.mp4", count=600, rate=10)


@pytest.fixture
def no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)


@contextmanager
def x_server() -> Iterator[str]:
    """Starts Xvfb for the block, and gives the name of its display. It starts anew when its last client leaves."""
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        # It writes its number when it accepts connections.
        number = server.stdout.readline().strip()
        assert number, "Xvfb did not start"
        yield f":{number}"
        server.terminate()


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """The name of a virtual display, for programs that a test starts. Tests that use it say ``needs("Xvfb")``."""
    with x_server() as name:
        yield name


@pytest.fixture
def bare_display() -> Iterator[str]:
    """The same for one test, without clients of others."""
    with x_server() as name:
        yield name
