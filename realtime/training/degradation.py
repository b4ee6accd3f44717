"""From a well exposed picture to what a camera would have recorded of it at night, with the truth beside it.

The order is the camera's: light falls on the scene (linear), the sensor adds noise, the camera's color balance and
tone curve are slightly off, 8 bits and a codec follow. The truth is the dark scene before all of that but the light;
both are developed with the same exposure later, so the network learns to undo the camera and leaves exposure alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from realtime.enhance.exposure.meter import encoded, linear, whites
from realtime.training.camera_model import Codec, Decoded, add_noise, film
from realtime.training.illumination import DARKEST, log_uniform, needed_gain, uneven

Floats = npt.NDArray[Any]

#: Share of scenes whose light is even, and of those with nothing wrong, whose answer is the input.
EVEN, WELL_LIT = 0.55, 0.1
#: Share of scenes that are stills (8-bit RGB, PNG or JPEG) rather than video.
STILLS = 0.2
#: The meter sees about this many points along the longer side of a frame.
GRID = 160


class Example(NamedTuple):
    """One frame: what was recorded and the truth, (H, W, 3) sRGB-encoded 0..1; the scene's gain and measured white."""

    recorded: Floats
    truth: Floats
    gain: float
    white: float


def points(frame: Floats) -> Floats:
    """Point samples (h, w, 3) of a frame (H, W, 3), about `GRID` along the longer side: noise stays noise."""
    step = max(1, round(max(frame.shape) / GRID))
    return frame[::step, ::step]


def settle(scene: Floats) -> Floats:
    """The truth that can be asked for: color fades to gray from level 6 of 255 to level 2, where no video holds any.

    Without this the network would be taught to guess colors in the black, which is how skies turn purple.
    """
    level = np.clip((scene.max(axis=-1, keepdims=True) * 255 - 2) / 4, 0, 1)
    gray = scene @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    return (gray[..., None] + (scene - gray[..., None]) * level).astype(np.float32)


def _still(picture: Floats, random: np.random.Generator) -> Floats:
    levels = np.rint(picture * 255).astype(np.uint8)
    if random.random() < 0.5:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(60, 99))]
        packed = cv2.imencode(".jpg", levels[..., ::-1], quality)[1]
        levels = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR))[..., ::-1]
    return levels.astype(np.float32) / 255


def darken(pictures: Sequence[Floats], random: np.random.Generator) -> list[Example]:
    """Turn consecutive clean pictures (H, W, 3), encoded 0..1 with even sides, into up to two recorded frames.

    Noise levels are log-uniform; the widest, shot 4e-3 and read 0.02 of full scale, are those of a phone at a high ISO
    (Brooks et al., "Unprocessing images for learned raw denoising", CVPR 2019, sample shot noise from 1e-4 to 1.2e-2).
    """
    height, width = pictures[0].shape[:2]
    even, lit = random.random() < EVEN, random.random() < WELL_LIT
    lamps = np.zeros((height, width, 3), np.float32)
    if lit:
        field = np.ones((height, width), np.float32)
    elif even:
        field = np.full((height, width), log_uniform(random, DARKEST, 0.7), np.float32)
    else:
        field, lamps = uneven(random, height, width)
    scenes = [np.clip(linear(picture) * field[..., None] + lamps, 0, 1) for picture in pictures]
    gain = 1.0 if lit else needed_gain(field, scenes[-1])

    still = random.random() < STILLS
    clean = lit or random.random() < 0.15
    shot, read = log_uniform(random, 2e-6, 4e-3), log_uniform(random, 1e-4, 2e-2 if still else 1e-2)
    if clean:
        shot, read = shot * 0.02, read * 0.02
    # Read noise beyond the light there is leaves nothing to learn: no camera chooses that gain.
    read = min(read, 0.25 * float(np.mean(scenes[-1])) + 1e-4)
    grain = random.choice([0.0, 0.5, 0.8])
    balance, tone = np.ones(3, np.float32), 1.0
    if not lit and random.random() < 0.3:
        balance = np.exp(random.normal(0, [0.06, 0.0, 0.06])).astype(np.float32)
    if not lit and random.random() < 0.3:
        tone = float(np.exp(random.normal(0, 0.04)))
    noisy = [np.clip(add_noise(scene, shot, read, grain, random) * balance, 0, 1) for scene in scenes]
    taken = [encoded(light) ** np.float32(tone) for light in noisy]

    if still:
        recorded = [_still(taken[-1], random)]
    else:
        codec: Codec = random.choice(["h264", "hevc", "mjpeg"], p=[0.65, 0.17, 0.18])
        coarse = 26 if lit else 34
        quality = int(random.integers(2, 9)) if codec == "mjpeg" else int(random.integers(18, coarse + 1))
        preset = str(random.choice(["ultrafast", "veryfast", "medium"], p=[0.25, 0.5, 0.25]))
        matrix = 601 if random.random() < 0.5 else 709
        # swscale's defaults assume BT.601, so only such clips are decoded by them.
        decoded: Decoded = random.choice(["repeated", "smooth", "plain" if matrix == 601 else "repeated"])
        recorded = film(taken, codec, quality, matrix, preset, decoded)
    examples = []
    for back in range(1, min(2, len(recorded)) + 1):
        frame = recorded[-back]
        if random.random() < 0.5:
            frame = np.rint(frame * 255).astype(np.float32) / 255
        white = float(whites(points(frame)[None])[0])
        examples.append(Example(frame, settle(encoded(scenes[-back])), gain, white))
    return examples
