"""The benchmark of live, briefly: what it sees on the screen, and that nothing grows meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest
import synthetic

from realtime.benchmarks import live


@pytest.mark.needs("Xvfb")
def test_a_short_soak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "WARM_UP", 0.5)
    # It turns at 5 s, and not as the run ends: while a file is opened again there are more threads.
    clip = synthetic.clip(tmp_path / "clip.mp4", width=864, height=488, count=50, rate=10)
    result = live.measure(clip, 8.0)
    assert result["engine"] == "fast"
    assert 40 < result["frames"] + result["dropped"] < 83
    assert result["seen"] > 10
    assert 0 < result["screen_ms"]["p50"] <= result["screen_ms"]["p95"]
    figures = live.soak_figures(result["samples"])
    (first, last), (few, many) = figures["files"], figures["threads"]
    assert last <= first + 1
    assert many <= few + 1


def test_the_slope_of_memory_is_that_of_the_second_half() -> None:
    """It grows by 100 MB at first, and then by 2 MB a minute."""
    samples = [
        {"seconds": 60.0 * minute, "megabytes": 100.0 * min(minute, 1) + 2.0 * minute, "threads": 9, "files": 12}
        for minute in range(30)
    ]
    figures = live.soak_figures(samples)
    assert figures["megabytes_per_hour"] == pytest.approx(120.0)
    assert figures["files"] == [12, 12]
