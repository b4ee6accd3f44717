"""The fast engine: any picture in, the developed and restored one out, and only with the weights it was made for."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st
from realtime.enhance.engines.fast import student

from realtime.enhance.color_ops import sample_scale
from realtime.enhance.engines.fast.engine import LEVELS, FastEngine
from realtime.enhance.engines.fast.pyramid import GRID, Workspace, apply_lut
from realtime.enhance.engines.fast.tone_lut import STEPS, TOP, ChromaDeveloper, tone_luts
from realtime.enhance.enhancer import Enhancer
from realtime.enhance.exposure.meter import apply_exposure, suppress_false_chroma
from realtime.enhance.weights import Weights
from realtime.errors import WeightsError
from realtime.frame import RGB, Frame, PixelFormat, StreamInfo
from realtime.training.checkpoint import export

FAST: dict[str, Any] = synthetic.QUICK | {"engine": "fast"}
VIDEO = PixelFormat("yuv", 8, (2, 2), "bt709", full_range=False)
FORMATS = [
    VIDEO,
    PixelFormat("yuv", 8, (1, 1), "bt601", full_range=True),
    PixelFormat("yuv", 8, (2, 1), "bt709", full_range=False),
    PixelFormat("yuv", 8, (4, 1), "bt601", full_range=False),
    PixelFormat("yuv", 10, (2, 2), "bt2020", full_range=False),
    PixelFormat("yuv", 16, (1, 1), "bt709", full_range=True),
    PixelFormat("gray", 8),
    PixelFormat("gray", 12),
    RGB,
]


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Weights:
    """Weights with a student beside them that leaves the developed picture as it is."""
    folder = tmp_path_factory.mktemp("taught")
    mine = Weights("mine.weights.h5", Path(shutil.copy(weights, folder / "mine.weights.h5")), metered=True)
    nothing = student.build()
    nothing.set_weights([np.zeros_like(array) for array in nothing.get_weights()])
    export(folder / "mine.weights.fast.h5", nothing)
    student.sign(folder / "mine.weights.fast.h5", mine)
    return mine


@pytest.fixture(scope="module")
def enhancer(taught: Weights) -> Enhancer:
    return Enhancer(taught.path, **FAST)


def info(width: int, height: int, format: PixelFormat = VIDEO, **more: Any) -> StreamInfo:
    return StreamInfo(width, height, format, **more)


def frame(width: int, height: int, format: PixelFormat = VIDEO, level: float | None = None, seed: int = 0) -> Frame:
    """Smooth content, so that chroma at a quarter of the size can hold it, or one level 0..1 all over."""
    random = np.random.default_rng(seed)
    top = (1 << format.bits) - 1
    planes = []
    for place, shape in enumerate(format.shapes(width, height)):
        if level is not None:
            planes.append(np.full(shape[:2], int((level if place == 0 else 0.502) * top), format.dtype))
            continue
        low, high = (0.3, 0.6) if place == 0 else (0.48, 0.53)
        slope = np.linspace(low, high, shape[1])[None, :] + np.zeros(shape[:2]) + random.normal(0, 0.002)
        planes.append((slope * top).astype(format.dtype))
    if format.model == "rgb":
        planes = [np.repeat(planes[0][..., None], 3, axis=2)]
    return Frame(tuple(planes), format)


@pytest.mark.parametrize("format", FORMATS, ids=str)
@pytest.mark.parametrize("size", [(64, 48), (61, 43)], ids=str)
def test_nothing_to_restore_and_no_gain_is_the_input(
    enhancer: Enhancer, format: PixelFormat, size: tuple[int, int]
) -> None:
    """Up to the last row and column, also where the sides are extended to divide."""
    given_ = frame(*size, format)
    made = enhancer.prepare(info(*size, format), rgb=format == RGB)
    answer = enhancer.enhance([given_])[0]
    assert answer.format == made.format
    if format.model == "rgb":
        assert abs(answer.planes[0].astype(int) - given_.planes[0]).max() <= 2
        return
    offset, span, middle, reach = sample_scale(format.bits, format.full_range)
    low, wide, centre, wings = sample_scale(answer.format.bits, answer.format.full_range)
    # Half a level for rounding to 8 bits, and a step (1/32) of the fixed point for rounding to that.
    assert abs(answer.planes[0] - ((given_.planes[0] - offset) / span * wide + low)).max() <= 0.5 + 1 / STEPS
    for before, after in zip(given_.planes[1:], answer.planes[1:]):
        assert abs(after.mean() - ((before.mean() - middle) / reach * wings + centre)) < 0.5


@settings(max_examples=15)
@given(width=st.integers(1, 70), height=st.integers(1, 70), rgb=st.booleans(), source=st.sampled_from(FORMATS))
def test_every_size_keeps_its_size(enhancer: Enhancer, width: int, height: int, rgb: bool, source: PixelFormat) -> None:
    enhancer.prepare(info(width, height, source), rgb=rgb)
    answer = enhancer.enhance([frame(width, height, source)])[0]
    assert (answer.width, answer.height) == (width, height)


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (7680, 4320)], ids=str)
def test_extreme_sizes(enhancer: Enhancer, size: tuple[int, int]) -> None:
    enhancer.prepare(info(*size), rgb=False)
    given_ = frame(*size, level=0.5)
    answer = enhancer.enhance([given_])[0]
    assert (answer.width, answer.height) == size
    assert all(cv2.absdiff(before, after).max() <= 1 for before, after in zip(given_.planes, answer.planes))
    enhancer._programs.clear()


@pytest.mark.parametrize("level", [0.0, 16 / 255, 235 / 255, 1.0])
def test_black_and_white_stay(taught: Weights, level: float) -> None:
    metered = Enhancer(taught.path, **FAST | {"exposure": 3})
    metered.prepare(info(40, 24), rgb=False)
    given_ = frame(40, 24, level=level)
    made = metered.enhance([given_])[0].planes[0]
    wanted = min(max(given_.planes[0][0, 0], 16), 235)
    assert abs(made.astype(int) - wanted).max() <= 13  # the shoulder lands white at 0.948


def test_a_stream_may_change_its_size(enhancer: Enhancer) -> None:
    enhancer.prepare(info(64, 48), rgb=False)
    sizes = [(64, 48), (32, 40), (64, 48)]
    made = [enhancer.enhance([frame(*size)])[0] for size in sizes]
    assert [(f.width, f.height) for f in made] == sizes
    both = enhancer.enhance([frame(*size) for size in sizes[:2]])
    assert [(f.width, f.height) for f in both] == sizes[:2]


@pytest.mark.parametrize("exposure", [(1.0, 1.0), (5.0, 0.3), (30.0, 0.9)])
def test_tables_develop_as_the_meter_does(exposure: tuple[float, float]) -> None:
    random = np.random.default_rng(0)
    rgb = (random.random((1, 48, 64, 3)) ** 3).astype(np.float32)
    rgb[:, :20] *= 0.1
    gain, white = (np.array([value], np.float32) for value in exposure)
    wanted = np.asarray(apply_exposure(suppress_false_chroma(rgb, gain), gain, white))[0]
    weights = np.array([0.2126, 0.7152, 0.0722], np.float32)

    def planes(picture: Any) -> list[Any]:
        luma = picture @ weights
        return [luma, (picture[..., 2] - luma) / (2 - 2 * 0.0722), (picture[..., 0] - luma) / (2 - 2 * 0.2126)]

    curve = tone_luts(PixelFormat("yuv", 8, (1, 1), "bt709"))(*exposure)
    luma, blue, red = planes(rgb[0])
    made = ChromaDeveloper(48, 64, "bt709")(luma, blue, red, curve)
    assert max(abs(a - b).max() for a, b in zip(made, planes(wanted))) < 1.5 / 255


def test_a_pyramid_goes_together_again() -> None:
    canvas, curve = Workspace(70, 50, "bt709"), tone_luts(VIDEO)(4.0, 0.5)
    random = np.random.default_rng(1)
    samples = random.integers(16, 235, (50, 70), np.uint8)
    blue, red = (apply_lut(np.full((25, 35), 128, np.uint8), curve.chroma, canvas.chroma()) for _ in range(2))
    pyramid = canvas.decompose(samples, blue, red, curve)
    assert (canvas.tall % GRID, canvas.wide % GRID) == (0, 0)
    nothing = np.asarray(student.maps(np.zeros((7, 9, student.MAPS), np.float32)))
    wanted = curve.luma[samples] / TOP
    luma, _, _ = canvas.reconstruct(pyramid, nothing)
    # The gray that colors make differs a little from the curve's mean over 16 pixels, where it bends.
    assert abs(luma[:50, :70] / TOP - wanted).mean() < 0.03


def test_noise_goes_and_letters_stay() -> None:
    canvas, curve = Workspace(128, 64, "bt709"), tone_luts(VIDEO)(1.0, 1.0)
    random = np.random.default_rng(2)
    clean = np.full((64, 128), 60, np.uint8)
    cv2.putText(clean, "NIGHT", (66, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 160, 1)
    noisy = np.clip(np.rint(clean + random.normal(0, 2, clean.shape)), 0, 255).astype(np.uint8)
    blue, red = (apply_lut(np.full((32, 64), 128, np.uint8), curve.chroma, canvas.chroma()) for _ in range(2))
    answer = np.zeros((8, 16, student.MAPS), np.float32)
    answer[..., -student.NOISES :] = np.log(2 / 255 / student.NOISE)
    luma, _, _ = canvas.reconstruct(canvas.decompose(noisy, blue, red, curve), np.asarray(student.maps(answer)))
    wanted, given_ = curve.luma[clean] / TOP * 255, curve.luma[noisy] / TOP * 255
    flat, made = np.s_[:, :56], luma / TOP * 255
    assert (made - wanted)[flat].std() < 0.5 * (given_ - wanted)[flat].std()
    letters = wanted > wanted.min() + 40
    assert made[letters].mean() > wanted[letters].mean() - 4


def test_strength_blends_with_the_input(taught: Weights) -> None:
    none = Enhancer(taught.path, strength=0.0, **FAST | {"exposure": 4})
    none.prepare(info(64, 48), rgb=False)
    given_ = frame(64, 48)
    for before, after in zip(given_.planes, none.enhance([given_])[0].planes):
        np.testing.assert_array_equal(before, after)


def test_every_level_answers_and_old_maps_are_kept(taught: Weights) -> None:
    engine = FastEngine(taught, "cpu", "float32", metered=True)
    enhancer = Enhancer(taught.path, **FAST)
    enhancer.engine = enhancer._engines["fast"] = engine
    asked: list[tuple[int, ...]] = []
    whole = engine.maps
    engine.maps = lambda seen: (asked.append(seen.shape), whole(seen))[1]  # type: ignore[method-assign, func-returns-value]
    enhancer.prepare(info(128, 64), rgb=False)
    for level, (every, smaller) in enumerate(LEVELS):
        engine.restart()
        engine.level = level
        asked.clear()
        enhancer.enhance([frame(128, 64) for _ in range(2 * every)])
        assert asked == [(16 // smaller, 32 // smaller, student.INPUTS)] * 2
    engine.level = len(LEVELS) - 1
    asked.clear()
    enhancer.enhance([frame(128, 64), frame(128, 64, level=0.9)])
    assert asked, "a cut asks for new maps at once"


def test_two_side_by_side_are_as_one_after_the_other(taught: Weights) -> None:
    made = []
    for batch in (1, 2):
        enhancer = Enhancer(taught.path, batch=batch, **FAST | {"exposure": 3})
        enhancer.prepare(info(70, 50), rgb=False)
        frames = [frame(70, 50, seed=n) for n in range(5)]
        given_ = [frames[at : at + batch] for at in range(0, 5, batch)]
        made.append([plane for some in given_ for one in enhancer.enhance(some) for plane in one.planes])
    assert all(np.array_equal(a, b) for a, b in zip(*made, strict=True))


def test_pictures_of_a_call_know_nothing_of_each_other(enhancer: Enhancer) -> None:
    pictures = np.stack([frame(32, 32, RGB, seed=n).planes[0] for n in range(2)])
    together = enhancer(pictures)
    alone = enhancer(pictures[1:])
    np.testing.assert_array_equal(together[1], alone[0])


def test_a_missing_student_is_said(weights: Path) -> None:
    with pytest.raises(WeightsError, match=r"have no student .*realtime distil .*--engine exact"):
        Enhancer(weights, **FAST)


def test_a_student_of_other_weights_is_refused(taught: Weights, tmp_path: Path) -> None:
    other = tmp_path / "other.weights.h5"
    other.write_bytes(taught.path.read_bytes() + b"\0")
    shutil.copy(taught.path.with_suffix(".fast.h5"), tmp_path / "other.weights.fast.h5")
    with pytest.raises(WeightsError, match=r"distilled from other weights"):
        Enhancer(other, **FAST)


@pytest.mark.parametrize("content", [b"", b"not HDF5 at all"])
def test_a_file_that_is_no_student_is_refused(taught: Weights, tmp_path: Path, content: bytes) -> None:
    shutil.copy(taught.path, tmp_path / "mine.weights.h5")
    (tmp_path / "mine.weights.fast.h5").write_bytes(content)
    with pytest.raises(WeightsError, match=r"does not hold a student"):
        Enhancer(tmp_path / "mine.weights.h5", **FAST)
