"""Where clean pictures come from, which are held out, and the pool of scenes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from realtime.errors import TrainingError
from realtime.training import data


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    for index in range(4):
        smooth = cv2.resize(random.integers(0, 255, (6, 8, 3), dtype=np.uint8), (400, 300))
        cv2.imwrite(str(tmp_path / f"picture{index}.png"), smooth)
    return tmp_path


def test_empty_missing_and_unreadable(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no images or clips"):
        data.find([tmp_path])
    with pytest.raises(TrainingError, match="not a folder"):
        data.find([tmp_path / "nowhere"])
    broken, film = tmp_path / "broken.png", tmp_path / "broken.mp4"
    broken.write_bytes(b"no picture")
    film.write_bytes(b"no clip")
    with pytest.raises(TrainingError, match="not a readable image"):
        data.read_image(broken)
    with pytest.raises(TrainingError, match="not a readable clip"):
        data.read_clip(film, 3)


def test_split_is_by_file_and_stays() -> None:
    files = [Path(f"{i}.jpg") for i in range(200)]
    training, held = data.split(files, also=["7.*"])
    assert set(training) | set(held) == set(files)
    assert not set(training) & set(held)
    assert Path("7.jpg") in held
    assert 10 <= len(held) <= 40
    assert set(data.split(files[:50], also=["7.*"])[1]) == {f for f in held if f in files[:50]}


def test_small_pictures_and_large_crops(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "small.png"), np.zeros((40, 40, 3), np.uint8))
    with pytest.raises(TrainingError, match=r"small\.png is 40x40, smaller than a crop of 64"):
        data.Shots(data.find([tmp_path]), 64)(np.random.default_rng(0))
    with pytest.raises(TrainingError, match="crop of 1000"):
        data.Shots(data.find([tmp_path]), 1000)


def test_pool_repeats_itself_and_uses_what_is_there(without_codec: None, folder: Path, tmp_path: Path) -> None:
    files = data.find([folder])
    batches: list[Any] = []
    for name in ("one", "two"):
        with data.Pool(data.Shots(files, 48), tmp_path / name, seed=3) as pool:
            pool.grow(2)
            batches.append(pool.draw(5, 48, np.random.default_rng(0)))
    assert all(np.array_equal(batches[0][key], batches[1][key]) for key in batches[0])
    assert batches[0]["recorded"].shape == (5, 48, 48, 3)
    assert batches[0]["gain"].min() >= 1
    made = (tmp_path / "one" / "000000-0.npz").stat().st_mtime_ns
    with data.Pool(data.Shots(files, 48), tmp_path / "one", seed=3) as pool:
        pool.grow(2)
        assert np.array_equal(pool.draw(5, 48, np.random.default_rng(0))["truth"], batches[0]["truth"])
    assert (tmp_path / "one" / "000000-0.npz").stat().st_mtime_ns == made
