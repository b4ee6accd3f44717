"""Clean sequences, degraded scenes on disk, and crops from them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime.errors import TrainingError
from realtime.training.clip_sampler import SCENE_SIZE, SMALLER_CROP, ClipSampler
from realtime.training.degradation import Example
from realtime.training.files import find_files
from realtime.training.scene_cache import SceneCache, load, save, whole_frame


def test_a_sequence_has_its_length_and_size(pictures: Path, clip: Path) -> None:
    sampler = ClipSampler([*find_files([pictures]), clip], 40, length=3)
    sources = set()
    for seed in range(12):
        sequence, source = sampler.draw(np.random.default_rng(seed))
        assert [picture.shape for picture in sequence] == [(*SCENE_SIZE, 3)] * 3
        assert all(0 <= picture.min() and picture.max() <= 1 for picture in sequence)
        sources.add(source.suffix)
    assert sources == {".png", ".mp4"}


def test_a_file_that_is_too_small_is_named_with_what_helps(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "small.png"), np.zeros((40, 60, 3), np.uint8))
    files = find_files([tmp_path])
    with pytest.raises(TrainingError, match=r"small\.png is 60x40, smaller than 64 pixels: remove it$"):
        ClipSampler(files, 64).draw(np.random.default_rng(0))
    with pytest.raises(TrainingError, match="remove it; a smaller crop takes it"):
        ClipSampler(files, 64, remedies=SMALLER_CROP).draw(np.random.default_rng(0))
    with pytest.raises(TrainingError, match="no file is left"):
        ClipSampler([], 64)


def test_a_cache_repeats_itself_and_uses_what_is_there(stills_only: None, pictures: Path, tmp_path: Path) -> None:
    sampler = ClipSampler(find_files([pictures]), 48)
    batches = []
    for name in ("one", "other"):
        with SceneCache(sampler, tmp_path / name, seed=3) as cache:
            cache.grow(2)
            batches.append(cache.draw(5, 48, np.random.default_rng(0)))
    assert all(np.array_equal(batches[0][key], batches[1][key]) for key in batches[0])
    assert batches[0]["recorded"].shape == batches[0]["daylight"].shape == (5, 48, 48, 3)
    assert batches[0]["stops"].shape == (5, 48, 48)
    assert batches[0]["gain"].shape == (5,)
    assert batches[0]["gain"].min() >= 1
    made = (tmp_path / "one" / "000000-0.npz").stat().st_mtime_ns
    with SceneCache(sampler, tmp_path / "one", seed=3) as cache:
        cache.grow(2)
        assert np.array_equal(cache.draw(5, 48, np.random.default_rng(0))["dark"], batches[0]["dark"])
    assert (tmp_path / "one" / "000000-0.npz").stat().st_mtime_ns == made


def test_an_interrupted_scene_is_made_again(stills_only: None, pictures: Path, tmp_path: Path) -> None:
    sampler = ClipSampler(find_files([pictures]), 48)
    (tmp_path / "000000-0.npz").write_bytes(b"half a file")
    with SceneCache(sampler, tmp_path, seed=0) as cache:
        cache.grow(1)
        assert load(cache.first_frames[0]).recorded.shape == (*SCENE_SIZE, 3)


def test_a_frame_on_disk_is_what_was_saved(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    recorded, dark, daylight = random.random((3, 32, 48, 3), np.float32)
    stops = np.tile(np.linspace(0, 3, 48, dtype=np.float32), (32, 1))
    save(tmp_path / "a.npz", Example(recorded, dark, daylight, stops, 5.5, 0.25))
    example = load(tmp_path / "a.npz")
    assert abs(example.recorded - recorded).max() < 1e-3
    assert abs(example.dark - dark).max() < 1e-3
    assert abs(example.daylight - daylight).max() < 0.51 / 255
    assert abs(example.stops - stops).max() < 0.12
    assert (example.gain, example.white) == (5.5, 0.25)
    batch = whole_frame(tmp_path / "a.npz")
    assert batch["recorded"].shape == (1, 32, 48, 3)
    assert batch["gain"] == [5.5]
