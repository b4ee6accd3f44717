"""What real night clips and degraded scenes look like in numbers: ``python -m realtime.training.statistics CLIP...``.

``--degraded DATA`` adds rows of scenes that were made from the pictures and clips below a folder as training makes
them: quantiles over all, so that one can see whether real clips lie within.
"""

from __future__ import annotations

import argparse
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from realtime.enhance.exposure.fine import STEPS, Fine, to_fine
from realtime.sources.registry import open_source
from realtime.training.clip_sampler import SEQUENCE_LENGTH, ClipSampler
from realtime.training.degradation import degrade
from realtime.training.files import find_training_files
from realtime.training.night_metrics import BRIGHTNESS_WINDOW, STILL_CHANGE, STILL_SHARE

Floats = npt.NDArray[Any]

#: Limits of luma, in levels of 255, between which noise is measured.
LUMA_LIMITS = (0, 3, 6, 12, 24, 48, 96, 192)
#: Places that noise is measured on, at least.
LEAST_PIXELS = 200
#: Frames before those that are measured, so that the codec has settled.
SKIPPED_FRAMES = 30


@dataclass(frozen=True)
class ClipStatistics:
    """Of some consecutive frames; NaN where there is too little.

    - `noise`: standard deviation of luma over time, in levels, in still places, for each interval of `LUMA_LIMITS`.
    - `chroma`: the same of Cb and Cr, of all levels.
    - `unchanged`: share of still places whose luma does not change from one frame to the next.
    - `grain`: correlation of the noise of neighboring pixels.
    - `blocks`: mean step across the lines of the 8-pixel grid over that across the others.
    - `empty`: share below level 3.
    """

    noise: tuple[float, ...]
    chroma: float
    unchanged: float
    grain: float
    blocks: float
    empty: float


def measure(frames: Sequence[Fine]) -> ClipStatistics:
    """The statistics of consecutive frames of one size."""
    luma = np.stack([frame.luma for frame in frames]).astype(np.float32) / STEPS
    mean = luma.mean(axis=0)
    smooth = np.stack([cv2.blur(plane, BRIGHTNESS_WINDOW) for plane in luma])
    still = smooth.max(axis=0) - smooth.min(axis=0) < STILL_CHANGE + STILL_SHARE * mean
    deviation = luma.std(axis=0, ddof=1)
    intervals = itertools.pairwise(LUMA_LIMITS)
    noise = tuple(_mean(deviation[still & (mean >= low) & (mean < high)]) for low, high in intervals)
    change = np.diff(luma, axis=0)[:, still]
    return ClipStatistics(
        noise,
        _chroma(frames, still),
        _mean((change == 0).ravel()) if change.size else math.nan,
        _grain(luma - mean, still),
        float(np.mean([_blocks(plane) for plane in luma])),
        float((mean < LUMA_LIMITS[1]).mean()),
    )


def of_clip(path: Path, count: int) -> ClipStatistics:
    """The statistics of `count` frames of a clip. Raises SourceError."""
    frames: list[Fine] = []
    with open_source(str(path)) as source:
        for index, frame in enumerate(source.frames()):
            if index >= SKIPPED_FRAMES:
                frames.append(to_fine(frame.planes, frame.format))
            if len(frames) == count:
                break
    return measure(frames)


def of_degraded(folder: Path, scenes: int, seed: int = 0) -> list[ClipStatistics]:
    """The statistics of scenes as training makes them, stills and well lit ones left out. Raises TrainingError."""
    sampler = ClipSampler(find_training_files([folder]), 96)
    found: list[ClipStatistics] = []
    number = 0
    while len(found) < scenes:
        random = np.random.default_rng([seed, number])
        scene = degrade(sampler.draw(random)[0], random)
        number += 1
        if len(scene.frames) > 1 and scene.light.stops.max() > 1:
            found.append(measure([to_fine(planes, scene.format) for planes in scene.frames]))
    return found


def quantile(rows: Sequence[ClipStatistics], share: float) -> ClipStatistics:
    """The quantile of each number over `rows`."""
    values: dict[str, Any] = {}
    for field in fields(ClipStatistics):
        column = np.array([getattr(row, field.name) for row in rows], np.float64)
        # A column without any number stays NaN.
        known = np.where(np.isnan(column).all(axis=0), 0, column)
        result = np.where(np.isnan(column).all(axis=0), math.nan, np.nanquantile(known, share, axis=0))
        values[field.name] = tuple(result.tolist()) if result.ndim else float(result)
    return ClipStatistics(**values)


def row(name: str, statistics: ClipStatistics) -> str:
    """A row of a Markdown table."""
    numbers = [*statistics.noise, statistics.chroma, statistics.unchanged, statistics.grain]
    numbers += [statistics.blocks, statistics.empty]
    return f"| {name} | " + " | ".join("" if math.isnan(value) else f"{value:.2f}" for value in numbers) + " |"


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size >= LEAST_PIXELS else math.nan


def _chroma(frames: Sequence[Fine], still: npt.NDArray[np.bool_]) -> float:
    if frames[0].blue is None or frames[0].red is None:
        return math.nan
    size = frames[0].blue.shape
    where = cv2.resize(still.astype(np.uint8), size[::-1], interpolation=cv2.INTER_NEAREST).astype(bool)
    planes = ([frame.blue for frame in frames], [frame.red for frame in frames])
    stacked = (np.stack(plane).astype(np.float32) / STEPS for plane in planes)  # type: ignore[arg-type]
    return float(np.mean([_mean(plane.std(axis=0, ddof=1)[where]) for plane in stacked]))


def _grain(noise: Floats, still: npt.NDArray[np.bool_]) -> float:
    """Correlation of horizontal neighbors, in still places that change at all."""
    where = still[:, 1:] & still[:, :-1] & (np.abs(noise).max(axis=0)[:, 1:] > 0)
    left, right = noise[:, :, :-1][:, where], noise[:, :, 1:][:, where]
    power = float(np.sqrt((left**2).mean() * (right**2).mean())) if left.size >= LEAST_PIXELS else 0.0
    return float((left * right).mean()) / power if power > 0 else math.nan


def _blocks(plane: Floats) -> float:
    steps = [abs(np.diff(plane, axis=1)).mean(axis=0), abs(np.diff(plane, axis=0)).mean(axis=1)]
    on_grid = np.concatenate([s[7::8] for s in steps])
    off_grid = np.concatenate([np.delete(s, np.s_[7::8]) for s in steps])
    return float((on_grid.mean() + 0.05) / (off_grid.mean() + 0.05))


def main() -> None:
    parser = argparse.ArgumentParser(prog="realtime.training.statistics", description=__doc__)
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--degraded", type=Path, metavar="DATA", help="a folder of pictures and clips")
    parser.add_argument("--scenes", type=int, default=60, help="default: 60")
    args = parser.parse_args()
    intervals = [f"noise {low}-{high}" for low, high in itertools.pairwise(LUMA_LIMITS)]
    head = ["clip", *intervals, "chroma", "unchanged", "grain", "blocks", "empty"]
    print("| " + " | ".join(head) + " |\n|" + " --- |" * len(head))
    for path in args.clips:
        print(row(path.stem[:40], of_clip(path, SEQUENCE_LENGTH)), flush=True)
    if args.degraded is not None:
        rows = of_degraded(args.degraded, args.scenes)
        for share in (0.1, 0.25, 0.5, 0.75, 0.9):
            print(row(f"degraded, {share:.0%}", quantile(rows, share)), flush=True)


if __name__ == "__main__":
    main()
