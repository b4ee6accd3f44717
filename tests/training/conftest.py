"""Fixtures for training: pictures to learn from, and scenes that repeat to the bit."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime.training import degradation


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with four smooth random pictures of 400x300. To be read only."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for index in range(4):
        smooth = cv2.resize(random.integers(0, 255, (6, 8, 3), dtype=np.uint8), (400, 300))
        assert cv2.imwrite(str(folder / f"picture{index}.png"), smooth)
    return folder


@pytest.fixture
def stills_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scenes without a video codec: x264 may encode the very same pictures in one of two ways, whatever its number of
    threads, so scenes that were filmed cannot be compared to the bit."""
    monkeypatch.setattr(degradation, "STILL_SHARE", 1.0)
