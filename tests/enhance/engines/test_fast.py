"""The fast engine: what it restores, how often it computes maps, and only with the weights that it was made for."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import streams
import synthetic
from streams import FORMATS, RATE, VIDEO, flat, info, smooth

from realtime import Enhancer, PixelFormat, WeightsError
from realtime.color import sample_scale
from realtime.enhance.engines.base import FrameBatch, ProgramSpec
from realtime.enhance.engines.fast import student, student_file
from realtime.enhance.engines.fast.engine import LEVELS, FastEngine
from realtime.enhance.engines.fast.opencv_student import OpenCVStudent
from realtime.enhance.engines.fast.pyramid import GRID, TOP, Workspace, pad_edge
from realtime.enhance.engines.fast.student import TensorFlowStudent
from realtime.enhance.engines.registry import abilities
from realtime.enhance.exposure.fine import STEPS
from realtime.enhance.weights import find
from realtime.frame import RGB

FAST: dict[str, Any] = synthetic.QUICK | {"engine": "fast"}


@pytest.fixture(scope="module")
def fast(student_weights: Path) -> Enhancer:
    """Nothing is lifted and nothing restored."""
    return Enhancer(weights=student_weights, **FAST)


@pytest.mark.parametrize("format", FORMATS, ids=str)
@pytest.mark.parametrize("size", [(64, 48), (61, 43)], ids=str)
def test_nothing_to_restore_and_no_lift_is_the_input(
    fast: Enhancer, format: PixelFormat, size: tuple[int, int]
) -> None:
    """Up to the last row and column, also where the sides are extended to the grid."""
    target = RGB if format == RGB else VIDEO
    before = smooth(*size, format)
    (after,) = fast.session(info(*size, format), target).process([before])
    if format.model == "rgb":
        assert np.abs(after.planes[0].astype(int) - before.planes[0]).max() <= 2
        return
    offset, span, middle, reach = sample_scale(format.bits, format.full_range)
    low, wide, neutral, swing = sample_scale(target.bits, target.full_range)
    # Half a level for rounding to 8 bits, and a step (1/32) for rounding to fixed point.
    expected = (before.planes[0] - offset) / span * wide + low
    assert np.abs(after.planes[0] - expected).max() <= 0.5 + 1 / STEPS
    for old, new in zip(before.planes[1:], after.planes[1:]):
        assert abs(new.mean() - ((old.mean() - middle) / reach * swing + neutral)) < 0.5


@pytest.fixture
def planes() -> tuple[Workspace, Any]:
    """A workspace, and random luma and neutral chroma on its grid."""
    workspace = Workspace(70, 50)
    luma = workspace.luma()
    luma[:50, :70] = np.random.default_rng(1).integers(0, TOP, (50, 70), np.int16)
    chroma = [np.zeros_like(workspace.chroma()) for _ in range(2)]
    return workspace, (pad_edge(luma, 50, 70), *chroma)


def maps(**logarithms: float) -> Any:
    """Maps that restore nothing but what is given: `noise`, the logarithm of all noises."""
    output = np.zeros((8, 16, student_file.MAPS), np.float32)
    output[..., -student_file.NOISES :] = logarithms.get("noise", 0.0)
    return np.asarray(student.maps(output))


def test_a_pyramid_is_reconstructed(planes: tuple[Workspace, Any]) -> None:
    workspace, (luma, blue, red) = planes
    expected = luma.copy()
    pyramid = workspace.decompose(luma, blue, red)
    assert (workspace.tall % GRID, workspace.wide % GRID) == (0, 0)
    nothing = np.asarray(student.maps(np.zeros((7, 9, student_file.MAPS), np.float32)))
    restored, *chroma = workspace.restore(pyramid, nothing).planes()
    assert np.abs(restored - expected).max() <= 4  # an eighth of a level
    assert all(np.abs(plane).max() <= 1 for plane in chroma)


def test_noise_goes_and_letters_stay() -> None:
    workspace = Workspace(128, 64)
    random = np.random.default_rng(2)
    clean = np.full((64, 128), 60, np.uint8)
    cv2.putText(clean, "NIGHT", (66, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 160, 1)
    noisy = np.clip(np.rint(clean + random.normal(0, 2, clean.shape)), 0, 255)
    workspace.luma()[:] = noisy * STEPS
    pyramid = workspace.decompose(workspace.luma(), np.zeros((32, 64), np.int16), np.zeros((32, 64), np.int16))
    restored = workspace.restore(pyramid, maps(noise=np.log(2 / 255 / student_file.NOISE))).planes()[0] / STEPS
    ground = np.s_[:, :56]
    assert (restored - clean)[ground].std() < 0.5 * (noisy - clean)[ground].std()
    letters = clean > clean.min() + 40
    assert restored[letters].mean() > clean[letters].mean() - 4


# How often maps are computed.


@pytest.fixture
def asked(student_weights: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[FastEngine, list[tuple[int, ...]]]:
    """An engine, and the shapes of the features that it computed maps for."""
    engine = FastEngine(find(student_weights), "cpu", "float32")
    shapes: list[tuple[int, ...]] = []
    compute = engine.maps

    def noting(features: Any) -> Any:
        shapes.append(features.shape)
        return compute(features)

    monkeypatch.setattr(engine, "maps", noting)
    return engine, shapes


@pytest.mark.parametrize("size", [(128, 64), (70, 50), (2, 2)], ids=str)
@pytest.mark.parametrize("level", range(len(LEVELS)))
def test_a_lower_level_computes_fewer_and_smaller_maps(
    asked: tuple[FastEngine, list[tuple[int, ...]]], level: int, size: tuple[int, int]
) -> None:
    engine, shapes = asked
    program = engine.program(ProgramSpec(*size, 1, VIDEO, VIDEO))
    state = program.new_state()
    shapes.clear()
    for index in range(RATE):
        program(FrameBatch.of([replace(smooth(*size), pts=index)]), 1.0, state, level)
    interval, smaller = LEVELS[level]
    quarter = [-(-side // GRID) * 2 for side in size[::-1]]
    expected = [max(2, round(side / smaller / 2) * 2) for side in quarter]
    assert shapes == [(*expected, student_file.INPUTS)] * len(np.arange(0, 1, interval))


def test_a_cut_asks_for_new_maps_at_once(asked: tuple[FastEngine, list[tuple[int, ...]]]) -> None:
    engine, shapes = asked
    program = engine.program(ProgramSpec(64, 48, 1, VIDEO, VIDEO))
    state = program.new_state()
    counts = []
    for index, level in enumerate([60, 60, 200, 200, 60]):
        shapes.clear()
        program(FrameBatch.of([flat(64, 48, level=level, index=index)]), 1.0, state)
        counts.append(len(shapes))
    assert counts == [1, 0, 1, 0, 1]


def test_the_registry_knows_the_levels() -> None:
    assert abilities("fast").levels == len(LEVELS)


# Weights without a student, or with another's.


def test_a_missing_student_is_reported_with_what_makes_one(weights: Path) -> None:
    with pytest.raises(WeightsError, match=r"have no student .*realtime distil .*engine=exact"):
        Enhancer(weights=weights, **FAST)


def test_a_student_of_other_weights_is_refused(student_weights: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.weights.h5"
    other.write_bytes(student_weights.read_bytes() + b"\0")
    shutil.copy(find(student_weights).student_path, find(other).student_path)
    with pytest.raises(WeightsError, match=r"distilled from other weights"):
        Enhancer(weights=other, **FAST)


@pytest.mark.parametrize("content", [b"", b"not HDF5 at all"])
def test_a_file_that_is_no_student_is_refused(student_weights: Path, tmp_path: Path, content: bytes) -> None:
    path = Path(shutil.copy(student_weights, tmp_path / "mine.weights.h5"))
    find(path).student_path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"does not hold a student"):
        Enhancer(weights=path, **FAST)


def test_a_student_that_was_altered_is_refused(student_weights: Path, tmp_path: Path) -> None:
    """A file cut short, and one whose numbers are not finite."""
    import h5py

    path = Path(shutil.copy(student_weights, tmp_path / "mine.weights.h5"))
    copy = Path(shutil.copy(find(student_weights).student_path, find(path).student_path))
    whole = copy.read_bytes()
    copy.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WeightsError, match=r"student") as caught:
        Enhancer(weights=path, **FAST)
    assert "\n" not in str(caught.value)
    copy.write_bytes(whole)
    with h5py.File(copy, "a") as file:
        file["maps_0"]["maps_0/bias:0"][0] = np.nan
    with pytest.raises(WeightsError, match=r"not a finite number"):
        Enhancer(weights=path, **FAST)


def test_strength_0_converts_alone(student_weights: Path) -> None:
    """Another output format than the input's: the plain picture in that format."""
    none = Enhancer(weights=student_weights, strength=0.0, **FAST | {"exposure": 4})
    full = replace(VIDEO, full_range=True)
    (after,) = none.session(info(64, 48), full).process([flat(64, 48, level=126)])
    assert streams.difference([after], [flat(64, 48, full, level=128)]) <= 1


@pytest.mark.parametrize("size", [(2, 2), (6, 10), (34, 62)], ids=str)
def test_opencv_computes_what_tensorflow_does(size: tuple[int, int]) -> None:
    """With the bundled weights, whose layers are all at work."""
    random = np.random.default_rng(3)
    features = random.uniform(0, 0.4, (*size, student_file.INPUTS)).astype(np.float32)
    expected = TensorFlowStudent(find("night"), "cpu", "float32")(features)
    found = OpenCVStudent(find("night"))(features)
    assert found.shape == expected.shape == (size[0] // 2, size[1] // 2, student_file.MAPS)
    assert expected.std(axis=(0, 1)).max() > 0.001 or size == (2, 2), "maps that differ from place to place"
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_threads_that_share_a_student_get_their_own_maps() -> None:
    shared = OpenCVStudent(find("night"))
    features = [np.full((90, 160, student_file.INPUTS), level, np.float32) for level in (0.05, 0.1, 0.2, 0.4)]
    alone = [OpenCVStudent(find("night"))(given) for given in features]
    with ThreadPoolExecutor(4) as workers:
        together = list(workers.map(shared, features * 5))
    for found, expected in zip(together, alone * 5):
        np.testing.assert_array_equal(found, expected)
