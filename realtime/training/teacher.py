"""What the exact network answers to training scenes, taken apart as the `fast` engine takes frames apart, on disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime.enhance.device import choose_device, choose_precision
from realtime.enhance.engines.exact.graph import compile_network
from realtime.enhance.engines.fast.pyramid import Workspace, apply_lut
from realtime.enhance.engines.fast.tone_lut import TOP, curves
from realtime.enhance.exposure.meter import develop, neutral
from realtime.enhance.tensorflow_loader import tf
from realtime.enhance.weights import Weights
from realtime.frame import PixelFormat
from realtime.training import data
from realtime.training.camera_model import MATRICES, to_rgb, to_yuv

Floats = npt.NDArray[np.float32]
Sample = dict[str, Floats]

#: Scenes reach the engine in this form, as most cameras and files do.
FORMAT = PixelFormat("yuv", 8, (2, 2), "bt709", full_range=False)
#: Sides of crops and their corners divide by this: an eighth of them is even, so that a crop can be mirrored.
GRID = 16


class Teacher:
    """Answers scenes with the exact network; `metered` weights see them developed, others as they are."""

    def __init__(self, weights: Weights, metered: bool) -> None:
        self._weights, self._metered = weights, metered
        self._curves = curves(FORMAT)

    @cached_property
    def _network(self) -> Any:
        # Seconds to build, and not needed where all answers are on disk.
        network = compile_network(self._weights.model(), tf.as_dtype(choose_precision("auto", choose_device("auto"))))
        return tf.function(
            lambda rgb, gain, white: tf.clip_by_value(network(develop(neutral(rgb, gain), gain, white)), 0.0, 1.0)
        )

    def sample(self, frame: Path, folder: Path) -> Path:
        """The file in `folder` of the sample for a frame of a pool, made where it is not there yet."""
        path = folder / frame.name
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            made = self._answer(frame)
            fresh = path.with_suffix(".new")
            with fresh.open("wb") as file:
                np.savez(file, **{name: part.astype(np.float16) for name, part in made.items()})  # type: ignore[arg-type]
            os.replace(fresh, path)
        return path

    def _answer(self, frame: Path) -> Sample:
        """Planes (H, W, 1) and so on in 0..1: the pyramid, what the student sees, and the answer's luma and chroma."""
        example = data.load(frame)
        # The meter will not be right to the digit, so the student sees exposures around the right one.
        spread = float(np.exp(np.random.default_rng([len(frame.name), *frame.name.encode()]).normal(0, 0.25)))
        gain = float(np.clip(example.gain * spread, 1, 64)) if example.gain > 1 and self._metered else 1.0
        height, width = (side // GRID * GRID for side in example.recorded.shape[:2])
        yuv = to_yuv(np.ascontiguousarray(example.recorded[:height, :width].astype(np.float32)))
        planes = yuv[height:].reshape(2, height // 2, width // 2)
        curve, canvas = self._curves(gain, example.white), Workspace(width, height, FORMAT.matrix)
        blue, red = (apply_lut(plane, curve.chroma, canvas.chroma()) for plane in planes)
        pyramid = canvas.decompose(yuv[:height], blue, red, curve)
        exposure = (tf.constant([value], tf.float32) for value in (gain, example.white))
        answer = self._network(tf.constant(to_rgb(yuv)[None]), *exposure)[0].numpy()
        kr, kb = MATRICES[709]
        luma = answer @ np.array([kr, 1 - kr - kb, kb], np.float32)
        colors = [(answer[..., 2] - luma) / (2 - 2 * kb), (answer[..., 0] - luma) / (2 - 2 * kr)]
        halves = [c.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3)) for c in colors]
        return {
            "luma": pyramid.luma[..., None] / np.float32(TOP),
            "gray": pyramid.gray[..., None] / np.float32(TOP),
            "eighth": pyramid.eighth[..., None],
            "seen": pyramid.seen,
            "wanted": luma[..., None],
            "color": np.stack(halves, axis=-1),
        }


def draw(samples: Sequence[Path], batch: int, crop: int, random: np.random.Generator) -> Sample:
    """A batch of random crops, turned and mirrored, of a size that divides by `GRID`; reduced parts accordingly."""
    crops: dict[str, list[Floats]] = {}
    for index in random.integers(0, len(samples), batch):
        with np.load(samples[index]) as held:
            parts = {name: held[name] for name in held.files}
        height, width = parts["luma"].shape[:2]
        y, x = (int(random.integers(0, (side - crop) // GRID + 1)) * GRID for side in (height, width))
        turns, mirror = int(random.integers(4)), bool(random.integers(2))
        for name, part in parts.items():
            by = height // part.shape[0]
            cut = np.rot90(part[y // by : (y + crop) // by, x // by : (x + crop) // by], turns)
            crops.setdefault(name, []).append(cut[:, ::-1] if mirror else cut)
    return {name: np.stack(parts).astype(np.float32) for name, parts in crops.items()}


def whole(sample: Path) -> Sample:
    """One sample as a batch of one."""
    with np.load(sample) as held:
        return {name: held[name][None].astype(np.float32) for name in held.files}
