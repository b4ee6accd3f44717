"""Night made from day: light, camera, codecs, and the truth beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from realtime.color import Matrix
from realtime.frame import RGB, PixelFormat
from realtime.training.camera_model import (
    Codec,
    add_noise,
    encoded,
    linear,
    simulate_codec,
    to_planes,
    to_rgb,
    video_format,
)
from realtime.training.degradation import Scene, SimulatedCamera, degrade, draw_camera
from realtime.training.illumination import DRIVE_AMBIENT, Illumination, even, mixed_night, night_drive


def picture(height: int = 64, width: int = 96) -> Any:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.stack([x / width, y / height, 0.5 + 0.4 * np.sin(x / 7)], axis=-1).astype(np.float32)


def scenes(count: int, frames: int = 1) -> list[Scene]:
    return [degrade([picture()] * frames, np.random.default_rng(seed)) for seed in range(count)]


def test_srgb_encoding_is_undone() -> None:
    levels = np.linspace(0, 1, 256, dtype=np.float32)
    assert abs(encoded(linear(levels)) - levels).max() < 1e-6
    assert linear(np.float32(0.5)) == pytest.approx(0.2140, abs=1e-4)  # IEC 61966-2-1


@pytest.mark.parametrize("matrix", ["bt601", "bt709"])
@pytest.mark.parametrize("full_range", [False, True])
def test_planes_are_unbiased_in_the_dark(matrix: Matrix, full_range: bool) -> None:
    format = PixelFormat("yuv", 8, (2, 2), matrix, full_range)
    dark = picture() * np.float32(0.1)
    error = to_rgb(to_planes(dark, format), format) - dark
    assert abs(error.mean()) < 0.3 / 255
    assert abs(error).max() < 8 / 255


@pytest.mark.parametrize("codec", ["h264", "hevc", "mjpeg"])
def test_codecs_return_every_frame_and_lose_with_quality(codec: Codec) -> None:
    frames = [np.roll(picture(), shift, axis=1) for shift in range(4)]
    format = video_format(codec, "bt709")
    errors = []
    for quality in (18, 40) if codec != "mjpeg" else (2, 28):
        decoded = simulate_codec(frames, codec, quality)
        assert [plane.shape for plane in decoded[0]] == [(64, 96), (32, 48), (32, 48)]
        pairs = zip((to_rgb(planes, format) for planes in decoded), frames, strict=True)
        errors.append(np.mean([(output - frame) ** 2 for output, frame in pairs]))
    assert errors[0] < 1e-3
    assert errors[1] > 1.5 * errors[0]


def test_noise_has_the_stated_variance() -> None:
    light = np.full((200, 200, 3), 0.25, np.float32)
    noisy = add_noise(light, 4e-3, 0.02, 0, np.random.default_rng(0))
    assert noisy.var() == pytest.approx(4e-3 * 0.25 + 0.02**2, rel=0.05)


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


def test_even_light_is_even() -> None:
    light = even(4, 6, 0.25)
    assert (light.stops == 2).all()
    assert not light.lamps.any()


def test_a_camera_without_faults_records_what_is_there() -> None:
    light = linear(picture())
    still = SimulatedCamera(0.0, 0.0, codec=None)
    assert still.format == RGB
    recorded = to_rgb(still.record([light], np.random.default_rng(0))[0], RGB)
    assert abs(recorded - picture()).max() <= 0.51 / 255
    reddish = SimulatedCamera(0.0, 0.0, balance=(1.2, 1.0, 1.0), codec=None).record([light], np.random.default_rng(0))
    red = to_rgb(reddish[0], RGB)
    assert (red - recorded)[..., 0].mean() > 0.02
    assert np.array_equal(red[..., 1:], recorded[..., 1:])


def test_scenes_repeat_with_their_seed(stills_only: None) -> None:
    for one, other in zip(scenes(8), scenes(8), strict=True):
        assert np.array_equal(one.frames[0][0], other.frames[0][0])
        assert np.array_equal(one.dark[0], other.dark[0])
        assert np.array_equal(one.light.field, other.light.field)


def test_clips_have_all_frames_and_stills_one() -> None:
    formats = set()
    for scene in scenes(12, frames=3):
        still = scene.format == RGB
        formats.add(scene.format.model)
        assert len(scene.frames) == len(scene.dark) == len(scene.daylight) == (1 if still else 3)
        assert tuple(plane.shape for plane in scene.frames[-1]) == scene.format.shapes(96, 64)
    assert formats == {"rgb", "yuv"}


def test_the_truth_is_what_the_light_took_away(stills_only: None) -> None:
    """Lifting the dark scene by the stops that it lacks gives the scene in daylight, where no lamp shines."""
    found = 0
    for scene in scenes(40):
        dark, daylight = scene.dark[0], scene.daylight[0]
        places = (daylight > 0.15).all(axis=-1) & (dark * 255 > 20).all(axis=-1)
        places &= scene.light.lamps.max(axis=-1) < 1e-5
        if places.sum() < 50:
            continue
        found += 1
        lifted = encoded(np.clip(linear(dark) * 2.0 ** scene.light.stops[..., None], 0, 1))
        assert abs(lifted - daylight)[places].max() < 0.01
    assert found > 10


def test_well_lit_scenes_are_recorded_almost_as_they_are(stills_only: None) -> None:
    lit = [scene for scene in scenes(60) if scene.light.stops.max() == 0]
    assert 1 <= len(lit) <= 20
    assert np.mean([abs(to_rgb(s.frames[0], s.format) - picture()).mean() for s in lit]) < 0.03
    assert all(np.allclose(s.dark[0], picture(), atol=1e-5) for s in lit)


def test_noise_is_no_more_than_the_light() -> None:
    for seed in range(100):
        assert draw_camera(np.random.default_rng(seed), False, 0.004).read <= 0.25 * 0.004 + 1e-4
