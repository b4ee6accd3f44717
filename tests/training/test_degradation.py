"""Night made from day: light, camera, codecs, and the truth beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from realtime.enhance.exposure.meter import encoded, linear
from realtime.training.camera_model import Codec, add_noise, film, to_rgb, to_yuv
from realtime.training.degradation import darken, points, settle
from realtime.training.illumination import DARKEST, needed_gain, uneven


def scene(height: int = 64, width: int = 96) -> Any:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.stack([x / width, y / height, 0.5 + 0.4 * np.sin(x / 7)], axis=-1).astype(np.float32)


@pytest.mark.parametrize("matrix", [601, 709])
@pytest.mark.parametrize("full", [False, True])
def test_yuv_is_unbiased_in_the_dark(matrix: int, full: bool) -> None:
    dark = scene() * np.float32(0.1)
    error = to_rgb(to_yuv(dark, matrix, full), matrix, full, smooth=True) - dark
    assert abs(error.mean()) < 0.3 / 255
    assert abs(error).max() < 8 / 255


@pytest.mark.parametrize("codec", ["h264", "hevc", "mjpeg"])
def test_codecs_answer_every_frame_and_lose_with_quality(codec: Codec) -> None:
    frames = [np.roll(scene(), shift, axis=1) for shift in range(4)]
    fine, coarse = (film(frames, codec, quality) for quality in ((18, 40) if codec != "mjpeg" else (2, 28)))
    assert len(fine) == len(coarse) == 4
    errors = [np.mean([(a - b) ** 2 for a, b in zip(answer, frames, strict=True)]) for answer in (fine, coarse)]
    assert errors[0] < 1e-3 < 2e-3 + errors[1]
    assert errors[0] < errors[1]


def test_noise_has_the_stated_variance() -> None:
    light = np.full((200, 200, 3), 0.25, np.float32)
    noisy = add_noise(light, 4e-3, 0.02, 0, np.random.default_rng(0))
    assert noisy.var() == pytest.approx(4e-3 * 0.25 + 0.02**2, rel=0.05)


def test_even_light_needs_its_inverse() -> None:
    field = np.full((10, 10), 0.1, np.float32)
    assert needed_gain(field, linear(scene()[:10, :10]) * field[..., None]) == pytest.approx(10)
    assert needed_gain(field / 1000, np.zeros((10, 10, 3))) == pytest.approx(1 / DARKEST)


def test_what_is_lit_stays_lit() -> None:
    field = np.full((10, 10), 0.02, np.float32)
    field[:, :3] = 1
    assert needed_gain(field, np.repeat(field[..., None], 3, axis=-1)) < 2


def test_uneven_light_is_light() -> None:
    for seed in range(20):
        field, lamps = uneven(np.random.default_rng(seed), 48, 64)
        assert field.shape == (48, 64)
        assert lamps.shape == (48, 64, 3)
        assert field.min() > 0
        assert field.max() <= 1
        assert lamps.min() >= 0


def test_truth_in_the_black_is_grey() -> None:
    dark = np.array([[[1, 0, 2], [40, 10, 60]]], np.float32) / 255
    settled = settle(dark)
    assert np.ptp(settled[0, 0]) < 1e-6
    assert np.allclose(settled[0, 1], dark[0, 1])


def test_examples_are_seeded(without_codec: None) -> None:
    pictures = [scene()] * 3
    for seed in range(8):
        once, again = (darken(pictures, np.random.default_rng(seed)) for _ in range(2))
        assert all(np.array_equal(a.recorded, b.recorded) for a, b in zip(once, again, strict=True))
        assert all(np.array_equal(a.truth, b.truth) for a, b in zip(once, again, strict=True))
        assert [(a.gain, a.white) for a in once] == [(b.gain, b.white) for b in again]


def test_examples_are_aligned() -> None:
    pictures = [scene()] * 3
    for seed in range(8):
        for example in darken(pictures, np.random.default_rng(seed)):
            assert example.recorded.shape == example.truth.shape == (64, 96, 3)
            assert 1 <= example.gain <= 1 / DARKEST
            assert 0 <= example.white <= 1
    lit = [e for seed in range(60) for e in darken(pictures[:1], np.random.default_rng(seed)) if e.gain == 1]
    assert lit
    assert np.mean([abs(e.recorded - e.truth).mean() for e in lit]) < 0.03


def test_points_are_pixels_of_the_frame() -> None:
    frame = encoded(np.random.default_rng(0).random((480, 640, 3)).astype(np.float32))
    seen = points(frame)
    assert seen.shape == (120, 160, 3)
    assert np.array_equal(seen[3, 5], frame[12, 20])
