"""Fixtures for the tests of sinks."""

from __future__ import annotations

import pytest
from screen import Screen


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """OpenCV's windows without a display."""
    return Screen(monkeypatch)
