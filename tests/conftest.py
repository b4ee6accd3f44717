"""Fixtures for all tests: media, weights, a display, and the watch over threads."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import synthetic
from hypothesis import HealthCheck, settings

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


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights file of the right shape that was never trained."""
    path = tmp_path_factory.mktemp("weights") / "random.weights.h5"
    synthetic.random_model().save_weights(path)
    return path


@pytest.fixture(scope="session")
def enhancer(weights: Path) -> Enhancer:
    """An enhancer that changes pictures."""
    return Enhancer(weights, **synthetic.QUICK)


@pytest.fixture(scope="session")
def plain(weights: Path) -> Enhancer:
    """An enhancer of strength 0: it answers what it is given."""
    return Enhancer(weights, strength=0.0, **synthetic.QUICK)


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
    """64x48, a minute at 10 a second: for what must be running when something happens. To be read only."""
    return synthetic.clip(tmp_path_factory.mktemp("clip") / "long.mp4", count=600, rate=10)


@pytest.fixture
def no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """The name of a display of our own, for programs that are started. Tests that use it say ``needs("Xvfb")``."""
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        # It writes its number when it takes connections.
        number = server.stdout.readline().strip()
        assert number, "Xvfb did not start"
        yield f":{number}"
        server.terminate()


@pytest.fixture(scope="module")
def without_codec() -> Iterator[None]:
    """Scenes as the sensor had them: x264 answers the very same pictures with one of two streams now and then,
    whatever its thread count, which comparisons to the bit cannot have."""
    from realtime.training import degradation

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(degradation, "film", lambda pictures, *how: list(pictures))
        yield
