"""The compiled passes against the formulas they are made from, in float."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from realtime import Enhancer
from realtime.enhance.engines.fast import output, student, student_file
from realtime.enhance.engines.fast.native_student import NativeStudent
from realtime.enhance.engines.fast.opencv_student import OpenCVStudent
from realtime.enhance.engines.fast.pyramid import TOP, Restored, Workspace
from realtime.enhance.exposure.buffers import Buffers
from realtime.enhance.exposure.dark import Dark
from realtime.enhance.exposure.fine import STEPS, Fine, sample_planes, to_fine, to_samples
from realtime.enhance.exposure.light import LANDING, ExposureMap, even, lift
from realtime.enhance.exposure.passes import remember_and_lift
from realtime.enhance.native import functions, library
from realtime.enhance.weights import find
from realtime.frame import RGB, Frame, PixelFormat, StreamInfo
from realtime.training.checkpoint import export

#: Sizes, width first: cells that divide the plane, cells that do not, and less than a vector.
SIZES = ((160, 120), (90, 61), (7, 5), (1, 1))
FORMATS = (
    PixelFormat("yuv", 8, (2, 2), "bt709", full_range=False),
    PixelFormat("yuv", 10, (1, 1), "bt2020", full_range=True),
    PixelFormat("gray", 16, (1, 1), "bt709", full_range=False),
    RGB,
)


def random_planes(format: PixelFormat, size: tuple[int, int], seed: int) -> tuple[Any, ...]:
    random = np.random.default_rng(seed)
    return tuple(random.integers(0, 1 << format.bits, shape).astype(format.dtype) for shape in format.shapes(*size))


def over(values: Any, plane: Any) -> Any:
    """A map over a plane, in float."""
    return cv2.resize(np.asarray(values, np.float32), plane.shape[::-1], interpolation=cv2.INTER_LINEAR)


def blended(old: Fine, new: Fine, share: Any) -> list[Any]:
    return [
        None if before is None or now is None else before + over(share, before) * (now.astype(np.float32) - before)
        for before, now in zip(old, new)
    ]


@pytest.mark.parametrize("format", FORMATS, ids=lambda format: f"{format.model}{format.bits}")
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_mean_of_frames(format: PixelFormat, size: tuple[int, int], native: bool) -> None:
    before, now = (random_planes(format, size, seed) for seed in (1, 2))
    old, new = to_fine(before, format), to_fine(now, format)
    share = np.random.default_rng(3).uniform(0, 1, (4, 3)).astype(np.float32)
    expected = blended(old, new, share)
    found = remember_and_lift(old, old, sample_planes(now, format), share, even(0.0), None, Buffers())
    # OpenCV has the share in 1/256.
    tolerance = 1.5 if native else 255 * STEPS / 256
    for mean, wanted in zip(found, expected):
        assert (mean is None) == (wanted is None)
        if mean is not None:
            assert np.abs(mean - wanted).max() <= tolerance


@pytest.mark.parametrize("white", [255.0, 269.0, 420.0])
@pytest.mark.parametrize("dark", [False, True])
def test_the_lift(white: float, dark: bool, native: bool) -> None:
    random = np.random.default_rng(4)
    format, size = FORMATS[0], (160, 120)
    now = random_planes(format, size, 5)
    new = to_fine(now, format)
    stops = random.uniform(0, 4, (15, 20)).astype(np.float32)
    exposure = ExposureMap(stops, random.uniform(1, 3, (15, 20)).astype(np.float32), 0.0, white)
    keep = random.uniform(0, 1, (15, 20)).astype(np.float32)
    empty = Dark(keep, (1 - keep) * np.float32(3)) if dark else None
    room = Fine(*(np.empty_like(plane) for plane in new))
    found = remember_and_lift(room, room, sample_planes(now, format), None, exposure, empty, Buffers())
    luma = new.luma / np.float32(STEPS)
    gain = over(exposure.gains, luma)
    if empty is None:
        wanted = lift(luma, gain, white)
        assert np.abs(found.luma / STEPS - wanted).max() < (0.1 if native else 1)
    else:
        # What is kept of a place is lifted as it would be alone.
        base = (over(exposure.gains * keep, luma) * luma + over(exposure.gains * empty.level, luma)) / gain
        below = luma < 185  # what is bright is no place without signal
        assert np.abs(found.luma / STEPS - lift(base, gain, white))[below].max() < (0.1 if native else 1)
    for plane, old in ((found.blue, new.blue), (found.red, new.red)):
        assert plane is not None
        assert old is not None
        wanted = np.clip(old * over(exposure.color, old), -32768, 32767)
        assert np.abs(plane - wanted).max() <= (1 if native else 0.02 * np.abs(wanted).max())


def test_a_picture_of_one_sample(native: bool) -> None:
    format = FORMATS[0]
    planes = tuple(np.full((1, 1), level, np.uint8) for level in (200, 100, 150))
    assert [plane.tolist() for plane in to_samples(to_fine(planes, format), format)] == [[[200]], [[100]], [[150]]]
    room = Fine(*(np.empty((1, 1), np.int16) for _ in planes))
    found = remember_and_lift(room, room, sample_planes(planes, format), None, even(2.5, 255.0), None, Buffers())
    assert found.luma.item() == round((LANDING + 1) * STEPS)


def test_rows_with_gaps_and_columns_with_gaps(native: bool) -> None:
    format = FORMATS[0]
    whole = random_planes(format, (64, 48), 6)
    expected = to_fine(tuple(np.ascontiguousarray(plane[:, ::2]) for plane in whole), format)
    for planes in (
        tuple(np.ascontiguousarray(np.repeat(plane[:, ::2], 2, axis=1))[:, ::2] for plane in whole),
        tuple(np.concatenate([plane[:, ::2], plane[:, ::2]], axis=1)[:, : plane.shape[1] // 2] for plane in whole),
    ):
        room = Fine(*(np.empty_like(plane) for plane in expected))
        found = remember_and_lift(room, room, sample_planes(planes, format), None, even(0.0), None, Buffers())
        assert np.abs(found.luma - expected.luma).max() <= 1


@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("size", [(160, 120), (90, 61), (3, 2)], ids=str)
def test_restored_planes_become_samples(bits: int, size: tuple[int, int], native: bool) -> None:
    random = np.random.default_rng(7)
    (width, height), tall, wide = size, -(-size[1] // 8) * 8, -(-size[0] // 8) * 8
    quarter = (tall // 4, wide // 4)
    maps = [random.uniform(low, high, quarter).astype(np.float32) for low, high in ((0.2, 2), (-1000, 1000))]
    color = [random.uniform(-3000, 3000, quarter).astype(np.float32) for _ in range(2)]
    restored = Restored(random.integers(0, TOP, (tall, wide), np.int16), *maps, *color)
    scale = output.Scale(16.0 * 2 ** (bits - 8), 219.0 * 2 ** (bits - 8), bits)
    luma, blue, _ = restored.planes()
    dtype: Any = np.uint8 if bits == 8 else np.uint16
    out, half = np.empty((height, width), dtype), np.empty((-(-height // 2), -(-width // 2)), dtype)
    output.write_luma(restored.lifted, restored.gain, restored.base, scale, out, Buffers())
    output.write_chroma(restored.blue, (tall // 2, wide // 2), scale, half, Buffers())
    for samples, plane in ((out, luma), (half, blue)):
        wanted = plane[: samples.shape[0], : samples.shape[1]] * (scale.span / TOP) + scale.offset
        assert np.abs(samples - np.clip(wanted, 0, (1 << bits) - 1)).max() <= (
            0.51 if native else 0.2 * 2 ** (bits - 8) + 0.5
        )


@pytest.mark.usefixtures("compiled")
def test_a_library_of_other_sources_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A checkout that was updated has an old one until it is installed again."""
    folder = Path(shutil.copytree(library.FILE.parent, tmp_path / "native"))
    monkeypatch.setattr(library, "FILE", folder / library.FILE.name)
    assert library._library.__wrapped__() is not None
    with (folder / "rows.h").open("a") as file:
        file.write("\n")
    assert library._library.__wrapped__() is None


def test_a_library_of_another_system_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(library, "FILE", tmp_path / "library.bin")
    assert library._library.__wrapped__() is None
    library.FILE.write_bytes(b"of another system")
    assert library._library.__wrapped__() is None


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("size", [(270, 480), (34, 46), (2, 2)], ids=str)
def test_the_student(size: tuple[int, int], tmp_path: Path, weights: Path) -> None:
    path = Path(shutil.copy(weights, tmp_path / "random.h5"))
    export(find(path).student_path, seeded(student.build()))
    student_file.stamp_teacher(find(path).student_path, find(path))
    features = np.random.default_rng(8).uniform(0, 1, (*size, student_file.INPUTS)).astype(np.float32)
    expected = OpenCVStudent(find(path))(features)
    assert expected.std(axis=(0, 1)).min() > 0 or size == (2, 2)
    np.testing.assert_allclose(NativeStudent(find(path))(features), expected, rtol=1e-4, atol=1e-5)


def seeded(model: Any) -> Any:
    random = np.random.default_rng(9)
    model.set_weights([random.normal(0, 0.15, array.shape) for array in model.get_weights()])
    return model


@pytest.mark.usefixtures("compiled")
def test_arrays_with_gaps_are_refused() -> None:
    with pytest.raises(ValueError, match="contiguous"):
        functions.halve(np.zeros((8, 16), np.int16)[:, ::2])


@pytest.mark.parametrize("bits", [8, 10])
def test_turned_pictures(bits: int, native: bool) -> None:
    """Planes whose columns lie one behind the other, as `numpy.rot90` makes them."""
    format = PixelFormat("gray", bits)
    planes = random_planes(format, (64, 48), 11)
    turned = tuple(np.asfortranarray(plane) for plane in planes)
    for exposure in ("off", 2.5):
        session = Enhancer(engine="fast", exposure=exposure).session(StreamInfo(64, 48, format), format)
        (first, second) = (session.process([Frame(given, format)])[0].planes[0] for given in (planes, turned))
        assert np.array_equal(first, second)
        session.close()


def scene(kind: str, index: int) -> Any:
    """Levels (90, 160) of a moving scene, noise left out."""
    y, x = np.mgrid[:90, :160]
    lamp = 200 * np.exp(-((x - 20 - 12 * index) ** 2 + (y - 40) ** 2) / 300)
    if kind == "lamp":
        return 3 + lamp / 4
    if kind == "street":
        return 6 + 20 * (y > 45) + np.maximum(lamp, 90 * (abs(x - 120) < 3))
    if kind == "letterbox":
        return np.where((y > 12) & (y < 78), 20 + 60 * np.sin(x / 9 + index) ** 2, 0)
    return 90 + 80 * np.sin((x + y) / 20 + index / 3)


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("format", [FORMATS[0], PixelFormat("yuv", 10, (2, 1), "bt709", False), RGB], ids=str)
@pytest.mark.parametrize("kind", ["lamp", "street", "letterbox", "day"])
def test_streams_look_alike(kind: str, format: PixelFormat, monkeypatch: pytest.MonkeyPatch) -> None:
    """Noise, motion, lamps and what is lit well: the whole way, frame after frame."""
    random, top = np.random.default_rng(10), (1 << format.bits) - 1
    frames = []
    for index in range(10):
        light = (scene(kind, index) + random.normal(0, 1.5, (90, 160))).clip(0, 255) * (top / 255)
        low = 16 * (top + 1) / 256 if format.model == "yuv" else 0
        levels = (low + light * (219 / 255 if low else 1)).astype(format.dtype)
        shapes = format.shapes(160, 90)
        if format.model == "rgb":
            planes = (np.repeat(levels[..., None], 3, axis=2),)
        else:
            planes = (levels, *(np.full(shape, (top + 1) // 2, format.dtype) for shape in shapes[1:]))
        frames.append(Frame(planes, format, index, Fraction(1, 25)))
    outputs = []
    for native in (False, True):
        monkeypatch.setattr(library, "available", lambda native=native: native)
        info = StreamInfo(160, 90, format, Fraction(1, 25), Fraction(25))
        session = Enhancer(engine="fast").session(info, format)
        outputs.append([output.planes[0].astype(float) for frame in frames for output in session.process([frame])])
        session.close()
    assert np.mean(outputs[0][-1]) > np.mean(frames[-1].planes[0]) - 1
    # Samples round otherwise; one of color is up to 1.9 of blue.
    most = 3 if format.model == "rgb" else 2 * (top + 1) / 256
    for before, after in zip(*outputs):
        assert np.abs(after - before).max() <= most
        assert np.abs(after - before).mean() <= 0.2 * (top + 1) / 256


@pytest.mark.parametrize("fine", [1.0, 3.5, 12.0])
def test_no_gain_leaves_16_bits(fine: float, native: bool) -> None:
    """White stays white, however much a student raises what lies in it."""
    workspace = Workspace(72, 56)
    luma, chroma = workspace.luma(), np.zeros_like(workspace.chroma())
    luma[:] = np.random.default_rng(1).integers(0, TOP, luma.shape, np.int16)
    strong = np.asarray(student.maps(np.zeros((7, 9, student_file.MAPS), np.float32))).copy()
    strong[..., student_file.OFFSETS] = fine
    restored = workspace.restore(workspace.decompose(luma, chroma, chroma.copy()), strong)
    out = np.empty(luma.shape, np.uint8)
    output.write_luma(restored.lifted, restored.gain, restored.base, output.Scale(0.0, 255.0, 8), out, Buffers())
    assert np.abs(out - np.clip(restored.planes()[0] * (255 / TOP), 0, 255)).max() < 1
