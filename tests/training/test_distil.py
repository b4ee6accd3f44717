"""Distilling: the engine's student, trained in as many sessions as it takes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import pytest

from realtime.enhance.engines.fast import student, student_file
from realtime.enhance.engines.fast.pyramid import TOP, Workspace
from realtime.enhance.weights import Weights
from realtime.errors import TrainingError, WeightsError
from realtime.training.checkpoint import export
from realtime.training.distil import distil, reconstruct
from realtime.training.scene_cache import load
from realtime.training.settings import TrainingSettings
from realtime.training.teacher import CROP_MULTIPLE, draw
from realtime.training.trainer import TrainingResult

QUICK = TrainingSettings(steps=2, crop=32, batch=1, first_scenes=1, steps_per_scene=100)


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    """Small scenes, one to validate on, without a codec, so that they repeat to the bit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("realtime.training.distil.VALIDATION_SCENES", 1)
        patch.setattr("realtime.training.clip_sampler.SCENE_SIZE", (64, 96))
        patch.setattr("realtime.training.degradation.STILL_SHARE", 1.0)
        yield


def teacher(path: Path) -> Weights:
    return Weights(path.name, path, metered=True)


@pytest.fixture(scope="module")
def distilled(pictures: Path, tmp_path_factory: pytest.TempPathFactory, weights: Path) -> TrainingResult:
    """Two steps, taken once for all tests. To be read only."""
    return distil([pictures], teacher(weights), tmp_path_factory.mktemp("distilled") / "out", QUICK)


@pytest.fixture
def out(distilled: TrainingResult, tmp_path: Path) -> Path:
    """Their folder, to go on in."""
    return Path(shutil.copytree(distilled.weights.parent, tmp_path / "out"))


def weights_in(path: Path) -> list[Any]:
    return list(student.read(path).get_weights())


def test_engine_and_training_reconstruct_alike() -> None:
    random = np.random.default_rng(0)
    workspace = Workspace(64, 48)
    luma, blue, red = workspace.luma(), workspace.chroma(), workspace.chroma()
    for plane, low, high in ((luma, 0, TOP), (blue, -TOP // 8, TOP // 8), (red, -TOP // 8, TOP // 8)):
        plane[:] = cv2.GaussianBlur(random.integers(low, high, plane.shape, np.int16), (0, 0), 1)
    pyramid = workspace.decompose(luma, blue, red)
    output = random.normal(0, 0.2, (1, 6, 8, student_file.MAPS)).astype(np.float32)
    output[..., -student_file.NOISES :] += 2
    batch = {
        "luma": pyramid.luma[None, ..., None] / TOP,
        "gray": pyramid.quarter[None, ..., None],
        "eighth": pyramid.eighth[None, ..., None],
        "features": pyramid.features[None],
    }
    batch = {name: np.asarray(part, np.float32) for name, part in batch.items()}
    expected_luma, expected_chroma = (np.asarray(part)[0] for part in reconstruct(batch, output))
    planes = workspace.restore(pyramid, np.asarray(student.maps(keras.ops.convert_to_tensor(output)))[0]).planes()
    expected = (expected_luma[..., 0], expected_chroma[..., 0], expected_chroma[..., 1])
    for restored, wanted in zip(planes, expected, strict=True):
        assert abs(restored / TOP - np.clip(wanted, -1, 2)).max() < 1.5 / 255


def test_a_session_goes_on_where_the_last_one_ended(
    distilled: TrainingResult, pictures: Path, out: Path, weights: Path
) -> None:
    assert (distilled.steps, distilled.finished) == (2, True)
    assert np.isfinite(distilled.psnr)
    assert distil([pictures], teacher(weights), out, replace(QUICK, steps=4)).steps == 4
    lines = (out / "curve.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["step", "2", "4"]


def test_the_result_is_the_teachers_student(distilled: TrainingResult, tmp_path: Path, weights: Path) -> None:
    mine = Path(shutil.copy(weights, tmp_path / "mine.h5"))
    shutil.copy(distilled.weights, tmp_path / "mine.fast.h5")
    student.load(teacher(mine))
    mine.write_bytes(weights.read_bytes() + b"\0")
    with pytest.raises(WeightsError, match="other weights"):
        student.load(teacher(mine))


def test_the_same_seed_makes_the_same_student(
    distilled: TrainingResult, pictures: Path, tmp_path: Path, weights: Path
) -> None:
    for name in ("targets", "held-out-targets"):  # the network that makes the same targets takes seconds to build
        shutil.copytree(distilled.weights.parent / name, tmp_path / "again" / name)
    again = distil([pictures], teacher(weights), tmp_path / "again", QUICK)
    targets = list((tmp_path / "again" / "targets").iterdir())
    assert targets
    for target in targets:
        one, other = (load(result.weights.parent / "scenes" / target.name) for result in (distilled, again))
        np.testing.assert_array_equal(one.fine.luma, other.fine.luma)
    for one, other in zip(weights_in(distilled.weights), weights_in(again.weights), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_it_can_begin_with_another_student(pictures: Path, out: Path, tmp_path: Path, weights: Path) -> None:
    before = student.build()
    before.set_weights([np.full_like(array, 0.01 * index) for index, array in enumerate(before.get_weights())])
    export(tmp_path / "before.h5", before)
    for state in out.glob("state.npz*"):
        state.unlink()
    settings = replace(QUICK, steps=1)
    result = distil([pictures], teacher(weights), out, settings, start_from=tmp_path / "before.h5")
    # One step of Adam in its warm-up moves no weight by more than a hundredth of the rate.
    for one, other in zip(weights_in(result.weights), before.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)


def test_a_beginning_that_is_no_student_is_refused(pictures: Path, tmp_path: Path, weights: Path) -> None:
    with pytest.raises(WeightsError, match="a student of MBLLEN"):
        distil([pictures], teacher(weights), tmp_path / "out", QUICK, start_from=tmp_path / "none.h5")


@pytest.mark.parametrize("changed", [{"lifted": False}, {"settings": replace(QUICK, seed=1)}])
def test_another_teacher_or_seed_is_refused(pictures: Path, out: Path, weights: Path, changed: dict[str, Any]) -> None:
    with pytest.raises(TrainingError, match=r"was begun with (exposure auto|seed 0), not (off|1)"):
        distil([pictures], teacher(weights), out, **{"settings": QUICK} | changed)


@pytest.mark.parametrize("crop", [0, 8, 40, 4096])
def test_a_crop_that_does_not_divide_is_refused(pictures: Path, tmp_path: Path, weights: Path, crop: int) -> None:
    with pytest.raises(TrainingError, match=f"crop {crop} must be .* multiple of {CROP_MULTIPLE}"):
        distil([pictures], teacher(weights), tmp_path / "out", replace(QUICK, crop=crop))


def test_crops_of_all_parts_show_the_same_pixels(tmp_path: Path) -> None:
    index = np.arange(64 * 96, dtype=np.float32).reshape(64, 96, 1) / 8192
    np.savez(tmp_path / "a.npz", luma=index, eighth=index[::8, ::8])
    for number in range(8):
        batch = draw([tmp_path / "a.npz"], 1, 32, np.random.default_rng(number))
        corners = {float(batch["luma"][0, y, x, 0]) for y in (0, -1, 7, -8) for x in (0, -1, 7, -8)}
        assert batch["eighth"].shape == (1, 4, 4, 1)
        assert float(batch["eighth"][0, 0, 0, 0]) in corners
