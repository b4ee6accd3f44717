"""Real windows, on a display of our own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import synthetic

pytestmark = [pytest.mark.needs("Xvfb", "xdotool", "import")]

#: Seconds that a loaded machine may take to show a window.
TIMEOUT = 90


def environment_of(display: str) -> dict[str, str]:
    environment = {key: value for key, value in os.environ.items() if key != "WAYLAND_DISPLAY"}
    return {**environment, "DISPLAY": display, "QT_LOGGING_RULES": "*=false"}


@contextlib.contextmanager
def started(display: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "realtime", *arguments]
    with subprocess.Popen(
        command, env=environment_of(display), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def tool(display: str, *command: str) -> str:
    done = subprocess.run(command, env=environment_of(display), capture_output=True, text=True, timeout=TIMEOUT)
    return done.stdout.strip()


def brightest(display: str, folder: Path) -> int:
    """The brightest pixel of the whole screen, which is black where there is no window."""
    path = folder / "screen.png"
    path.unlink(missing_ok=True)
    tool(display, "import", "-window", "root", str(path))
    return int(synthetic.read_image(path).max()) if path.is_file() else 0


def wait_for_picture(process: subprocess.Popen[str], display: str, title: str, folder: Path) -> str:
    """The id of the window of that title, once the screen shows what no empty window does."""
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        assert process.poll() is None, process.communicate()[1]
        found = tool(display, "xdotool", "search", "--name", title).split()
        if found and brightest(display, folder) > 100:
            return found[0]
        # Another process's screen sends no event to wait for.
        time.sleep(0.2)
    pytest.fail(f"no window called {title!r} showed a picture")


def wait_for_title(display: str, window: str, text: str) -> None:
    end = time.monotonic() + TIMEOUT
    while text not in (title := tool(display, "xdotool", "getwindowname", window)):
        assert time.monotonic() < end, title
        time.sleep(0.2)


def press_q(process: subprocess.Popen[str], display: str, window: str) -> None:
    """No window manager gives the focus here, so it is asked for; the key is repeated until it is noticed."""
    end = time.monotonic() + TIMEOUT
    while process.poll() is None and time.monotonic() < end:
        tool(display, "xdotool", "windowfocus", window)
        tool(display, "xdotool", "key", "--window", window, "q")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.5)
    assert process.poll() is not None, "q did not end it"


@pytest.fixture
def options(weights: Path) -> list[str]:
    quick = ["--engine", "exact", "--precision", "float32", "--exposure", "off", "--denoise", "off"]
    return ["--weights", str(weights), *quick]


def test_preview_shows_a_window_until_q(display: str, long_clip: Path, options: list[str], tmp_path: Path) -> None:
    assert brightest(display, tmp_path) == 0
    with started(display, "preview", str(long_clip), *options) as process:
        window = wait_for_picture(process, display, "realtime", tmp_path)
        press_q(process, display, window)
        _, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert "frames" in err.splitlines()[-1]


def test_live_shows_a_window_and_records_beside_it(
    display: str, long_clip: Path, options: list[str], tmp_path: Path
) -> None:
    target = tmp_path / "recorded.mp4"
    options = [*options, "--strength", "0", "--record", str(target)]
    # The clip gets bright enough to be seen within a second.
    with started(display, "live", str(long_clip), *options) as process:
        window = wait_for_picture(process, display, "realtime", tmp_path)
        wait_for_title(display, window, "ms behind")
        press_q(process, display, window)
        _, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0, err
    found = synthetic.read_clip(target)
    assert len(found) >= 2
    assert [time for time, _ in found] == sorted({time for time, _ in found})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["recorded.mp4", "screen.png"]


def test_a_window_opens_after_the_codecs_were_loaded(display: str) -> None:
    """With PyAV loaded before OpenCV this hangs for ever; `realtime.media.libav` loads them in the order that works."""
    code = (
        "from realtime.media.libav import av, cv2\nimport numpy\n"
        "cv2.imshow('a test', numpy.full((48, 64, 3), 200, numpy.uint8))\ncv2.waitKey(1)\nprint('shown')"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment_of(display), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "shown\n"), done.stderr
