"""Night made from day: light, camera, codecs, and the truth beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from realtime.color import Matrix
from realtime.enhance.exposure.meter import encoded, linear
from realtime.training.camera_model import Codec, add_noise, simulate_codec, to_rgb, to_yuv
from realtime.training.degradation import Camera, degrade, draw_camera, fade_color, meter_points
from realtime.training.illumination import (
    DRIVE_AMBIENT,
    MIN_EXPOSURE,
    Illumination,
    even,
    mixed_night,
    needed_gain,
    night_drive,
)


def scene(height: int = 64, width: int = 96) -> Any:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.stack([x / width, y / height, 0.5 + 0.4 * np.sin(x / 7)], axis=-1).astype(np.float32)


@pytest.mark.parametrize("matrix", ["bt601", "bt709"])
@pytest.mark.parametrize("full_range", [False, True])
def test_yuv_is_unbiased_in_the_dark(matrix: Matrix, full_range: bool) -> None:
    dark = scene() * np.float32(0.1)
    error = to_rgb(to_yuv(dark, matrix, full_range), matrix, full_range, smooth=True) - dark
    assert abs(error.mean()) < 0.3 / 255
    assert abs(error).max() < 8 / 255


@pytest.mark.parametrize("codec", ["h264", "hevc", "mjpeg"])
def test_codecs_return_every_frame_and_lose_with_quality(codec: Codec) -> None:
    frames = [np.roll(scene(), shift, axis=1) for shift in range(4)]
    fine, coarse = (simulate_codec(frames, codec, quality) for quality in ((18, 40) if codec != "mjpeg" else (2, 28)))
    assert len(fine) == len(coarse) == 4
    errors = [np.mean([(a - b) ** 2 for a, b in zip(output, frames, strict=True)]) for output in (fine, coarse)]
    assert errors[0] < 1e-3
    assert errors[1] > 1.5 * errors[0]


def test_noise_has_the_stated_variance() -> None:
    light = np.full((200, 200, 3), 0.25, np.float32)
    noisy = add_noise(light, 4e-3, 0.02, 0, np.random.default_rng(0))
    assert noisy.var() == pytest.approx(4e-3 * 0.25 + 0.02**2, rel=0.05)


def test_even_light_needs_its_inverse() -> None:
    field = np.full((10, 10), 0.1, np.float32)
    assert needed_gain(field, linear(scene()[:10, :10]) * field[..., None]) == pytest.approx(10)
    assert needed_gain(field / 1000, np.zeros((10, 10, 3))) == pytest.approx(1 / MIN_EXPOSURE)


def test_what_is_lit_stays_lit() -> None:
    field = np.full((10, 10), 0.02, np.float32)
    field[:, :3] = 1
    assert needed_gain(field, np.repeat(field[..., None], 3, axis=-1)) < 2


@pytest.mark.parametrize("draw", [mixed_night, night_drive])
def test_light_is_no_more_than_daylight_and_lamps_only_add(draw: Any) -> None:
    for seed in range(20):
        light: Illumination = draw(np.random.default_rng(seed), 48, 64)
        assert light.field.shape == light.stops.shape == (48, 64)
        assert light.lamps.shape == (48, 64, 3)
        assert 0 < light.field.min() < light.field.max() <= 1
        assert light.lamps.min() >= 0
        assert np.allclose(light.field, 2.0**-light.stops, rtol=1e-5)


def test_a_drive_is_dark_but_for_its_lights() -> None:
    spans, darkest = [], []
    for seed in range(40):
        field = night_drive(np.random.default_rng(seed), 72, 96).field
        spans.append(float(np.log2(field.max() / field.min())))
        darkest.append(float(field.min()))
    assert np.median(spans) > 2, "the light of a drive varies by stops"
    # The ambient light, within what its slow surface and the lights' reach change.
    assert DRIVE_AMBIENT[0] / 2 < np.min(darkest) < DRIVE_AMBIENT[1]


def test_color_fades_in_the_black() -> None:
    dark = np.array([[[1, 0, 2], [40, 10, 60]]], np.float32) / 255
    faded = fade_color(dark)
    assert np.ptp(faded[0, 0]) < 1e-6
    assert np.allclose(faded[0, 1], dark[0, 1])


def test_a_camera_without_faults_records_what_is_there() -> None:
    light = linear(scene())
    picture = Camera(0.0, 0.0, codec=None).record([light * 0, light], np.random.default_rng(0))
    assert len(picture) == 1
    assert abs(picture[0] - scene()).max() <= 0.51 / 255
    red = Camera(0.0, 0.0, balance=(1.2, 1.0, 1.0), codec=None).record([light], np.random.default_rng(0))
    assert (red[0] - picture[0])[..., 0].mean() > 0.02
    assert np.array_equal(red[0][..., 1:], picture[0][..., 1:])


def test_examples_repeat_with_their_seed(stills_only: None) -> None:
    for seed in range(8):
        one, other = (degrade([scene()] * 3, np.random.default_rng(seed)) for _ in range(2))
        for a, b in zip(one, other, strict=True):
            assert all(np.array_equal(first, second) for first, second in zip(a, b, strict=True))


def test_examples_of_clips_are_two_frames_and_aligned() -> None:
    counts = set()
    for seed in range(12):
        examples = degrade([scene()] * 3, np.random.default_rng(seed))
        counts.add(len(examples))
        for example in examples:
            shapes = [example.recorded.shape, example.dark.shape, example.daylight.shape]
            assert shapes == [(64, 96, 3)] * 3
            assert example.stops.shape == (64, 96)
            assert 1 <= example.gain <= 1 / MIN_EXPOSURE
            assert 0 <= example.white <= 1
    assert counts == {1, 2}


def test_the_truth_is_what_the_light_took_away(stills_only: None) -> None:
    """Lifting the dark scene by the stops that it lacks gives the scene in daylight, where no lamp shines."""
    found = 0
    for seed in range(40):
        example = degrade([scene()], np.random.default_rng(seed))[0]
        lit = (example.daylight > 0.15).all(axis=-1) & (example.dark * 255 > 20).all(axis=-1)
        lit &= abs(example.daylight - scene()).max(axis=-1) < 1e-3
        if lit.sum() < 50:
            continue
        found += 1
        lifted = encoded(np.clip(linear(example.dark) * 2.0 ** example.stops[..., None], 0, 1))
        assert abs(lifted - example.daylight)[lit].max() < 0.02
    assert found > 10


def test_well_lit_scenes_are_recorded_almost_as_they_are(stills_only: None) -> None:
    examples = [degrade([scene()], np.random.default_rng(seed))[0] for seed in range(60)]
    lit = [example for example in examples if example.stops.max() == 0]
    assert 1 <= len(lit) <= 20
    assert np.mean([abs(e.recorded - e.dark).mean() for e in lit]) < 0.03
    assert all(e.gain == 1 for e in lit)


def test_noise_is_no_more_than_the_light() -> None:
    for seed in range(100):
        assert draw_camera(np.random.default_rng(seed), False, 0.004).read <= 0.25 * 0.004 + 1e-4


def test_the_meters_points_are_pixels_of_the_frame() -> None:
    frame = encoded(np.random.default_rng(0).random((480, 640, 3)).astype(np.float32))
    points = meter_points(frame)
    assert points.shape == (120, 160, 3)
    assert np.array_equal(points[3, 5], frame[12, 20])


def test_even_light_is_even() -> None:
    light = even(4, 6, 0.25)
    assert (light.stops == 2).all()
    assert not light.lamps.any()
