"""Planes to RGB and back: round trips of every format, and values that the standards name."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from realtime.color import Matrix
from realtime.enhance.color_ops import from_rgb, quantize, to_rgb
from realtime.enhance.tensorflow_loader import tf
from realtime.frame import Model, PixelFormat, Samples

MATRICES: tuple[Matrix, ...] = ("bt601", "bt709", "bt2020")
CHROMA = ((2, 2), (2, 1), (1, 1))
YUV = [
    PixelFormat("yuv", bits, chroma, matrix, full)
    for bits, chroma, matrix, full in product((8, 10, 12), CHROMA, MATRICES, (False, True))
]
GRAY = [PixelFormat("gray", bits, full_range=full) for bits, full in product((8, 10, 12), (False, True))]
ALL = [PixelFormat(), *YUV, *GRAY]


def name(format: PixelFormat) -> str:
    chroma = "".join(map(str, format.chroma))
    return f"{format.model}{format.bits}-{chroma}-{format.matrix}-{'full' if format.full_range else 'limited'}"


def rgb_of(planes: tuple[Samples, ...], format: PixelFormat) -> np.ndarray:
    return np.asarray(to_rgb(tuple(plane[None] for plane in planes), format))[0]


def planes_of(rgb: np.ndarray, format: PixelFormat) -> tuple[Samples, ...]:
    output = quantize(from_rgb(tf.constant(rgb[None], tf.float32), format), format)
    return tuple(np.asarray(plane)[0] for plane in output)


def pixel(values: tuple[int, ...], model: Model, bits: int, matrix: Matrix, full: bool) -> tuple[float, ...]:
    format = PixelFormat(model, bits, (1, 1), matrix, full)
    planes = tuple(np.full((1, 1), value, format.dtype) for value in values)
    return tuple(map(float, rgb_of(planes, format)[0, 0]))


@pytest.mark.parametrize("format", ALL, ids=name)
def test_samples_survive_the_round_trip(format: PixelFormat) -> None:
    """Samples of colors that RGB can hold come back as they were; odd sizes, so that chroma has an edge."""
    block = np.repeat(np.repeat(np.random.default_rng(1).uniform(0.05, 0.95, (5, 6, 3)), 2, axis=0), 2, axis=1)
    planes = planes_of(block[:9, :11], format)
    assert tuple(plane.shape for plane in planes) == format.shapes(11, 9)
    assert all(plane.dtype == format.dtype for plane in planes)
    again = planes_of(rgb_of(planes, format), format)
    worst = max(int(np.abs(a.astype(int) - b).max()) for a, b in zip(planes, again))
    assert worst <= 1


@pytest.mark.parametrize("format", [PixelFormat(), *(f for f in YUV if f.chroma == (1, 1))], ids=name)
def test_colors_survive_the_round_trip(format: PixelFormat) -> None:
    """With chroma in full, RGB comes back within what the steps of its samples allow."""
    rgb = np.random.default_rng(2).uniform(0, 1, (20, 20, 3))
    # Half a step of luma and of chroma, which reaches blue or red with a factor of up to 1.9.
    step = 1 / (((1 << format.bits) - 1) if format.full_range else 219 << (format.bits - 8))
    assert np.abs(rgb_of(planes_of(rgb, format), format) - rgb).max() <= 1.5 * step


@pytest.mark.parametrize("format", GRAY, ids=name)
def test_gray_survives_the_round_trip(format: PixelFormat) -> None:
    shades = np.repeat(np.linspace(0, 1, 64).reshape(8, 8, 1), 3, axis=2)
    step = 1 / (((1 << format.bits) - 1) if format.full_range else 219 << (format.bits - 8))
    assert np.abs(rgb_of(planes_of(shades, format), format) - shades).max() <= 0.5 * step + 1e-6


@pytest.mark.parametrize(
    ("values", "matrix", "full", "rgb"),
    [
        ((16, 128, 128), "bt709", False, (0, 0, 0)),
        ((235, 128, 128), "bt709", False, (1, 1, 1)),
        ((126, 128, 128), "bt709", False, (110 / 219,) * 3),
        # Rec. ITU-R BT.709-6: the primaries in 8-bit limited range.
        ((63, 102, 240), "bt709", False, (1, 0, 0)),
        ((173, 42, 26), "bt709", False, (0, 1, 0)),
        ((32, 240, 118), "bt709", False, (0, 0, 1)),
        # Rec. ITU-R BT.601-7.
        ((81, 90, 240), "bt601", False, (1, 0, 0)),
        ((145, 54, 34), "bt601", False, (0, 1, 0)),
        ((41, 240, 110), "bt601", False, (0, 0, 1)),
        # JFIF: BT.601 in full range.
        ((76, 85, 255), "bt601", True, (1, 0, 0)),
        ((0, 128, 128), "bt601", True, (0, 0, 0)),
        ((255, 128, 128), "bt601", True, (1, 1, 1)),
        # Rec. ITU-R BT.2020-2.
        ((74, 97, 240), "bt2020", False, (1, 0, 0)),
    ],
)
def test_known_values(values: tuple[int, ...], matrix: Matrix, full: bool, rgb: tuple[float, ...]) -> None:
    # The samples are rounded, so colors are met within one step.
    assert pixel(values, "yuv", 8, matrix, full) == pytest.approx(rgb, abs=1 / 150)
    back = planes_of(np.array([[rgb]], np.float32), PixelFormat("yuv", 8, (1, 1), matrix, full))
    # Full range: the center is 128 and the reach 255, so the ends of chroma are clipped by half a level.
    assert [int(plane[0, 0]) for plane in back] == pytest.approx(values, abs=1 if full else 0)


@pytest.mark.parametrize(("bits", "black", "white"), [(8, 16, 235), (10, 64, 940), (12, 256, 3760)])
def test_black_and_white_at_every_depth(bits: int, black: int, white: int) -> None:
    middle = 1 << (bits - 1)
    assert pixel((black, middle, middle), "yuv", bits, "bt709", False) == pytest.approx((0, 0, 0), abs=1e-6)
    assert pixel((white, middle, middle), "yuv", bits, "bt709", False) == pytest.approx((1, 1, 1), abs=1e-6)


@pytest.mark.parametrize("bits", [8, 10])
def test_what_lies_outside_is_clipped(bits: int) -> None:
    top = (1 << bits) - 1
    middle = 1 << (bits - 1)
    assert pixel((0, middle, middle), "yuv", bits, "bt709", False) == (0, 0, 0)
    assert pixel((top, middle, middle), "yuv", bits, "bt709", False) == (1, 1, 1)


@pytest.mark.parametrize("matrix", MATRICES)
def test_the_dark_is_unbiased(matrix: Matrix) -> None:
    """The average of many dark colors comes back without a shift: a tenfold gain would show a tenth of a level."""
    format = PixelFormat("yuv", 8, (1, 1), matrix, full_range=False)
    dark = np.random.default_rng(3).uniform(0.02, 0.1, (200, 200, 3)).astype(np.float32)
    shift = (rgb_of(planes_of(dark, format), format) - dark).mean(axis=(0, 1)) * 255
    assert np.abs(shift).max() < 0.05


def test_chroma_is_averaged() -> None:
    format = PixelFormat("yuv", 8, (2, 2), "bt709", full_range=False)
    picture = np.zeros((2, 2, 3), np.float32)
    picture[0] = (1, 0, 0)
    red = planes_of(np.full((2, 2, 3), (1, 0, 0), np.float32), format)[2][0, 0]
    assert int(planes_of(picture, format)[2][0, 0]) == pytest.approx((int(red) + 128) / 2, abs=1)


def test_quantize_rounds_and_does_not_truncate() -> None:
    values = tf.constant([[[-3.0, 0.4, 0.6, 254.6, 300.0]]])
    assert np.asarray(quantize((values,), PixelFormat("gray"))[0]).tolist() == [[[0, 0, 1, 255, 255]]]
    assert np.asarray(quantize((values * 10,), PixelFormat("gray", 10))[0]).tolist() == [[[0, 4, 6, 1023, 1023]]]
