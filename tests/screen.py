"""OpenCV's windows without a display: a fixture for `conftest.py` files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from realtime.frame import Samples
from realtime.media.libav import cv2


class Screen:
    """Stands for the screen: `calls` are the names of OpenCV's functions that were called, `shown` the pictures,
    `title` the window's; `key` is what is pressed next, `visible` and `size` what the system says of the window."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.shown: list[Samples] = []
        self.title = ""
        self.key, self.visible = -1, 1.0
        self.size = (640, 480)
        self.mouse: Callable[..., None] | None = None
        functions: dict[str, Callable[..., Any]] = {
            "namedWindow": lambda *_: None,
            "resizeWindow": lambda *_: None,
            "destroyWindow": lambda *_: None,
            "setWindowProperty": lambda *_: None,
            "imshow": lambda _, picture: self.shown.append(picture.copy()),
            "setWindowTitle": lambda _, title: setattr(self, "title", title),
            "setMouseCallback": lambda _, function: setattr(self, "mouse", function),
            "waitKeyEx": lambda *_: self.key,
            "getWindowProperty": lambda *_: self.visible,
            "getWindowImageRect": lambda *_: (0, 0, *self.size),
        }
        for name, function in functions.items():
            monkeypatch.setattr(cv2, name, self._noting(name, function))
        monkeypatch.setenv("DISPLAY", ":0")
        monkeypatch.setattr("realtime.sinks.window._connect", lambda display: None)

    def _noting(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: object) -> Any:
            self.calls.append(name)
            return function(*arguments)

        return call
