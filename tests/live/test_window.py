"""Every key of the window of ``realtime live``, pressed on a display of our own, by what the screen shows."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from time import monotonic

import numpy as np
import pytest
import synthetic
from live_process import PATIENCE, Live, running

from realtime.frame import Samples
from realtime.media.libav import av

pytestmark = [pytest.mark.needs("Xvfb", "xdotool", "import")]
WIDTH, HEIGHT = 400, 240


class Desk:
    """A running program with a window: `press` its keys, and `until` the screen shows something."""

    def __init__(self, live: Live, environment: dict[str, str], folder: Path) -> None:
        self.live, self._environment, self._shot = live, environment, folder / "screen.png"
        self.window = ""

    def tool(self, *command: str) -> str:
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=PATIENCE)
        return done.stdout.strip()

    def press(self, key: str) -> None:
        # No window manager gives the focus here, so it is asked for.
        self.tool("xdotool", "windowfocus", self.window, "key", "--window", self.window, key)

    def screen(self) -> Samples:
        """The part of the screen with the window, RGB."""
        self.tool("import", "-window", self.window, str(self._shot))
        return synthetic.read_image(self._shot)

    def until(self, seen: Callable[[Samples], bool], what: str) -> Samples:
        end = monotonic() + PATIENCE
        while monotonic() < end:
            picture = self.screen()
            if seen(picture):
                return picture
            Event().wait(0.1)  # another process's screen sends no event to wait for
        pytest.fail(f"{what} did not show")


def level(picture: Samples, left: float = 0.55, right: float = 0.95) -> float:
    """The mean of the lower half between two columns, given as shares of the width: there is no text."""
    height, width = picture.shape[:2]
    return float(picture[height // 2 : height * 9 // 10, round(width * left) : round(width * right)].mean())


def text(picture: Samples) -> int:
    """Pixels of text in the upper left corner, where the clip is dark."""
    height, width = picture.shape[:2]
    return int((picture[: height // 2, : width // 2].min(2) > 200).sum())


def line(picture: Samples) -> float | None:
    """Where the divider is, as a share of the width."""
    columns = np.flatnonzero((picture[picture.shape[0] // 2 :].min(2) > 230).mean(0) > 0.8)
    return float(columns.mean()) / picture.shape[1] if columns.size else None


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two minutes of a dark picture whose right half is lighter, with enough in it to be metered."""
    path = tmp_path_factory.mktemp("still") / "still.mp4"
    random = np.random.default_rng(1)
    luma = np.clip(random.normal(34, 4, (HEIGHT, WIDTH)), 17, 90)
    luma[:, WIDTH // 2 :] += 25
    planes = np.concatenate([luma.ravel(), np.full(WIDTH * HEIGHT // 2, 128)]).astype(np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index in range(1200):
            frame = av.VideoFrame.from_ndarray(planes.reshape(HEIGHT * 3 // 2, WIDTH), "yuv420p")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@contextmanager
def desk(display: str, folder: Path, *arguments: str) -> Iterator[Desk]:
    environment = {key: value for key, value in os.environ.items() if key != "WAYLAND_DISPLAY"}
    environment |= {"DISPLAY": display, "QT_LOGGING_RULES": "*=false"}
    with Live("--json-lines", "--loop", "--engine", "fast", *arguments, env=environment, folder=folder) as live:
        live.until("first_picture")
        found = Desk(live, environment, folder)
        end = monotonic() + PATIENCE
        while not found.window:
            assert monotonic() < end, "no window"
            found.window = found.tool("xdotool", "search", "--name", "realtime").split("\n")[0]
        yield found


def test_every_key_does_on_the_screen_what_the_help_says(display: str, still: Path, tmp_path: Path) -> None:
    with desk(display, tmp_path, str(still)) as at:
        on = level(at.until(lambda p: level(p) > level(p, 0.05, 0.45) + 15, "the clip"))
        at.press("e")
        off = level(at.until(lambda p: level(p) < on - 15, "the picture without enhancement"))
        at.press("e")
        at.until(lambda p: level(p) > on - 8, "the enhanced picture")
        # Strength and exposure go in steps: pressed until it shows, down and up again.
        for key, direction in (("minus", -1), ("plus", 1), ("period", 1), ("comma", -1)):
            before = level(at.screen())
            for _ in range(20):
                at.press(key)
                if direction * (level(at.screen()) - before) > 5:
                    break
            at.until(lambda p, d=direction, b=before: d * (level(p) - b) > 5, key)  # type: ignore[misc]
        at.press("m")
        at.until(lambda p: level(p) < level(p, 0.05, 0.45) - 15, "the mirrored picture")
        at.press("m")
        at.until(lambda p: level(p) > level(p, 0.05, 0.45) + 15, "the picture as it was")
        at.press("c")
        at.until(lambda p: abs((line(p) or 0) - 0.5) < 0.05, "the divider")
        left = at.screen().shape[1] // 4
        at.tool("xdotool", "mousemove", "--window", at.window, str(left * 2), "100", "mousedown", "1")
        at.tool("xdotool", "mousemove", "--window", at.window, str(left), "100", "mouseup", "1")
        at.until(lambda p: abs((line(p) or 0) - 0.25) < 0.1, "the divider where it was dragged to")
        at.press("c")
        at.until(lambda p: line(p) is None, "the picture without the divider")
        at.press("b")  # wider than the screen: what was before is on three fifths of it
        at.until(lambda p: p.shape[1] / p.shape[0] > 3 and abs(level(p, 0.3, 0.5) - off) < 6, "both beside each other")
        at.press("b")
        at.until(lambda p: p.shape[1] / p.shape[0] < 2, "the enhanced picture alone")
        for portrait in (True, False, True, False):
            at.press("t")
            at.until(lambda p, turned=portrait: (p.shape[0] > p.shape[1]) == turned, "the turned picture")  # type: ignore[misc]
        for key in ("h", "i", "space"):
            at.until(lambda p: text(p) < 20, "the picture without text")
            at.press(key)
            at.until(lambda p: text(p) > 60, f"the text of {key}")
            at.press(key)
        # Of keys that come at once OpenCV tells the last: one after the other.
        at.until(lambda p: text(p) < 20, "the picture without text")
        at.press("s")
        snapshot = at.live.until("snapshot")
        at.press("r")
        at.live.until("recording_started")
        at.press("r")
        recording = at.live.until("recording_finished")
        at.press("q")
        assert at.live.wait() == 0
    assert synthetic.read_image(tmp_path / snapshot["path"]).shape == (HEIGHT, WIDTH, 3)
    assert (tmp_path / recording["path"]).stat().st_size > 1000


def test_the_engine_is_changed_by_a_key(display: str, still: Path, tmp_path: Path) -> None:
    with desk(display, tmp_path, str(still)) as at:
        at.press("g")
        assert at.live.until("engine_loading")["engine"] == "exact"
        assert at.live.until("engine_changed")["engine"] == "exact"
        at.press("q")
        assert at.live.wait() == 0


def test_a_paused_picture_answers_to_keys(display: str, still: Path, tmp_path: Path) -> None:
    with desk(display, tmp_path, str(still)) as at:
        on = level(at.until(lambda p: level(p) > level(p, 0.05, 0.45) + 15, "the clip"))
        at.press("space")
        at.until(lambda p: text(p) > 60, "the word")
        at.press("e")
        at.until(lambda p: level(p) < on - 15, "the picture without enhancement")
        at.press("c")
        at.until(lambda p: line(p) is not None, "the divider")
        at.press("e")
        at.until(lambda p: level(p) > on - 8 and level(p, 0.2, 0.45) < on - 15, "before and after")
        at.press("q")
        assert at.live.wait() == 0


@pytest.mark.needs("openbox")
def test_the_button_of_the_window_finishes_the_recording(display: str, still: Path, tmp_path: Path) -> None:
    """Alt+F4 is openbox's way to press it. With a window manager `f` fills the screen."""
    with (
        running(["env", f"DISPLAY={display}", "openbox"]),
        desk(display, tmp_path, str(still), "--record", str(tmp_path / "recording.mkv")) as at,
    ):
        at.until(lambda p: p.shape[1] > 100, "the window")
        at.press("f")
        at.until(lambda p: p.shape[:2] == (600, 800), "the full screen")
        at.press("f")
        at.until(lambda p: p.shape[:2] != (600, 800), "the window again")
        at.tool("xdotool", "windowfocus", at.window, "key", "alt+F4")
        assert at.live.wait() == 0
    assert at.live.kinds()[-2:] == ["recording_finished", "closed"]
    assert (tmp_path / "recording.mkv").stat().st_size > 1000
