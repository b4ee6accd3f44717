"""Targets for the fast engine's student: the exact network's output for scenes, on disk, and what the student sees."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime.color import rgb_to_ycbcr
from realtime.enhance import mbllen
from realtime.enhance.device import choose_device, choose_precision
from realtime.enhance.engines.base import ProgramSpec
from realtime.enhance.engines.exact.graph import compile_network
from realtime.enhance.engines.fast.planes import Reader
from realtime.enhance.engines.fast.pyramid import TOP
from realtime.enhance.tensorflow_loader import tf
from realtime.enhance.weights import Weights
from realtime.frame import RGB
from realtime.training.scene_cache import load

Floats = npt.NDArray[np.float32]
Sample = dict[str, Floats]

#: Sides of crops and their offsets are multiples of this: an eighth of them is even, so that a crop can be mirrored.
CROP_MULTIPLE = 16


class Teacher:
    """Makes targets with the exact network."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights

    @cached_property
    def _network(self) -> Any:
        # Takes seconds to build, and is not needed where all targets are on disk.
        network = compile_network(
            mbllen.load(self._weights), tf.as_dtype(choose_precision("auto", choose_device("auto")))
        )
        return tf.function(lambda rgb: tf.clip_by_value(network(rgb), 0.0, 1.0), autograph=False)

    def target_file(self, frame: Path, folder: Path) -> Path:
        """The file in `folder` of the sample of a cached frame. Makes it where it is not there yet."""
        path = folder / frame.name
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            sample = self._sample(frame)
            temporary = path.with_suffix(".new")
            with temporary.open("wb") as file:
                np.savez(file, **{name: part.astype(np.float16) for name, part in sample.items()})  # type: ignore[arg-type]
            os.replace(temporary, path)
        return path

    def _sample(self, frame: Path) -> Sample:
        """Parts (H, W, C) in 0..1, chroma about 0: the pyramid, what the student sees, and the target's planes."""
        example = load(frame)
        height, width = example.fine.luma.shape
        assert height % CROP_MULTIPLE == width % CROP_MULTIPLE == 0, "scenes have such sizes"
        reader = Reader(ProgramSpec(width, height, 1, RGB, RGB))
        pyramid = reader.workspace.decompose(*reader(example.fine))
        output = self._network(tf.constant(example.recorded[None]))[0].numpy()
        luma, *chroma = (output @ np.array(row, np.float32) for row in rgb_to_ycbcr(example.matrix))
        halves = [plane.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3)) for plane in chroma]
        return {
            "luma": pyramid.luma[..., None] / np.float32(TOP),
            "gray": pyramid.quarter[..., None],
            "eighth": pyramid.eighth[..., None],
            "features": pyramid.features,
            "target_luma": luma[..., None],
            "target_chroma": np.stack(halves, axis=-1),
        }


def draw(samples: Sequence[Path], batch: int, crop: int, random: np.random.Generator) -> Sample:
    """Random crops, turned and mirrored, of a size that is a multiple of `CROP_MULTIPLE`; reduced parts accordingly."""
    crops: dict[str, list[Floats]] = {}
    for index in random.integers(0, len(samples), batch):
        with np.load(samples[index]) as arrays:
            parts = {name: arrays[name] for name in arrays.files}
        height, width = parts["luma"].shape[:2]
        y, x = (int(random.integers(0, (side - crop) // CROP_MULTIPLE + 1)) * CROP_MULTIPLE for side in (height, width))
        turns, mirror = int(random.integers(4)), bool(random.integers(2))
        for name, part in parts.items():
            scale = height // part.shape[0]
            cut = np.rot90(part[y // scale : (y + crop) // scale, x // scale : (x + crop) // scale], turns)
            crops.setdefault(name, []).append(cut[:, ::-1] if mirror else cut)
    return {name: np.stack(parts).astype(np.float32) for name, parts in crops.items()}


def whole_sample(sample: Path) -> Sample:
    """One sample as a batch of one."""
    with np.load(sample) as arrays:
        return {name: arrays[name][None].astype(np.float32) for name in arrays.files}
