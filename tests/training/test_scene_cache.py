"""Clean sequences, degraded scenes on disk, and crops from them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime.enhance.exposure.fine import STEPS, Fine
from realtime.errors import TrainingError
from realtime.training.clip_sampler import SCENE_SIZE, SMALLER_CROP, ClipSampler
from realtime.training.exposing import Example
from realtime.training.files import find_files
from realtime.training.scene_cache import SceneCache, load, save, whole_frame


def test_a_sequence_has_its_length_and_size(pictures: Path, clip: Path) -> None:
    sampler = ClipSampler([*find_files([pictures]), clip], 40, length=3)
    sources = set()
    for seed in range(12):
        sequence, source = sampler.draw(np.random.default_rng(seed))
        assert [picture.shape for picture in sequence] == [(*SCENE_SIZE, 3)] * 3
        assert all(picture.min() >= 0 and picture.max() <= 1 for picture in sequence)
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
    assert {name: part.shape for name, part in batches[0].items()} == dict.fromkeys(
        ("recorded", "target"), (5, 48, 48, 3)
    )
    made = (tmp_path / "one" / "000000-0.npz").stat().st_mtime_ns
    with SceneCache(sampler, tmp_path / "one", seed=3) as cache:
        cache.grow(2)
        assert np.array_equal(cache.draw(5, 48, np.random.default_rng(0))["target"], batches[0]["target"])
    assert (tmp_path / "one" / "000000-0.npz").stat().st_mtime_ns == made


def test_an_interrupted_scene_is_made_again(stills_only: None, pictures: Path, tmp_path: Path) -> None:
    sampler = ClipSampler(find_files([pictures]), 48)
    (tmp_path / "000000-0.npz").write_bytes(b"half a file")
    with SceneCache(sampler, tmp_path, seed=0) as cache:
        cache.grow(1)
        assert load(cache.first_frames[0]).target.shape == (*SCENE_SIZE, 3)


def test_a_frame_on_disk_is_what_was_saved(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    luma = random.integers(0, 255 * STEPS, (32, 48), np.int16)
    blue, red = random.integers(-100, 100, (2, 16, 24), np.int16)
    target = random.random((32, 48, 3), np.float32)
    save(tmp_path / "a.npz", Example(Fine(luma, blue, red), "bt601", target))
    example = load(tmp_path / "a.npz")
    for plane, wanted in zip(example.fine, (luma, blue, red), strict=True):
        np.testing.assert_array_equal(plane, wanted)
    assert example.matrix == "bt601"
    assert abs(example.target - target).max() < 1e-3
    batch = whole_frame(tmp_path / "a.npz")
    assert np.array_equal(batch["recorded"][0], example.recorded)
    assert np.array_equal(batch["target"][0], example.target)
