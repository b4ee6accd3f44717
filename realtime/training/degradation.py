"""From a well exposed picture to what a camera would have recorded of it at night, with the truth beside it.

The order is the camera's: light falls on the scene (linear), the sensor adds noise, the camera's white balance and tone
curve are slightly off, 8 bits and a codec follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from realtime.color import Matrix
from realtime.enhance.exposure.meter import encoded, linear, white_points
from realtime.training.camera_model import Codec, Decoding, add_noise, simulate_codec
from realtime.training.illumination import (
    MIN_EXPOSURE,
    Illumination,
    even,
    log_uniform,
    mixed_night,
    needed_gain,
    night_drive,
)

Floats = npt.NDArray[Any]

#: Share of scenes that are well lit, whose target is the input; of the rest, shares by kind of light, with sum 1.
WELL_LIT_SHARE = 0.1
EVEN_SHARE, MIXED_SHARE, DRIVE_SHARE = 0.5, 0.3, 0.2
#: Share of scenes that are stills (8-bit RGB, PNG or JPEG) rather than video.
STILL_SHARE = 0.2
#: The meter sees about this many points along the longer side of a frame.
METER_POINTS = 160
#: Levels of 255 between which the target's color fades in: below the first no 8-bit video holds any.
COLOR_LEVELS = (2.0, 6.0)


class Example(NamedTuple):
    """One frame of a scene. Pictures are (H, W, 3), sRGB-encoded 0..1.

    - `recorded`: what the camera delivers. `dark`: the same scene without noise, color error and codec.
    - `daylight`: the scene well exposed, its lamps included.
    - `stops`: (H, W), how many stops of light each pixel lacks.
    - `gain`: the one gain in linear light that the frame as a whole needs. `white`: the recorded frame's white point.
    """

    recorded: Floats
    dark: Floats
    daylight: Floats
    stops: Floats
    gain: float
    white: float


@dataclass(frozen=True)
class Camera:
    """How one scene is recorded.

    - `shot`, `read`, `grain`: noise as `camera_model.add_noise` takes it.
    - `balance`: factors on R, G and B. `tone`: exponent on the encoded picture.
    - `codec`: None for a still. `jpeg_quality`: None for a still without loss.
    - `quality`, `matrix`, `preset`, `decoding`: as `camera_model.simulate_codec` takes them.
    """

    shot: float
    read: float
    grain: float = 0.0
    balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    tone: float = 1.0
    codec: Codec | None = "h264"
    jpeg_quality: int | None = None
    quality: int = 23
    matrix: Matrix = "bt709"
    preset: str = "veryfast"
    decoding: Decoding = "repeated"

    def record(self, scenes: Sequence[Floats], random: np.random.Generator) -> list[Floats]:
        """The frames (H, W, 3), sRGB-encoded 0..1, that come of consecutive scenes in linear light; of a still, one."""
        balance = np.array(self.balance, np.float32)
        scenes = scenes if self.codec else scenes[-1:]
        light = [np.clip(add_noise(s, self.shot, self.read, self.grain, random) * balance, 0, 1) for s in scenes]
        pictures = [encoded(values) ** np.float32(self.tone) for values in light]
        if self.codec is None:
            return [_still(pictures[0], self.jpeg_quality)]
        return simulate_codec(pictures, self.codec, self.quality, self.matrix, self.preset, self.decoding)


def meter_points(frame: Floats) -> Floats:
    """Point samples (h, w, 3) of a frame (H, W, 3), about `METER_POINTS` along the longer side: noise stays noise."""
    step = max(1, round(max(frame.shape) / METER_POINTS))
    return frame[::step, ::step]


def fade_color(picture: Floats) -> Floats:
    """The picture (H, W, 3), its color faded to gray in the dark between `COLOR_LEVELS`.

    As a target this keeps the network from guessing colors in the black, which would turn skies purple.
    """
    none, full = COLOR_LEVELS
    amount = np.clip((picture.max(axis=-1, keepdims=True) * 255 - none) / (full - none), 0, 1)
    gray = (picture @ np.array([0.2126, 0.7152, 0.0722], np.float32))[..., None]
    return (gray + (picture - gray) * amount).astype(np.float32)


def draw_illumination(random: np.random.Generator, height: int, width: int) -> tuple[Illumination, bool]:
    """The light of a scene, and whether it is well lit."""
    if random.random() < WELL_LIT_SHARE:
        return even(height, width, 1.0), True
    kind = random.random()
    if kind < EVEN_SHARE:
        return even(height, width, log_uniform(random, MIN_EXPOSURE, 0.7)), False
    return (mixed_night if kind < EVEN_SHARE + MIXED_SHARE else night_drive)(random, height, width), False


def draw_camera(random: np.random.Generator, well_lit: bool, mean_light: float) -> Camera:
    """The camera and codec of a scene. `mean_light` is the scene's mean in linear light.

    Noise levels are log-uniform. The widest, shot 4e-3 and read 0.02 of full scale, are those of a phone at a high ISO
    (Brooks et al., "Unprocessing images for learned raw denoising", CVPR 2019, draw shot noise from 1e-4 to 1.2e-2).
    """
    still = random.random() < STILL_SHARE
    shot, read = log_uniform(random, 2e-6, 4e-3), log_uniform(random, 1e-4, 2e-2 if still else 1e-2)
    if well_lit or random.random() < 0.15:
        shot, read = shot * 0.02, read * 0.02
    # Read noise beyond the light there is leaves nothing to learn: no camera chooses that gain.
    read = min(read, 0.25 * mean_light + 1e-4)
    grain = float(random.choice([0.0, 0.5, 0.8]))
    balance, tone = (1.0, 1.0, 1.0), 1.0
    if not well_lit and random.random() < 0.3:
        red, blue = np.exp(random.normal(0, 0.06, 2))
        balance = (float(red), 1.0, float(blue))
    if not well_lit and random.random() < 0.3:
        tone = float(np.exp(random.normal(0, 0.04)))
    if still:
        jpeg_quality = int(random.integers(60, 99)) if random.random() < 0.5 else None
        return Camera(shot, read, grain, balance, tone, None, jpeg_quality)
    codecs: list[Codec] = ["h264", "hevc", "mjpeg"]
    codec = codecs[random.choice(3, p=[0.65, 0.17, 0.18])]
    quality = int(random.integers(2, 9)) if codec == "mjpeg" else int(random.integers(18, 27 if well_lit else 35))
    preset = str(random.choice(["ultrafast", "veryfast", "medium"], p=[0.25, 0.5, 0.25]))
    matrix: Matrix = "bt601" if random.random() < 0.5 else "bt709"
    # swscale's defaults assume BT.601, so only such clips are decoded by them.
    decodings: list[Decoding] = ["repeated", "smooth", "swscale" if matrix == "bt601" else "repeated"]
    decoding = decodings[random.integers(3)]
    return Camera(shot, read, grain, balance, tone, codec, None, quality, matrix, preset, decoding)


def degrade(pictures: Sequence[Floats], random: np.random.Generator) -> list[Example]:
    """Turns consecutive clean pictures (H, W, 3), sRGB-encoded 0..1, even sides, into one or two recorded frames.

    They are the last ones of a clip, last first, since codecs need some frames to settle; of a still there is one.
    """
    light, well_lit = draw_illumination(random, *pictures[0].shape[:2])
    daylight = [linear(picture) for picture in pictures]
    scenes = [np.clip(light.field[..., None] * day + light.lamps, 0, 1) for day in daylight]
    camera = draw_camera(random, well_lit, float(np.mean(scenes[-1])))
    recorded = camera.record(scenes, random)
    gain = 1.0 if well_lit else needed_gain(light.field, scenes[-1])
    examples = []
    for back in range(1, min(2, len(recorded)) + 1):
        frame = recorded[-back]
        if random.random() < 0.5:
            frame = np.rint(frame * 255).astype(np.float32) / 255
        white = float(white_points(meter_points(frame)[None])[0])
        day = encoded(np.clip(daylight[-back] + light.lamps, 0, 1))
        examples.append(Example(frame, fade_color(encoded(scenes[-back])), day, light.stops, gain, white))
    return examples


def _still(picture: Floats, jpeg_quality: int | None) -> Floats:
    levels = np.rint(picture * 255).astype(np.uint8)
    if jpeg_quality is not None:
        packed = cv2.imencode(".jpg", levels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality])[1]
        levels = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR))[..., ::-1]
    return levels.astype(np.float32) / 255
