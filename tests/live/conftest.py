"""Media that servers play, for tests with real connections."""

from __future__ import annotations

from pathlib import Path

import pytest
import synthetic


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``camera.mp4``: 64x48, 20 seconds at 25 frames a second, with AAC sound. To be read only."""
    folder = tmp_path_factory.mktemp("served")
    synthetic.clip(folder / "camera.mp4", count=500, sound=True)
    return folder
