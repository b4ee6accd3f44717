"""Learning the meter: from what a frame looks like to the lift in stops that it needs."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from realtime.enhance.exposure.meter import features, stops_of
from realtime.training.data import Shots, find, split
from realtime.training.degradation import darken, points
from realtime.training.trainer import Progress

Floats = npt.NDArray[Any]

#: A few small networks, started differently, err less together than a large one.
MEMBERS, WIDTHS = 6, (24, 12)
BATCH, RATE, DECAY = 128, 3e-3, 1.0


class Views(NamedTuple):
    """Frames as the meter sees them: features (N, F), the stops they need (N,), and the source of each."""

    seen: Floats
    stops: Floats
    sources: list[str]


def look(files: Sequence[Path], count: int, seed: int, progress: Progress | None = None) -> Views:
    """Film ``count`` dark scenes of whole frames, or most of them, from ``files``."""
    shots = Shots(files, crop=96, sequence=2, close=0.25)
    seen, stops, sources = [], [], []
    for number in range(count):
        random = np.random.default_rng([seed, number])
        pictures, source = shots.named(random)
        if random.random() < 0.5:
            pictures = [np.ascontiguousarray(picture[:, ::-1]) for picture in pictures]
        example = darken(pictures, random)[0]
        seen.append(features(points(example.recorded)))
        stops.append(np.log2(example.gain))
        sources.append(source.stem)
        if progress:
            progress(number + 1, count, {})
    return Views(np.stack(seen), np.array(stops, np.float32), sources)


def fit(views: Views, seed: int = 0, steps: int = 1500) -> dict[str, Floats]:
    """Learn stops from features by the Huber loss, half a stop being a small error; the arrays `meter.measure` reads.

    All members at once in plain numpy (Adam, weight decay): some thousand weights need no framework, and a second does.
    """
    random = np.random.default_rng(seed)
    mean, scale = views.seen.mean(axis=0), views.seen.std(axis=0) + 1e-3
    x = np.clip((views.seen - mean) / scale, -4, 4)
    sizes = (x.shape[1], *WIDTHS, 1)
    weights: list[Floats] = []
    for width, following in itertools.pairwise(sizes):
        weights.append(random.normal(0, np.sqrt(2 / width), (MEMBERS, width, following)).astype(np.float32))
        weights.append(np.zeros((MEMBERS, 1, following), np.float32))
    weights[-1] += views.stops.mean()
    first, second = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]
    for step in range(steps):
        drawn = random.integers(0, len(x), (MEMBERS, BATCH))
        slopes = _slopes(weights, x[drawn], views.stops[drawn][..., None])
        rate = RATE * (1 - step / steps)
        for w, g, m, v in zip(weights, slopes, first, second, strict=True):
            m += 0.1 * (g - m)
            v += 0.01 * (g * g - v)
            fair = np.sqrt(v / (1 - 0.99 ** (step + 1))) + 1e-6
            w -= rate * (m / (1 - 0.9 ** (step + 1)) / fair + (DECAY * w if w.shape[1] > 1 else 0))
    names = [kind + str(layer) for layer in range(len(WIDTHS) + 1) for kind in ("kernel", "bias")]
    learned = {name: w[:, 0] if name.startswith("bias") else w for name, w in zip(names, weights, strict=True)}
    return {"mean": mean.astype(np.float32), "scale": scale.astype(np.float32), **learned}


def _slopes(weights: list[Floats], x: Floats, wanted: Floats) -> list[Floats]:
    """The gradient of the mean Huber loss in every array of ``weights``, for inputs (members, batch, F)."""
    seen = [x]
    for kernel, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        seen.append(np.maximum(seen[-1] @ kernel + bias, 0))
    slope = np.clip(seen[-1] @ weights[-2] + weights[-1] - wanted, -0.5, 0.5) / x.shape[1]
    slopes: list[Floats] = []
    for layer in range(len(seen) - 1, -1, -1):
        slopes = [seen[layer].transpose(0, 2, 1) @ slope, slope.sum(axis=1, keepdims=True), *slopes]
        if layer:
            slope = slope @ weights[2 * layer].transpose(0, 2, 1) * (seen[layer] > 0)
    return slopes


def write(path: Path, learned: dict[str, Floats]) -> None:
    """Write the learned meter, whole or not at all."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        arrays: dict[str, Any] = learned
        np.savez_compressed(file, **arrays)
    os.replace(fresh, path)


def learn(
    folders: Sequence[Path],
    path: Path,
    *,
    count: int = 8000,
    seed: int = 0,
    hold_out: Sequence[str] = (),
    progress: Progress | None = None,
) -> float:
    """Learn the meter from images and clips below ``folders``, write it to ``path``, answer its error in stops.

    The error is the median absolute one on held-out files. Raises `TrainingError` for data that cannot be used.
    """
    training, held = split(find(folders), also=hold_out)
    learned = fit(look(training, count, seed, progress), seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, learned)
    exam = look(held or training, max(20, count // 20), seed + 1)
    return float(np.median(abs(stops_of(exam.seen, learned) - exam.stops)))
