"""The window: what reaches the screen, keys, its button, the mouse, snapshots."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from ctypes.util import find_library
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import synthetic
from screen import Screen

from realtime import Control, Frame, Report, SinkError, StopStreaming, StreamInfo
from realtime.events import Event, EventBus
from realtime.frame import RGB, PixelFormat
from realtime.media.libav import cv2
from realtime.sinks.overlay import View
from realtime.sinks.viewer import ESCAPE, Viewer
from realtime.sinks.window import Window

INFO = StreamInfo(640, 480, RGB, Fraction(1, 25), Fraction(25), live=True)
#: Large enough not to be enlarged on the screen.
PICTURE = synthetic.noise(640, 480, top=256)[0]


def shown_frame(original: Frame | None = None) -> Frame:
    return Frame((PICTURE,), RGB, 0, Fraction(1, 25), original=original)


def test_what_is_shown_is_what_was_written(screen: Screen) -> None:
    with Window() as sink:
        sink.open(INFO)
        sink.write(shown_frame())
    assert np.array_equal(screen.shown[-1], PICTURE[:, :, ::-1]), "OpenCV takes blue first"
    assert screen.calls[-1] == "destroyWindow"


@pytest.mark.parametrize("key", [ord("q"), ord("Q"), ESCAPE])
def test_a_key_ends_the_stream(key: int, screen: Screen) -> None:
    with Window() as sink:
        sink.open(INFO)
        sink.write(shown_frame())
        sink.poll()
        screen.key = key
        with pytest.raises(StopStreaming):
            sink.poll()


def test_its_own_button_ends_the_stream(screen: Screen) -> None:
    with Window() as sink:
        sink.open(INFO)
        sink.write(shown_frame())
        screen.visible = 0.0
        with pytest.raises(StopStreaming):
            sink.poll()


def test_a_window_that_was_closed_is_not_drawn_again(screen: Screen) -> None:
    """OpenCV would open another one; the size of a closed one differs from what was shown."""
    with Window() as sink:
        sink.open(INFO)
        sink.write(shown_frame())
        screen.visible, screen.size = 0.0, (-1, -1)
        screen.key = ord("m")
        with pytest.raises(StopStreaming):
            sink.poll()
    assert len(screen.shown) == 1


def test_a_window_that_does_not_know_whether_it_is_visible_stays(screen: Screen) -> None:
    screen.visible = -1.0
    with Window() as sink:
        sink.open(INFO)
        for _ in range(8):
            sink.write(shown_frame())
            sink.poll()
    assert len(screen.shown) == 8


def test_nothing_is_drawn_between_frames_unless_something_changed(screen: Screen) -> None:
    with Window() as sink:
        sink.open(INFO)
        sink.write(shown_frame())
        for _ in range(3):
            sink.poll()
        assert len(screen.shown) == 1
        screen.key = ord("m")  # mirrored
        sink.poll()
        assert np.array_equal(screen.shown[-1], PICTURE[:, ::-1, ::-1])
        screen.key = -1
        INFO.link.lost("reconnecting")
        sink.poll()
        INFO.link.restored()
        assert len(screen.shown) == 3
        assert not np.array_equal(screen.shown[-1], screen.shown[-2])


def test_a_notice_that_ends_is_drawn_though_no_frame_comes(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("realtime.sinks.viewer.perf_counter", lambda: now[0])
    with Window() as sink:
        sink.open(INFO)
        sink.write(shown_frame())
        screen.key = ord("-")
        sink.poll()
        screen.key = -1
        assert not np.array_equal(screen.shown[-1], screen.shown[0])
        now[0] += 3
        sink.poll()
        sink.poll()
    assert len(screen.shown) == 3
    assert np.array_equal(screen.shown[-1], screen.shown[0])


def test_an_event_is_drawn_though_no_frame_comes(screen: Screen) -> None:
    info = replace(INFO, events=EventBus())
    with Window() as sink:
        sink.open(info)
        sink.write(shown_frame())
        info.events.publish("engine_loading", engine="exact")
        sink.poll()
    assert len(screen.shown) == 2
    assert not np.array_equal(screen.shown[0], screen.shown[1])


def test_before_and_after_beside_each_other_and_the_divider_follows_the_mouse(screen: Screen) -> None:
    planes = PixelFormat("yuv", 8, (2, 2), "bt601", full_range=False)
    black = Frame(
        tuple(np.full(shape, level, np.uint8) for shape, level in zip(planes.shapes(640, 480), (16, 128, 128))), planes
    )
    with Window(Viewer(Control(), view=View(divider=0.5))) as sink:
        sink.open(INFO)
        sink.write(shown_frame(original=black))
        assert screen.mouse is not None
        for share in (0.25, 0.75):
            screen.mouse(cv2.EVENT_MOUSEMOVE, round(share * 640), 5, cv2.EVENT_FLAG_LBUTTON, None)
            dark = (screen.shown[-1][20:].max((0, 2)) < 12).sum()
            assert abs(dark - share * 640) <= 3
        screen.mouse(cv2.EVENT_MOUSEMOVE, 5, 20, 0, None)
        assert (screen.shown[-1][20:].max((0, 2)) < 12).sum() == dark, "only with the button held"


def test_a_wider_window_has_black_beside_the_picture_and_the_divider_still_follows(screen: Screen) -> None:
    screen.size = (1600, 900)
    with Window(Viewer(Control(), view=View(divider=0.5))) as sink:
        sink.open(INFO)
        sink.write(shown_frame(original=shown_frame()))
        assert screen.shown[-1].shape == (480, 852, 3)
        assert not screen.shown[-1][:, :106].any()
        assert not screen.shown[-1][:, -106:].any()
        assert screen.mouse is not None
        screen.mouse(cv2.EVENT_MOUSEMOVE, 106 + 160, 5, cv2.EVENT_FLAG_LBUTTON, None)
        assert (screen.shown[-1][:, 106 + 160] == 255).all(), "the white line of the divider"


def test_a_snapshot_is_the_picture_in_a_file_of_its_own(screen: Screen, tmp_path: Path) -> None:
    heard: list[Event] = []
    info = replace(INFO)
    info.events.subscribe(heard.append)
    with Window(folder=tmp_path) as sink:
        sink.open(info)
        sink.write(shown_frame())
        screen.key = ord("s")
        sink.poll()
        sink.poll()
    files = sorted(tmp_path.iterdir())
    assert len(files) == 2
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d(_2)?\.png", path.name) for path in files)
    assert all(np.array_equal(synthetic.read_image(path), PICTURE) for path in files)
    assert [event.details["path"] for event in heard] == [str(path) for path in files]


def test_a_snapshot_that_cannot_be_written_ends_nothing(screen: Screen, tmp_path: Path) -> None:
    with Window(folder=tmp_path / "nowhere") as sink:
        sink.open(INFO)
        sink.write(shown_frame())
        screen.key = ord("s")
        sink.poll()
        sink.write(shown_frame())


def test_the_title_tells_the_delay(screen: Screen) -> None:
    report = Report("fast", "cpu", "float32", 64, 48, 10, None, 3, 1.0, {"p50": 16.2, "p95": 30.0}, ())
    with Window(title="night") as sink:
        sink.open(INFO)
        sink.write(shown_frame())
        sink.set_status(report)
    assert screen.title == "night (16 ms behind, 3 dropped)"


def test_no_display_is_an_error_and_no_abort(no_display: None) -> None:
    with pytest.raises(SinkError, match="display"):
        Window()


@pytest.mark.skipif(find_library("xcb") is None, reason="libxcb is not installed")
@pytest.mark.usefixtures("no_display")
def test_a_display_that_does_not_answer_is_an_error_and_no_abort(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":4095")
    with pytest.raises(SinkError, match=r"the display :4095 does not answer"):
        Window()


#: Checks the display, then connects and leaves again and again; prints how many connections were refused.
CONNECTIONS = """
import ctypes, os
from ctypes.util import find_library
from realtime.sinks.window import check_display

check_display()
xcb = ctypes.CDLL(find_library("xcb"))
xcb.xcb_connect.restype = ctypes.c_void_p
refused = 0
for _ in range(1000):
    connection = ctypes.c_void_p(xcb.xcb_connect(os.environ["DISPLAY"].encode(), None))
    refused += bool(xcb.xcb_connection_has_error(connection))
    xcb.xcb_disconnect(connection)
print(refused)
"""


@pytest.mark.needs("Xvfb")
@pytest.mark.skipif(find_library("xcb") is None, reason="libxcb is not installed")
def test_a_checked_display_stays_reachable(bare_display: str) -> None:
    """A server without other clients starts anew when its last one leaves: one connection in twenty was refused."""
    environment = {key: value for key, value in os.environ.items() if key != "WAYLAND_DISPLAY"}
    environment["DISPLAY"] = bare_display
    done = subprocess.run([sys.executable, "-c", CONNECTIONS], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "0"), done.stderr
