"""Short clean sequences from images and clips, at random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from realtime.errors import TrainingError
from realtime.media.containers import VIDEO_INPUT_SUFFIXES
from realtime.training.files import read_clip, read_image

Floats = npt.NDArray[Any]

#: Height and width of scenes.
SCENE_SIZE = (288, 384)
#: Frames of a sequence, of which codecs settle on the later ones.
SEQUENCE_LENGTH = 6
#: One source in so many is a clip, where there are clips and images. Short clips count for less.
CLIP_SHARE = 0.35
#: Share of images that stand still, as from a camera on a wall; the others move as from an unsteady hand.
STANDING_SHARE = 0.4
#: Frames behind a clip's key frame that a sequence may begin at.
MAX_SKIPPED_FRAMES = 40
#: What helps where crops decide how small a file may be.
SMALLER_CROP = {"crop": "a smaller {} takes it"}


class ClipSampler:
    """Draws sequences of `SCENE_SIZE`: whole frames, and close-ups down to one pixel of the source to one of the scene.

    Some images move. Raises TrainingError when there are no files, and when a file that is drawn is
    unreadable or smaller than `min_side` pixels either way.
    """

    def __init__(
        self,
        files: Sequence[Path],
        min_side: int,
        *,
        length: int = SEQUENCE_LENGTH,
        close_up_share: float = 0.6,
        remedies: Mapping[str, str] | None = None,
    ) -> None:
        """`remedies` are those of the error for a file that is too small, beside removing it."""
        if not files:
            raise TrainingError("no file is left for training; hold out fewer or add some")
        self._length, self._close_up_share = length, close_up_share
        self._min_side, self._remedies = min_side, remedies
        self._clips = [f for f in files if f.suffix.lower() in VIDEO_INPUT_SUFFIXES]
        self._images = [f for f in files if f.suffix.lower() not in VIDEO_INPUT_SUFFIXES]
        sizes = np.array([f.stat().st_size for f in self._clips], np.float64)
        self._odds = sizes / sizes.sum() if len(sizes) else sizes

    def draw(self, random: np.random.Generator) -> tuple[list[Floats], Path]:
        """A sequence, float32 RGB (H, W, 3) in 0..1 each, and the file that it is from."""
        if self._clips and (not self._images or random.random() < CLIP_SHARE):
            path = self._clips[random.choice(len(self._clips), p=self._odds)]
            frames = read_clip(path, self._length, random.random(), int(random.integers(0, MAX_SKIPPED_FRAMES)))
            moves, zoom = np.zeros((self._length, 2)), 1.0
        else:
            path = self._images[random.integers(len(self._images))]
            frames = [read_image(path)] * self._length
            shake = np.cumsum(random.normal(0, random.choice([0, 0.5, 2.0]), (self._length, 2)), axis=0)
            moves = shake + np.outer(np.arange(self._length), random.normal(0, 1.5, 2))
            zoom = 1 + random.normal(0, 0.004)
            if random.random() < STANDING_SHARE:
                moves, zoom = np.zeros((self._length, 2)), 1.0
        height, width = frames[0].shape[:2]
        if min(height, width) < self._min_side:
            raise TrainingError(
                f"{path} is {width}x{height}, smaller than {self._min_side} pixels: remove it", remedies=self._remedies
            )
        return self._cut(frames, moves, zoom, random), path

    def _cut(self, frames: Sequence[Floats], moves: Floats, zoom: float, random: np.random.Generator) -> list[Floats]:
        """A window of each frame, as a scene. `moves` (N, 2) are in pixels of the scene, `zoom` is per frame."""
        height, width = SCENE_SIZE
        size = np.array(frames[0].shape[:2])
        # Pixels of the source for each of the scene: as many as fit, or for close-ups down to one.
        largest = scale = float(min(size / SCENE_SIZE))
        if random.random() < self._close_up_share:
            scale = float(np.exp(random.uniform(min(0, np.log(largest)), np.log(max(largest, 1)))))
        room = np.maximum(size - np.array(SCENE_SIZE) * scale, 0)
        corner = random.uniform(0, 1, 2) * room
        pictures = []
        for index, frame in enumerate(frames):
            y, x = np.clip(corner + moves[index] * scale, 0, room)
            ratio = min(scale * zoom**index, largest)
            part = frame[int(y) : int(y + height * ratio), int(x) : int(x + width * ratio)]
            interpolation = cv2.INTER_AREA if ratio > 1 else cv2.INTER_CUBIC
            pictures.append(np.clip(cv2.resize(part, (width, height), interpolation=interpolation), 0, 1))
        return pictures
