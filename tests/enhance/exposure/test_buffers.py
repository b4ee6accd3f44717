"""Buffers and bands: nothing that is still held is written to, and bands are parts of the whole."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from realtime.enhance.exposure.buffers import BAND, Buffers, Enlarged, bands
from realtime.enhance.exposure.dark import dark_of
from realtime.enhance.exposure.fine import STEPS, sample_planes, to_fine
from realtime.enhance.exposure.light import ExposureMap, enlarge, even, lift
from realtime.enhance.exposure.night import TemporalDenoiser, reduce_planes
from realtime.enhance.exposure.reduced import small_size
from realtime.frame import PixelFormat

YUV = PixelFormat("yuv", 8, (2, 2), "bt709", False)


def planes(height: int, width: int, format: PixelFormat = YUV, seed: int = 0) -> tuple[Any, ...]:
    random = np.random.default_rng(seed)
    top = 1 << format.bits
    return tuple(random.integers(0, top, shape).astype(format.dtype) for shape in format.shapes(width, height))


def test_an_array_is_handed_out_again_only_when_nobody_holds_it_or_a_view_of_it() -> None:
    buffers = Buffers()
    first = buffers.take(4, 6)
    assert buffers.take(4, 6) is not first
    view, address = first[1:, 2:], first.ctypes.data
    del first
    assert all(buffers.take(4, 6).ctypes.data != address for _ in range(3))
    del view
    assert buffers.take(4, 6).ctypes.data == address


@pytest.mark.parametrize("size", [(2 * BAND + 40, 64), (2 * BAND + 41, 37), (8, 16)], ids=str)
@pytest.mark.parametrize("small", [(10, 8), (1, 1), (8, 16)], ids=str)
def test_bands_of_an_enlarged_picture_are_parts_of_the_whole(size: tuple[int, int], small: tuple[int, int]) -> None:
    values = np.random.default_rng(1).integers(0, 3000, small).astype(np.int16)
    whole = cv2.resize(values, size[::-1], interpolation=cv2.INTER_LINEAR)
    enlarged = Enlarged(values, *size, Buffers())
    joined = np.concatenate([enlarged.band(rows).copy() for rows in bands(size[0])])
    assert np.abs(joined.astype(int) - whole.reshape(size)).max() <= 1


@pytest.mark.parametrize(
    "format", [YUV, PixelFormat("yuv", 10, (2, 1), "bt709", True), PixelFormat("gray", 8)], ids=str
)
@pytest.mark.parametrize("size", [(720, 1280), (91, 163), (300, 641)], ids=str)
def test_the_small_picture_holds_means(format: PixelFormat, size: tuple[int, int]) -> None:
    frame = tuple(
        cv2.resize(plane, shape[::-1], interpolation=cv2.INTER_LINEAR).reshape(shape)
        for plane, shape in zip(planes(12, 16, format), format.shapes(size[1], size[0]))
    )
    small = reduce_planes(frame, format)
    level = to_fine(frame, format).luma.astype(np.float32) / STEPS
    expected = cv2.resize(level, small_size(*size)[::-1], interpolation=cv2.INTER_AREA)
    assert small.luma.shape == small_size(*size)
    assert np.abs(small.luma - expected).mean() < 0.6


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("full", [False, True])
def test_a_source_converts_as_tables_do(bits: int, full: bool) -> None:
    format = PixelFormat("yuv", bits, (1, 1), "bt709", full)
    frame = planes(20, 30, format)
    for source, expected in zip(sample_planes(frame, format), to_fine(frame, format)):
        assert expected is not None
        band = source.band(slice(4, 12), np.empty((8, 30), np.int16))
        assert np.abs(band * source.slope + source.offset - expected[4:12]).max() <= 1.5


@pytest.mark.parametrize("size", [(720, 1280), (91, 163), (506, 898)], ids=str)
@pytest.mark.parametrize("white", [255.0, 420.0])
def test_a_frame_is_remembered_and_lifted_as_the_reference_lifts_it(size: tuple[int, int], white: float) -> None:
    frame, denoiser = planes(*size), TemporalDenoiser(YUV)
    shape = denoiser.look(frame, 0.0).luma.shape
    stops = np.linspace(0, 5, shape[0] * shape[1], dtype=np.float32).reshape(shape)
    exposure = ExposureMap(stops, np.ones_like(stops), 0.0, white)
    lifted = denoiser.lift(exposure).luma / np.float32(STEPS)
    level = to_fine(frame, YUV).luma / np.float32(STEPS)
    assert np.abs(lifted - lift(level, enlarge(exposure.gains, *size), white)).max() < 1


def test_dark_that_is_made_smooth_is_lifted_smooth() -> None:
    random = np.random.default_rng(5)
    luma = 16 + np.kron(random.integers(0, 3, (40, 80)), np.ones((8, 8))).astype(np.uint8)
    chroma = np.full((160, 320), 128, np.uint8)
    denoiser = TemporalDenoiser(YUV)
    dark = dark_of(denoiser.look((luma, chroma, chroma), 0.0))
    assert dark is not None
    lifted = denoiser.lift(even(3.0), dark).luma / STEPS
    assert np.abs(np.diff(lifted[:, 16:240], axis=1)).max() < 2
    assert np.abs(np.diff(denoiser.lift(even(3.0)).luma / STEPS, axis=1)).max() > 3
