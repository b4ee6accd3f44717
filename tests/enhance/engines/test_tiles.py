"""Tiles whose outputs, put together, are the output of the whole picture."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synthetic
from hypothesis import example, given, settings
from hypothesis import strategies as st

from realtime import Enhancer
from realtime.enhance.engines.exact import engine as exact
from realtime.enhance.engines.exact import tiles as module
from realtime.enhance.engines.exact.graph import compile_network
from realtime.enhance.engines.exact.tiles import tiles
from realtime.enhance.mbllen import RECEPTIVE_RADIUS
from realtime.enhance.tensorflow_loader import tf


@given(length=st.integers(1, 9000), halo=st.integers(0, 60), room=st.integers(1, 450).map(lambda half: 2 * half))
@example(length=641, halo=23, room=640 - 46)
@example(length=640, halo=23, room=640 - 46)
@example(length=1, halo=23, room=2)
def test_tiles_cover_the_axis_once(length: int, halo: int, room: int) -> None:
    largest = 2 * halo + room
    size, found = tiles(length, largest, halo)
    assert size <= min(largest, length)
    assert len(found) == 1 or size % 2 == 0
    # Touching without overlap, from end to end.
    covered = [(tile.start + tile.first, tile.start + tile.last) for tile in found]
    assert covered[0][0] == 0
    assert covered[-1][1] == length
    assert all(end == begin for (_, end), (begin, _) in pairwise(covered))
    assert all(begin < end for begin, end in covered)
    for tile in found:
        # All inside the picture, and clear of every side that was cut.
        assert 0 <= tile.start <= length - size
        assert tile.first >= halo or tile.start == tile.first == 0
        assert size - tile.last >= halo or (tile.start + size == length and tile.last == size)


@given(length=st.integers(641, 9000))
def test_no_more_tiles_than_needed(length: int) -> None:
    size, found = tiles(length, 640, 23)
    assert len(found) == -(-(length - 46) // (640 - 46))
    # As small as that many can be, and even.
    assert (size - 2 - 46) * len(found) < length - 46


@pytest.mark.parametrize(("largest", "halo"), [(46, 23), (40, 23), (0, 0), (101, 23)])
def test_a_tile_needs_more_than_two_halos(largest: int, halo: int) -> None:
    with pytest.raises(ValueError, match="nothing left between"):
        tiles(100, largest, halo)


@pytest.fixture(scope="module")
def network() -> Any:
    return compile_network(synthetic.random_model(), tf.float32)


@settings(max_examples=5)
@given(height=st.integers(40, 150), width=st.integers(40, 150), count=st.integers(1, 2))
@example(height=64, width=65, count=1)
@example(height=65, width=64, count=1)
@example(height=150, width=131, count=2)
def test_in_tiles_equals_the_whole(network: Any, height: int, width: int, count: int) -> None:
    pictures = tf.constant(synthetic.noise(width, height, count, top=256).astype(np.float32) / 255)
    whole = np.asarray(network(pictures))
    output = np.asarray(module.in_tiles(network, pictures, 64))
    assert output.shape == whole.shape
    # The same sums; kernels for another shape may take them in another order.
    assert np.abs(output - whole).max() <= 1e-5


def test_a_halo_too_small_would_be_seen(network: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RECEPTIVE_RADIUS", RECEPTIVE_RADIUS // 2)
    pictures = tf.constant(synthetic.noise(100, 100, top=256).astype(np.float32) / 255)
    output = np.asarray(module.in_tiles(network, pictures, 64))
    assert np.abs(output - np.asarray(network(pictures))).max() > 1e-3


def test_the_engine_uses_tiles(weights: Path, enhancer: Enhancer, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = synthetic.noise(97, 90, seed=3)
    seen: list[int] = []
    cut = module.tiles

    def watched(length: int, largest: int, halo: int) -> Any:
        seen.append(len(cut(length, largest, halo)[1]))
        return cut(length, largest, halo)

    monkeypatch.setattr(exact, "LARGEST_TILE", {"cpu": 60, "gpu": 60})
    monkeypatch.setattr(module, "tiles", watched)
    tiled = Enhancer(weights=weights, **synthetic.QUICK)(picture)
    assert seen == [4, 4]
    assert np.abs(tiled.astype(int) - enhancer(picture)).max() <= 1
