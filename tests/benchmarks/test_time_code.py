"""The moment that a live benchmark draws into frames, and the figures of a soak."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.benchmarks.live import soak_figures
from realtime.benchmarks.time_code import BLOCK, BLOCKS, age, draw, read

SIZE = (48, 640)


@pytest.mark.parametrize("seconds", [0.0, 0.001, 12.345, 1048.575, 1048.576, 5000.25])
def test_a_moment_is_read_back_from_a_brightened_noisy_picture(seconds: float) -> None:
    random = np.random.default_rng(1)
    luma = random.integers(0, 60, SIZE, dtype=np.uint8)
    draw(luma, seconds)
    brightened = 255 * (luma / 255) ** 0.4 + random.normal(0, 8, SIZE)
    code = read(np.clip(brightened, 0, 255).astype(np.uint8))
    assert code is not None
    assert age(code, seconds) == 0
    assert age(code, seconds + 0.25) == pytest.approx(250, abs=1)


def test_no_code_and_a_torn_code_are_nothing() -> None:
    assert read(np.full(SIZE, 90, np.uint8)) is None
    luma = np.zeros(SIZE, np.uint8)
    draw(luma, 0.5)
    luma[:BLOCK, 2 * BLOCK : 3 * BLOCK] ^= 0xFF
    assert read(luma) is None
    assert read(luma[:, : BLOCKS * BLOCK - 1]) is None


def test_a_leak_is_a_slope_and_the_start_is_not() -> None:
    def sample(second: int) -> dict[str, float]:
        return {"seconds": second, "megabytes": 500 + 100 * (second > 5) + second / 36, "threads": 5, "files": 9}

    figures = soak_figures([sample(second) for second in range(40)])
    assert figures["megabytes_per_hour"] == pytest.approx(100)
    assert figures["threads"] == [5, 5]
