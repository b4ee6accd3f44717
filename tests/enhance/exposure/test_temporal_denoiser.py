"""The memory over time: noise goes, what moves does not smear, and nothing survives a cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from realtime.enhance.exposure.fine import STEPS
from realtime.enhance.exposure.night import TemporalDenoiser
from realtime.frame import PixelFormat

YUV = PixelFormat("yuv", 8, (2, 2), "bt709", True)


def frame(luma: Any, blue: int = 128) -> tuple[Any, ...]:
    height, width = luma.shape
    chroma = np.full((-(-height // 2), -(-width // 2)), 128, np.uint8)
    return np.clip(np.rint(luma), 0, 255).astype(np.uint8), np.full_like(chroma, blue), chroma


def noisy(level: float, random: np.random.Generator, shape: tuple[int, int] = (180, 320)) -> Any:
    return level + random.normal(0, 3, shape)


def test_noise_of_what_stands_still_goes_to_a_third_or_less() -> None:
    random, memory = np.random.default_rng(0), TemporalDenoiser(YUV)
    outputs = [memory(frame(noisy(40, random)), index / 25)[0].luma / STEPS for index in range(50)]
    assert np.stack(outputs[30:]).std(axis=0).mean() < 0.35 * 3


def test_what_moves_leaves_no_trail() -> None:
    random, memory = np.random.default_rng(1), TemporalDenoiser(YUV)
    for index in range(40):
        luma = noisy(30, random)
        left = 6 * index
        luma[60:120, left : left + 40] += 40
        output = memory(frame(luma), index / 25)[0].luma / STEPS
    behind = output[70:110, left - 40 : left - 12].mean()
    inside = output[70:110, left + 8 : left + 32].mean()
    assert abs(behind - 30) < 1.5
    assert abs(inside - 70) < 1.5


@pytest.mark.parametrize("step", [0.04, 5.0, -2.0])
def test_a_cut_a_gap_and_a_jump_back_forget(step: float) -> None:
    random, memory = np.random.default_rng(2), TemporalDenoiser(YUV)
    for index in range(20):
        memory(frame(noisy(60, random)), index / 25)
    luma = noisy(60 if step != 0.04 else 110, random)
    output = memory(frame(luma), 19 / 25 + step)[0].luma
    np.testing.assert_array_equal(output, np.clip(np.rint(luma), 0, 255).astype(np.int16) * STEPS)


def test_another_size_and_reset_start_anew() -> None:
    random, memory = np.random.default_rng(3), TemporalDenoiser(YUV)
    memory(frame(noisy(60, random)), 0.0)
    luma = noisy(60, random, (91, 163))
    np.testing.assert_array_equal(memory(frame(luma), 0.04)[0].luma, np.rint(luma).astype(np.int16) * STEPS)
    memory.reset()
    luma = noisy(60, random, (91, 163))
    np.testing.assert_array_equal(memory(frame(luma), 0.08)[0].luma, np.rint(luma).astype(np.int16) * STEPS)


def test_what_was_handed_out_does_not_change_later() -> None:
    random, memory = np.random.default_rng(4), TemporalDenoiser(YUV)
    outputs = [memory(frame(noisy(40, random)), index / 25)[0].luma for index in range(6)]
    copies = [output.copy() for output in outputs]
    for index in range(6, 12):
        memory(frame(noisy(40, random)), index / 25)
    for output, copy in zip(outputs, copies):
        np.testing.assert_array_equal(output, copy)


def test_blocks_without_signal_become_smooth_and_structure_stays() -> None:
    random = np.random.default_rng(5)
    luma = np.kron(random.integers(0, 3, (20, 40)), np.ones((8, 8))).astype(np.float32)
    luma[40:120, 160:] = 8 + 6 * (np.indices((80, 160)).sum(0) // 16 % 2)
    output = TemporalDenoiser(YUV)(frame(luma), 0.0)[0].luma / STEPS
    assert np.abs(np.diff(output[:, 8:120], axis=1)).max() < 0.5
    assert np.abs(output[48:112, 176:304] - luma[48:112, 176:304]).mean() < 0.5


@pytest.mark.parametrize("size", [(720, 1280), (1080, 1920)], ids=str)
def test_a_thin_streak_of_one_frame_leaves_nothing(size: tuple[int, int]) -> None:
    """As a drop of rain in the light of a lamp makes it, at sizes where a cell is wider than the streak."""
    random, memory = np.random.default_rng(6), TemporalDenoiser(YUV)
    for index in range(20):
        luma = 20 + random.normal(0, 0.5, size)
        if index == 17:
            luma[100:160, 600:603] += 14
        output = memory(frame(luma), index / 25)[0].luma / STEPS
    assert abs(output[110:150, 600:603].mean() - 20) < 0.5
