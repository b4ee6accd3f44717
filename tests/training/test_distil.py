"""Distilling: the student of the engine, taught in as many sittings as it takes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import pytest
from realtime.enhance.engines.fast import student

from realtime.enhance.engines.fast.pyramid import Workspace, apply_lut
from realtime.enhance.engines.fast.tone_lut import TOP, curves
from realtime.enhance.weights import Weights
from realtime.errors import TrainingError, WeightsError
from realtime.training import data
from realtime.training.checkpoint import export
from realtime.training.distil import distil, reconstruct
from realtime.training.teacher import FORMAT, GRID, draw
from realtime.training.trainer import Outcome

QUICK: dict[str, Any] = {"batch": 1, "crop": 32, "first_scenes": 1, "steps_per_scene": 100}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for index in range(2):
        smooth = cv2.resize(random.integers(0, 255, (6, 8, 3), dtype=np.uint8), (400, 300))
        cv2.imwrite(str(made / f"picture{index}.png"), smooth)
    return made


@pytest.fixture(scope="module", autouse=True)
def small(without_codec: None) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("realtime.training.distil.JUDGE_SCENES", 1)
        patch.setattr("realtime.training.data.SCENE", (64, 96))
        yield


def teacher(path: Path) -> Weights:
    return Weights(path.name, path, metered=True)


@pytest.fixture(scope="module")
def taught(folder: Path, tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Outcome:
    """Two steps, taken once for all tests. To be read only."""
    return distil([folder], teacher(weights), tmp_path_factory.mktemp("taught") / "out", steps=2, **QUICK)


@pytest.fixture
def out(taught: Outcome, tmp_path: Path) -> Path:
    """Their folder, to go on in."""
    return Path(shutil.copytree(taught.weights.parent, tmp_path / "out"))


def weights_in(path: Path) -> list[Any]:
    return list(student.read(path).get_weights())


def test_the_engine_and_the_lesson_put_together_alike() -> None:
    random = np.random.default_rng(0)
    height, width = 48, 64
    canvas, curve = Workspace(width, height, "bt709"), curves(FORMAT)(3.0, 0.5)
    luma = cv2.GaussianBlur(random.integers(16, 235, (height, width), np.uint8), (0, 0), 1)
    chroma = [cv2.GaussianBlur(random.integers(90, 160, (24, 32), np.uint8), (0, 0), 1) for _ in range(2)]
    blue, red = (apply_lut(plane, curve.chroma, canvas.chroma()) for plane in chroma)
    pyramid = canvas.decompose(luma, blue, red, curve)
    answer = random.normal(0, 0.2, (1, 6, 8, student.MAPS)).astype(np.float32)
    answer[..., -student.NOISES :] += 2
    batch = {
        "luma": pyramid.luma[None, ..., None] / TOP,
        "gray": pyramid.gray[None, ..., None] / TOP,
        "eighth": pyramid.eighth[None, ..., None],
        "seen": pyramid.seen[None],
    }
    batch = {name: np.asarray(part, np.float32) for name, part in batch.items()}
    wanted = [np.asarray(part)[0] for part in reconstruct(batch, answer)]
    made = canvas.reconstruct(pyramid, np.asarray(student.maps(keras.ops.convert_to_tensor(answer)))[0])
    for ours, theirs in zip((made[0], *made[1:]), (wanted[0][..., 0], wanted[1][..., 0], wanted[1][..., 1])):
        assert abs(ours / TOP - np.clip(theirs, -1, 2)).max() < 1.5 / 255


def test_a_sitting_goes_on_where_the_last_one_ended(taught: Outcome, folder: Path, out: Path, weights: Path) -> None:
    assert (taught.steps, taught.finished) == (2, True)
    assert np.isfinite(taught.psnr)
    second = distil([folder], teacher(weights), out, steps=4, **QUICK)
    assert second.steps == 4
    lines = (out / "curve.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["step", "2", "4"]


def test_what_it_makes_is_the_teachers_student(taught: Outcome, tmp_path: Path, weights: Path) -> None:
    mine = Path(shutil.copy(weights, tmp_path / "mine.weights.h5"))
    shutil.copy(taught.weights, tmp_path / "mine.weights.fast.h5")
    student.load(teacher(mine))
    mine.write_bytes(weights.read_bytes() + b"\0")
    with pytest.raises(WeightsError, match="other weights"):
        student.load(teacher(mine))


def test_the_same_seed_makes_the_same_student(taught: Outcome, folder: Path, tmp_path: Path, weights: Path) -> None:
    for name in ("answers", "held-out-answers"):  # the network that answers the same scenes takes seconds to build
        shutil.copytree(taught.weights.parent / name, tmp_path / "again" / name)
    again = distil([folder], teacher(weights), tmp_path / "again", steps=2, **QUICK)
    for answer in (tmp_path / "again" / "answers").iterdir():
        one, other = (data.load(made.weights.parent / "scenes" / answer.name) for made in (taught, again))
        np.testing.assert_array_equal(one.recorded, other.recorded)
    for one, other in zip(weights_in(taught.weights), weights_in(again.weights), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_it_begins_with_a_student_of_before(folder: Path, out: Path, tmp_path: Path, weights: Path) -> None:
    before = student.build()
    before.set_weights([np.full_like(array, 0.01 * place) for place, array in enumerate(before.get_weights())])
    export(tmp_path / "before.h5", before)
    for state in out.glob("state.npz*"):
        state.unlink()
    made = distil([folder], teacher(weights), out, start_from=tmp_path / "before.h5", steps=1, **QUICK)
    # One step of Adam in its warm-up moves no weight by more than a hundredth of the rate.
    for one, other in zip(weights_in(made.weights), before.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)


def test_a_beginning_that_is_no_student_is_refused(folder: Path, tmp_path: Path, weights: Path) -> None:
    with pytest.raises(WeightsError, match="does not hold a student"):
        distil([folder], teacher(weights), tmp_path / "out", start_from=tmp_path / "none.h5", **QUICK)


def test_another_teacher_is_refused(folder: Path, out: Path, weights: Path) -> None:
    with pytest.raises(TrainingError, match="begun with another teacher"):
        distil([folder], teacher(weights), out, metered=False, steps=1, **QUICK)


@pytest.mark.parametrize("crop", [0, 8, 40, 4096])
def test_a_crop_that_does_not_divide_is_refused(folder: Path, tmp_path: Path, weights: Path, crop: int) -> None:
    with pytest.raises(TrainingError, match=f"crop of {crop} is not a multiple of {GRID}"):
        distil([folder], teacher(weights), tmp_path / "out", **QUICK | {"crop": crop})


def test_crops_of_all_parts_show_the_same_place(tmp_path: Path) -> None:
    place = np.arange(64 * 96, dtype=np.float32).reshape(64, 96, 1) / 8192
    np.savez(tmp_path / "a.npz", luma=place, eighth=place[::8, ::8])
    for number in range(8):
        batch = draw([tmp_path / "a.npz"], 1, 32, np.random.default_rng(number))
        corners = {float(batch["luma"][0, y, x, 0]) for y in (0, -1, 7, -8) for x in (0, -1, 7, -8)}
        assert batch["eighth"].shape == (1, 4, 4, 1)
        assert float(batch["eighth"][0, 0, 0, 0]) in corners
