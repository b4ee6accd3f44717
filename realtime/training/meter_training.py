"""Training the exposure meter: from what a frame looks like to the lift in stops that it needs."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from realtime.enhance.exposure.meter import features, stops_of
from realtime.errors import TrainingError
from realtime.training.clip_sampler import ClipSampler
from realtime.training.degradation import degrade, meter_points
from realtime.training.files import training_files
from realtime.training.trainer import Progress

Floats = npt.NDArray[Any]

#: Networks whose outputs are averaged, and the widths of their hidden layers. A few small ones, started differently,
#: err less together than a large one.
MEMBERS, WIDTHS = 6, (24, 12)
#: Training of all members: samples a step, learning rate at the beginning, weight decay, steps.
BATCH, RATE, DECAY, STEPS = 128, 3e-3, 1.0, 1500
#: The meter sees some 160 points of a frame; smaller sources have no more to show.
MIN_SIDE = 96
#: Frames that a sequence has: the meter needs the last one, the codec one before it.
SEQUENCE_LENGTH = 2


class MeterSamples(NamedTuple):
    """What the meter sees of frames, float32 (N, F), and the stops that they need, float32 (N,)."""

    features: Floats
    stops: Floats


def make_samples(files: Sequence[Path], count: int, seed: int, progress: Progress | None = None) -> MeterSamples:
    """Degrades `count` scenes from `files`, most of them whole frames. Raises TrainingError."""
    sampler = ClipSampler(files, MIN_SIDE, length=SEQUENCE_LENGTH, close_up_share=0.25)
    seen, stops = [], []
    for number in range(count):
        random = np.random.default_rng([seed, number])
        pictures, _ = sampler.draw(random)
        if random.random() < 0.5:
            pictures = [np.ascontiguousarray(picture[:, ::-1]) for picture in pictures]
        example = degrade(pictures, random)[0]
        seen.append(features(meter_points(example.recorded)))
        stops.append(np.log2(example.gain))
        if progress:
            progress(number + 1, count, {})
    return MeterSamples(np.stack(seen), np.array(stops, np.float32))


def fit(samples: MeterSamples, seed: int = 0, steps: int = STEPS) -> dict[str, Floats]:
    """Fits stops to features by the Huber loss with a limit of half a stop. Returns the arrays that the meter reads.

    All members at once in NumPy (Adam with weight decay): for some thousand weights that takes a second.
    """
    random = np.random.default_rng(seed)
    mean, scale = samples.features.mean(axis=0), samples.features.std(axis=0) + 1e-3
    x = np.clip((samples.features - mean) / scale, -4, 4)
    weights: list[Floats] = []
    for inputs, outputs in itertools.pairwise((x.shape[1], *WIDTHS, 1)):
        weights.append(random.normal(0, np.sqrt(2 / inputs), (MEMBERS, inputs, outputs)).astype(np.float32))
        weights.append(np.zeros((MEMBERS, 1, outputs), np.float32))
    weights[-1] += samples.stops.mean()
    first, second = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]
    for step in range(steps):
        drawn = random.integers(0, len(x), (MEMBERS, BATCH))
        gradients = _gradients(weights, x[drawn], samples.stops[drawn][..., None])
        rate = RATE * (1 - step / steps)
        for w, g, m, v in zip(weights, gradients, first, second, strict=True):
            m += 0.1 * (g - m)
            v += 0.01 * (g * g - v)
            spread = np.sqrt(v / (1 - 0.99 ** (step + 1))) + 1e-6
            w -= rate * (m / (1 - 0.9 ** (step + 1)) / spread + (DECAY * w if w.shape[1] > 1 else 0))
    names = [kind + str(layer) for layer in range(len(WIDTHS) + 1) for kind in ("kernel", "bias")]
    arrays = {name: w[:, 0] if name.startswith("bias") else w for name, w in zip(names, weights, strict=True)}
    return {"mean": mean.astype(np.float32), "scale": scale.astype(np.float32), **arrays}


def _gradients(weights: list[Floats], x: Floats, target: Floats) -> list[Floats]:
    """The gradient of the mean Huber loss in every array of `weights`, for inputs (members, batch, F)."""
    activations = [x]
    for kernel, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        activations.append(np.maximum(activations[-1] @ kernel + bias, 0))
    gradient = np.clip(activations[-1] @ weights[-2] + weights[-1] - target, -0.5, 0.5) / x.shape[1]
    gradients: list[Floats] = []
    for layer in range(len(activations) - 1, -1, -1):
        of_kernel = activations[layer].transpose(0, 2, 1) @ gradient
        gradients = [of_kernel, gradient.sum(axis=1, keepdims=True), *gradients]
        if layer:
            gradient = gradient @ weights[2 * layer].transpose(0, 2, 1) * (activations[layer] > 0)
    return gradients


def write_meter(path: Path, arrays: dict[str, Floats]) -> None:
    """Writes a meter, whole or not at all. Raises TrainingError."""
    temporary = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise TrainingError(f"cannot write the meter {path}: {error}") from error


def train_meter(
    folders: Sequence[Path],
    path: Path,
    *,
    scenes: int,
    seed: int = 0,
    hold_out: Sequence[str] = (),
    progress: Progress | None = None,
) -> float:
    """Trains the meter on the images and clips below `folders` and writes it to `path`.

    Weights NAME.h5 use the meter NAME.meter.npz beside them. Returns the median absolute error in stops on held-out
    files. Raises TrainingError for data that cannot be used, or a file that cannot be written.
    """
    if scenes < 1:
        raise TrainingError(f"{scenes} scenes are too few for a meter; it takes some thousands")
    training, held_out = training_files(folders, hold_out)
    arrays = fit(make_samples(training, scenes, seed, progress), seed)
    write_meter(path, arrays)
    validation = make_samples(held_out, max(20, scenes // 20), seed + 1)
    return float(np.median(abs(stops_of(validation.features, arrays) - validation.stops)))
