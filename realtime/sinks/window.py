"""A window on the screen, through OpenCV."""

from __future__ import annotations

import os
import platform

import cv2

from realtime.errors import SinkError, StopStreaming
from realtime.frame import Frame, StreamInfo
from realtime.sinks.base import Sink

# The wheel's Qt ships no fonts and says so five times; a window that shows pictures needs none.
os.environ.setdefault("QT_LOGGING_RULES", "*.warning=false")

QUIT = frozenset({ord("q"), ord("Q"), 27})


class Window(Sink):
    """Shows frames until q, Esc or the window's own button. To be used from the main thread, as macOS demands."""

    def __init__(self, title: str = "realtime") -> None:
        check_display()
        self._title = title
        self._shown = False
        self._caption = ""

    #: A window answers to keys and redraws only while it is asked to, however long the next frame takes.
    pulse = 0.03

    def open(self, info: StreamInfo) -> None:
        cv2.namedWindow(self._title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        # As large as the picture, within what a laptop shows.
        scale = min(1.0, 1280 / info.width, 720 / info.height)
        cv2.resizeWindow(self._title, max(1, round(info.width * scale)), max(1, round(info.height * scale)))

    def write(self, frame: Frame) -> None:
        cv2.imshow(self._title, cv2.cvtColor(frame.planes[0], cv2.COLOR_RGB2BGR))
        self.idle()
        self._shown = True

    def idle(self) -> None:
        if cv2.waitKey(1) & 0xFF in QUIT or self._closed():
            raise StopStreaming

    def caption(self, text: str) -> None:
        if self._shown and text != self._caption:
            cv2.setWindowTitle(self._title, f"{self._title} ({text})" if text else self._title)
            self._caption = text

    def close(self) -> None:
        self._shown = False
        try:
            cv2.destroyWindow(self._title)
        except cv2.error:
            pass  # already closed by its button

    def _closed(self) -> bool:
        try:
            # 0 is closed; GTK cannot tell and says -1.
            return self._shown and cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) == 0
        except cv2.error:
            return True


def check_display() -> None:
    """Raises SinkError when there is no display: OpenCV would end the whole process instead."""
    if platform.system() == "Linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise SinkError("there is no display for a window; use --no-window, or set DISPLAY")
