"""A window on the screen, through OpenCV: a thin shell round `Viewer`."""

from __future__ import annotations

import ctypes
import os
import platform
from ctypes.util import find_library
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import cv2

from realtime.control import Control
from realtime.errors import SinkError, StopStreaming
from realtime.frame import Frame, Samples, StreamInfo
from realtime.report import Report
from realtime.sinks.base import Sink
from realtime.sinks.overlay import letterboxed
from realtime.sinks.recording import dated_path
from realtime.sinks.viewer import Viewer

#: The largest window at first, in pixels: what a laptop shows.
LARGEST = (1280, 720)
#: The picture fills the window, and gets its aspect ratio here: OpenCV would put bright bars beside it.
FLAGS = cv2.WINDOW_NORMAL | cv2.WINDOW_FREERATIO | cv2.WINDOW_GUI_NORMAL


class Window(Sink):
    """Shows frames until q, Esc or the window's own button. To be used from the main thread, as macOS demands.

    `viewer` is what it shows and what its keys do; snapshots go to `folder`. Raises SinkError without a display.
    """

    name = "window"
    may_drop: ClassVar[bool] = True
    #: Seconds. A window answers keys and redraws only while it is asked to, however long the next frame takes.
    poll_interval = 0.03

    def __init__(self, viewer: Viewer | None = None, title: str = "realtime", folder: Path | None = None) -> None:
        check_display()
        self._title, self._folder = title, folder or Path()
        self._viewer = viewer or Viewer(Control())
        self._viewer.actions = replace(
            self._viewer.actions, snapshot=self._snapshot, toggle_full_screen=self._toggle_full_screen
        )
        self._open = False
        self._caption = ""
        self._width = self._height = 1
        self._area, self._left = (1, 1), 0
        self._texts: tuple[str, ...] = ()

    def open(self, info: StreamInfo) -> None:
        self._viewer.link, self._info = info.link, info
        self._viewer.happenings.follow(info.events)
        cv2.namedWindow(self._title, FLAGS)
        self._fit(info.width, info.height)
        cv2.setMouseCallback(self._title, self._mouse)
        self._area = self._shown_area()
        self._open = True

    def write(self, frame: Frame) -> None:
        self._viewer.show(frame)
        self._draw()

    def poll(self) -> None:
        code = cv2.waitKeyEx(1)
        if self._closed():  # looked at first: drawing would open the window again
            raise StopStreaming
        if code != -1:
            self._viewer.key(code)
        # Between frames only what changes without one is drawn again.
        changed = self._shown_area() != self._area or self._viewer.texts() != self._texts
        if code != -1 or changed or not self._info.link.state.connected:
            self._draw()

    def set_status(self, report: Report) -> None:
        """The figures that the overlay and the title show."""
        self._viewer.report = report
        delay = report.latency_ms
        caption = f"{delay['p50']:.0f} ms behind" if delay else ""
        if report.dropped:
            caption += f", {report.dropped} dropped"
        if self._open and caption != self._caption:
            cv2.setWindowTitle(self._title, f"{self._title} ({caption})")
            self._caption = caption

    def close(self) -> None:
        self._open = False
        try:
            cv2.destroyWindow(self._title)
        except cv2.error:
            pass  # already closed by its button

    def _draw(self) -> None:
        self._texts = self._viewer.texts()
        picture = self._viewer.picture()
        if picture is not None:
            # Side by side and turned pictures have another shape.
            if picture.shape[1::-1] != (self._width, self._height):
                self._fit(picture.shape[1], picture.shape[0])
            self._area = self._shown_area()
            boxed = letterboxed(picture, *self._area)
            self._left = (boxed.shape[1] - picture.shape[1]) // 2
            cv2.imshow(self._title, cv2.cvtColor(boxed, cv2.COLOR_RGB2BGR))

    def _fit(self, width: int, height: int) -> None:
        """Gives the window the shape of a picture of that size."""
        self._width, self._height = width, height
        if cv2.getWindowProperty(self._title, cv2.WND_PROP_FULLSCREEN) != cv2.WINDOW_FULLSCREEN:
            scale = min(1.0, LARGEST[0] / width, LARGEST[1] / height)
            cv2.resizeWindow(self._title, max(1, round(width * scale)), max(1, round(height * scale)))

    def _shown_area(self) -> tuple[int, int]:
        """Width and height of the window's inside; the picture's where the window is closed."""
        try:
            _, _, width, height = cv2.getWindowImageRect(self._title)
        except cv2.error:
            width = height = -1
        return (width, height) if min(width, height) > 0 else (self._width, self._height)

    def _mouse(self, event: int, x: int, y: int, flags: int, parameter: Any) -> None:
        """Drags the divider. OpenCV gives `x` in pixels of what is shown, however large the window is."""
        if flags & cv2.EVENT_FLAG_LBUTTON:
            self._viewer.drag((x - self._left) / max(self._width, 1))
            self._draw()

    def _snapshot(self, picture: Samples) -> str:
        path = dated_path(self._folder, ".png")
        encoded, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        if not encoded:
            return "no snapshot: the picture cannot be encoded"
        try:
            with path.open("xb") as file:  # never through a link
                file.write(data.tobytes())
        except OSError as error:
            return f"no snapshot: {error.strerror}"
        self._info.events.publish("snapshot", path=str(path))
        return f"snapshot {path.name}"

    def _toggle_full_screen(self) -> None:
        full = cv2.getWindowProperty(self._title, cv2.WND_PROP_FULLSCREEN) == cv2.WINDOW_FULLSCREEN
        cv2.setWindowProperty(
            self._title, cv2.WND_PROP_FULLSCREEN, cv2.WINDOW_NORMAL if full else cv2.WINDOW_FULLSCREEN
        )

    def _closed(self) -> bool:
        try:
            # 0 is closed; GTK cannot tell and says -1.
            return self._open and cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) == 0
        except cv2.error:
            return True


def check_display() -> None:
    """Raises SinkError when there is no display, or none that answers: OpenCV would end the whole process instead."""
    if platform.system() != "Linux" or os.environ.get("WAYLAND_DISPLAY"):
        return
    name = os.environ.get("DISPLAY")
    if not name:
        raise SinkError("there is no display for a window; set DISPLAY or WAYLAND_DISPLAY")
    _connect(name)


@cache
def _connect(display: str) -> None:
    """Connects to an X server by XCB's own rules, for as long as this process lives; raises SinkError if it refuses.

    Most servers start anew when their last client leaves, and refuse others meanwhile: if this one were closed,
    OpenCV's own would fail now and then. Nothing is tried where that library is not installed.
    """
    library = find_library("xcb")
    if library is None:
        return
    xcb = ctypes.CDLL(library)
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(display.encode(), None))
    if xcb.xcb_connection_has_error(connection):
        xcb.xcb_disconnect(connection)
        raise SinkError(f"the display {display} does not answer, or refuses this user; check DISPLAY and XAUTHORITY")
