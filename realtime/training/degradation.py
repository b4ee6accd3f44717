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
from realtime.frame import RGB, PixelFormat
from realtime.training.camera_model import Codec, Planes, add_noise, encoded, linear, simulate_codec, video_format
from realtime.training.illumination import MIN_EXPOSURE, Illumination, even, log_uniform, mixed_night, night_drive

Floats = npt.NDArray[Any]

#: Share of scenes that are well lit, whose target is the input; of the rest, shares by kind of light, with sum 1.
WELL_LIT_SHARE = 0.1
EVEN_SHARE, MIXED_SHARE, DRIVE_SHARE = 0.5, 0.3, 0.2
#: Share of scenes that are stills (8-bit RGB, PNG or JPEG) rather than video.
STILL_SHARE = 0.2


class Scene(NamedTuple):
    """Consecutive frames of one scene, of a still only the last. Pictures are (H, W, 3), sRGB-encoded 0..1.

    - `frames`: planes as the camera delivers them, in `format`.
    - `dark`: the same moments without noise, color error and codec. `daylight`: well exposed, lamps included.
    - `light`: what made it dark; ``light.stops`` is the truth for a local meter.
    """

    frames: list[Planes]
    format: PixelFormat
    dark: list[Floats]
    daylight: list[Floats]
    light: Illumination


@dataclass(frozen=True)
class SimulatedCamera:
    """How one scene is recorded.

    - `shot`, `read`, `grain`: noise as `camera_model.add_noise` takes it.
    - `balance`: factors on R, G and B. `tone`: exponent on the encoded picture.
    - `codec`: None for a still. `jpeg_quality`: None for a still without loss.
    - `quality`, `matrix`, `preset`: as `camera_model.simulate_codec` takes them.
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

    @property
    def format(self) -> PixelFormat:
        """The pixel format of what it records."""
        return RGB if self.codec is None else video_format(self.codec, self.matrix)

    def record(self, light: Sequence[Floats], random: np.random.Generator) -> list[Planes]:
        """Planes in `format` of consecutive scenes (H, W, 3) in linear light; for a still, of each on its own."""
        balance, tone = np.array(self.balance, np.float32), np.float32(self.tone)
        noisy = (add_noise(scene, self.shot, self.read, self.grain, random) for scene in light)
        pictures = [encoded(np.clip(scene * balance, 0, 1)) ** tone for scene in noisy]
        if self.codec is None:
            return [(_still(picture, self.jpeg_quality),) for picture in pictures]
        return simulate_codec(pictures, self.codec, self.quality, self.matrix, self.preset)


def draw_illumination(random: np.random.Generator, height: int, width: int) -> tuple[Illumination, bool]:
    """The light of a scene, and whether it is well lit."""
    if random.random() < WELL_LIT_SHARE:
        return even(height, width, 1.0), True
    kind = random.random()
    if kind < EVEN_SHARE:
        return even(height, width, log_uniform(random, MIN_EXPOSURE, 0.7)), False
    return (mixed_night if kind < EVEN_SHARE + MIXED_SHARE else night_drive)(random, height, width), False


def draw_camera(random: np.random.Generator, well_lit: bool, light: float) -> SimulatedCamera:
    """The camera and codec of a scene. `light` is the scene's median in linear light: lamps say nothing of the rest.

    Noise levels are log-uniform. The widest of stills, shot 4e-3 and read 0.02 of full scale, are those of a phone at a
    high ISO (Brooks et al., "Unprocessing images for learned raw denoising", CVPR 2019, draw shot noise from 1e-4 to
    1.2e-2). Video cameras denoise and encode coarsely: `statistics` compares with real clips.
    """
    still = random.random() < STILL_SHARE
    most = (4e-3, 2e-2) if still else (2e-3, 6e-3)
    shot, read = log_uniform(random, 2e-6, most[0]), log_uniform(random, 5e-5, most[1])
    if well_lit or random.random() < 0.15:
        shot, read = shot * 0.02, read * 0.02
    # Read noise beyond the light there is leaves nothing to learn: no camera chooses that gain.
    read = min(read, 0.25 * light + 1e-4)
    grain = float(random.choice([0.0, 0.5, 0.8, 1.2]))
    balance, tone = (1.0, 1.0, 1.0), 1.0
    if not well_lit and random.random() < 0.3:
        red, blue = np.exp(random.normal(0, 0.06, 2))
        balance = (float(red), 1.0, float(blue))
    if not well_lit and random.random() < 0.3:
        tone = float(np.exp(random.normal(0, 0.04)))
    if still:
        jpeg_quality = int(random.integers(60, 99)) if random.random() < 0.5 else None
        return SimulatedCamera(shot, read, grain, balance, tone, None, jpeg_quality)
    codecs: list[Codec] = ["h264", "hevc", "mjpeg"]
    codec = codecs[random.choice(3, p=[0.65, 0.17, 0.18])]
    quality = int(random.integers(2, 11)) if codec == "mjpeg" else int(random.integers(18, 27 if well_lit else 38))
    preset = str(random.choice(["ultrafast", "veryfast", "medium"], p=[0.25, 0.5, 0.25]))
    matrix: Matrix = "bt601" if random.random() < 0.5 else "bt709"
    return SimulatedCamera(shot, read, grain, balance, tone, codec, None, quality, matrix, preset)


def degrade(pictures: Sequence[Floats], random: np.random.Generator) -> Scene:
    """Turns consecutive clean pictures (H, W, 3), sRGB-encoded 0..1, even sides, into a scene that was recorded."""
    light, well_lit = draw_illumination(random, *pictures[0].shape[:2])
    daylight = [linear(picture) for picture in pictures]
    dark = [np.clip(light.field[..., None] * day + light.lamps, 0, 1) for day in daylight]
    camera = draw_camera(random, well_lit, float(np.median(dark[-1])))
    if camera.codec is None:
        dark, daylight = dark[-1:], daylight[-1:]
    lit = [encoded(np.clip(day + light.lamps, 0, 1)) for day in daylight]
    return Scene(camera.record(dark, random), camera.format, [encoded(values) for values in dark], lit, light)


def _still(picture: Floats, jpeg_quality: int | None) -> npt.NDArray[np.uint8]:
    levels = np.rint(picture * 255).astype(np.uint8)
    if jpeg_quality is not None:
        packed = cv2.imencode(".jpg", levels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality])[1]
        levels = np.ascontiguousarray(np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR))[..., ::-1])
    return levels
