"""Frames between pixel formats: exact where nothing must change, accurate in the dark, and of the right colors."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import synthetic

from realtime import Frame, PixelFormat, StreamInfo
from realtime.color import guess_matrix
from realtime.frame import RGB
from realtime.media.pixel_formats import convert, fit, pix_fmt_name, pixel_format, planes, to_video_frame

FORMATS = [
    PixelFormat(model, bits, chroma, matrix, full)  # type: ignore[arg-type]
    for model, chroma in (("yuv", (2, 2)), ("yuv", (2, 1)), ("yuv", (1, 1)), ("gray", (1, 1)))
    for bits in (8, 10)
    for matrix, full in (("bt601", False), ("bt709", True))
]


def frame_of(value: int, format: PixelFormat = RGB, width: int = 37, height: int = 23) -> Frame:
    flat = tuple(np.full(shape, value, format.dtype) for shape in format.shapes(width, height))
    return Frame(flat, format, pts=7, time_base=Fraction(1, 30), captured_at=2.0, duration=3)


@pytest.mark.parametrize("format", FORMATS, ids=str)
@pytest.mark.parametrize("value", [0, 3, 40, 128, 255])
def test_gray_keeps_its_level_over_any_format(format: PixelFormat, value: int) -> None:
    there = convert(frame_of(value), format)
    back = convert(there, RGB)
    assert there.format == format
    assert (there.pts, there.time_base, there.captured_at, there.duration) == (7, Fraction(1, 30), 2.0, 3)
    low, span = (0, (1 << format.bits) - 1) if format.full_range else (16 << format.bits - 8, 219 << format.bits - 8)
    assert abs(there.planes[0].astype(float) - (low + value / 255 * span)).max() <= 1.0
    assert np.abs(back.planes[0].astype(int) - value).max() <= 1


def test_colors_come_back() -> None:
    color = np.tile(np.array([200, 60, 20], np.uint8), (24, 36, 1))
    for matrix in ("bt601", "bt709", "bt2020"):
        there = convert(Frame((color,)), PixelFormat("yuv", 8, (1, 1), matrix, False))
        assert np.abs(convert(there, RGB).planes[0].astype(int) - color).max() <= 2
        red, blue = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}[matrix]
        luma = 16 + 219 / 255 * (red * 200 + (1 - red - blue) * 60 + blue * 20)
        assert abs(there.planes[0].mean() - luma) <= 1


def test_the_same_format_is_the_same_frame() -> None:
    frame = frame_of(9, FORMATS[0])
    assert convert(frame, FORMATS[0]) is frame
    assert fit(frame, StreamInfo(37, 23, FORMATS[0])) is frame


@pytest.mark.parametrize("format", [RGB, *FORMATS[:3], FORMATS[-1]], ids=str)
def test_fit_gives_size_and_format_of_a_stream(format: PixelFormat) -> None:
    fitted = fit(frame_of(90, FORMATS[0]), StreamInfo(50, 31, format))
    assert (fitted.width, fitted.height, fitted.format) == (50, 31, format)
    assert fitted.planes[0].std((0, 1)).max() < 1


@pytest.mark.parametrize("format", FORMATS, ids=str)
def test_planes_of_an_encoders_picture_are_those_of_the_frame(format: PixelFormat) -> None:
    frame = Frame(synthetic.random_planes(format, 37, 23), format)
    picture = to_video_frame(frame, format)
    assert picture.format.name == pix_fmt_name(format)
    assert (picture.width % format.chroma[0], picture.height % format.chroma[1]) == (0, 0)
    for ours, theirs in zip(frame.planes, planes(picture, format)):
        rows, columns = ours.shape
        assert np.array_equal(theirs[:rows, :columns], ours)
        assert np.array_equal(theirs[:, -1][: rows - 1], ours[:, -1][: rows - 1]), "the last column is repeated"


def test_rgb_is_padded_before_chroma_is_computed() -> None:
    color = np.tile(np.array([200, 60, 20], np.uint8), (23, 37, 1))
    target = PixelFormat("yuv", 8, (2, 2), "bt709", False)
    picture = to_video_frame(Frame((color,)), target)
    assert (picture.width, picture.height) == (38, 24)
    assert all(plane.std() == 0 for plane in planes(picture, target))


@pytest.mark.parametrize(("width", "height"), [(640, 480), (1024, 576), (1280, 536), (960, 720), (1920, 1080)])
def test_one_rule_guesses_the_matrix_of_untagged_material(width: int, height: int) -> None:
    assert pixel_format("yuv420p", 2, 0, width, height).matrix == guess_matrix(width, height)
    assert guess_matrix(width, height) == ("bt709" if width >= 1280 or height >= 720 else "bt601")


def test_formats_without_a_path_of_their_own_become_rgb() -> None:
    assert pixel_format("yuv420p", 8, 0, 640, 480) == RGB  # YCgCo
    assert pixel_format("pal8", 2, 0, 640, 480) == RGB
    assert pixel_format("nv12", 1, 2, 640, 480) == replace(PixelFormat("yuv", 8, (2, 2)), full_range=True)
