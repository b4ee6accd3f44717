"""Statistics of clips, on frames of known noise."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime.enhance.exposure.fine import STEPS, Fine
from realtime.training.statistics import LUMA_LIMITS, ClipStatistics, measure, of_clip, of_degraded, quantile, row


def frames(luma: Any, chroma_noise: float = 0.0) -> list[Fine]:
    """Frames of these luma levels (N, H, W), with noise in the chroma."""
    random = np.random.default_rng(1)
    count, height, width = luma.shape
    chroma = random.normal(0, chroma_noise, (2, count, height // 2, width // 2)) * STEPS
    fixed = np.rint(luma * STEPS).astype(np.int16)
    return [Fine(fixed[i], *np.rint(chroma[:, i]).astype(np.int16)) for i in range(count)]


def test_noise_is_found_at_its_level() -> None:
    random = np.random.default_rng(0)
    levels = np.where(np.arange(128) < 60, 9.0, 70.0) * np.ones((96, 1))
    deviation = np.where(np.arange(128) < 60, 0.5, 2.0) * np.ones((96, 1))
    found = measure(frames(levels + random.normal(0, 1, (12, 96, 128)) * deviation, chroma_noise=0.7))
    by_limit = dict(zip(LUMA_LIMITS, found.noise))
    assert by_limit[6] == pytest.approx(0.5, abs=0.03)
    assert by_limit[48] == pytest.approx(2.0, abs=0.15)
    assert math.isnan(by_limit[0])
    assert math.isnan(by_limit[96])
    assert found.chroma == pytest.approx(0.7, abs=0.03)
    assert abs(found.grain) < 0.1
    assert found.unchanged < 0.05
    assert found.empty == 0


def test_what_stands_still_is_unchanged_and_blocks_are_seen() -> None:
    blocks = np.kron(np.random.default_rng(0).uniform(0.5, 2.5, (12, 16)), np.ones((8, 8)))
    found = measure(frames(np.stack([blocks] * 6)))
    assert found.unchanged == 1
    assert found.blocks > 5
    assert found.empty == 1
    assert found.noise[0] == 0


def test_grain_is_the_correlation_of_neighbors() -> None:
    noise = np.random.default_rng(0).normal(0, 1, (12, 96, 130))
    smooth = (noise[:, :, 1:-1] + noise[:, :, 2:]) / 2
    found = measure(frames(40 + smooth))
    assert found.grain == pytest.approx(0.5, abs=0.1)
    assert found.blocks == pytest.approx(1, abs=0.05)


def test_quantiles_leave_out_what_is_unknown() -> None:
    rows = [ClipStatistics((value, math.nan), value, value, value, value, value) for value in (1.0, 2.0, 6.0)]
    rows.append(ClipStatistics((math.nan, math.nan), 2.0, 2.0, 2.0, 2.0, 2.0))
    middle = quantile(rows, 0.5)
    assert middle.noise[0] == 2
    assert math.isnan(middle.noise[1])
    assert row("middle", middle) == "| middle | 2.00 |  | 2.00 | 2.00 | 2.00 | 2.00 | 2.00 |"


def test_clips_and_degraded_scenes_are_measured(long_clip: Path, pictures: Path) -> None:
    # Flat frames that change all over from one to the next: nothing stands still.
    found = of_clip(long_clip, 4)
    assert math.isnan(found.unchanged)
    assert found.empty == 0
    scenes = of_degraded(pictures, 2)
    assert len(scenes) == 2
    assert all(scene.blocks > 0 for scene in scenes)
