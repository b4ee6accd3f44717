"""Frames are validated values."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
import synthetic
from hypothesis import given
from hypothesis import strategies as st

from realtime import Frame, PixelFormat, StreamInfo

PICTURE = np.zeros((3, 5, 3), np.uint8)
YUV = PixelFormat("yuv", 8, (2, 2), "bt601", False)


@pytest.mark.parametrize(
    ("format", "shapes"),
    [
        (PixelFormat(), ((3, 5, 3),)),
        (PixelFormat("gray"), ((3, 5),)),
        (PixelFormat("yuv", chroma=(2, 2)), ((3, 5), (2, 3), (2, 3))),
        (PixelFormat("yuv", chroma=(2, 1)), ((3, 5), (3, 3), (3, 3))),
        (PixelFormat("yuv"), ((3, 5), (3, 5), (3, 5))),
    ],
)
def test_shapes_of_an_odd_picture(format: PixelFormat, shapes: tuple[tuple[int, ...], ...]) -> None:
    assert format.shapes(5, 3) == shapes


@pytest.mark.parametrize(("bits", "dtype"), [(8, np.uint8), (10, np.uint16), (12, np.uint16)])
def test_samples_of_more_than_8_bits_are_wide(bits: int, dtype: type) -> None:
    assert PixelFormat(bits=bits).dtype is dtype


@given(width=st.integers(1, 40), height=st.integers(1, 40), chroma=st.sampled_from([(1, 1), (2, 1), (2, 2)]))
def test_a_frame_knows_its_size(width: int, height: int, chroma: tuple[int, int]) -> None:
    format = PixelFormat("yuv", 10, chroma)
    frame = Frame(synthetic.random_planes(format, width, height), format)
    assert (frame.width, frame.height) == (width, height)


@pytest.mark.parametrize(
    ("planes", "format"),
    [
        ((), PixelFormat()),
        ((np.zeros(5, np.uint8),), PixelFormat()),
        ((np.zeros((3, 5), np.uint8),), PixelFormat()),
        ((np.zeros((3, 5, 4), np.uint8),), PixelFormat()),
        ((np.zeros((0, 5, 3), np.uint8),), PixelFormat()),
        ((PICTURE, PICTURE), PixelFormat()),
        ((PICTURE.astype(np.float32),), PixelFormat()),
        ((PICTURE,), PixelFormat(bits=10)),
        ((np.zeros((4, 4), np.uint8),) * 3, YUV),
        ((np.zeros((4, 4), np.uint8), np.zeros((2, 2), np.uint8)), YUV),
    ],
)
def test_planes_that_do_not_fit_are_refused(planes: tuple[np.ndarray, ...], format: PixelFormat) -> None:
    with pytest.raises(ValueError, match=r"frame needs|wants planes"):
        Frame(planes, format)


def test_a_frame_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Frame((PICTURE,)).pts = 3  # type: ignore[misc]


def test_time_is_pts_in_its_base() -> None:
    assert Frame((PICTURE,), pts=90, time_base=Fraction(1, 60)).seconds == 1.5


def test_with_planes_keeps_the_moment() -> None:
    frame = Frame((PICTURE,), pts=7, time_base=Fraction(1, 30), captured_at=3.5, duration=2)
    other = frame.with_planes(synthetic.random_planes(YUV, 5, 3), YUV)
    assert (other.pts, other.time_base, other.captured_at, other.duration) == (7, Fraction(1, 30), 3.5, 2)
    assert other.format == YUV


def test_the_repr_prints_the_size_and_no_pixels() -> None:
    assert repr(Frame((PICTURE,), pts=500)) == "Frame(5x3 rgb8, t=0.500s)"


def test_stream_info_compares_by_value() -> None:
    assert StreamInfo(4, 3) == StreamInfo(4, 3) != StreamInfo(4, 3, live=True)
