"""Timings of the pipeline: each stage alone, all together, and the plain Keras way beside them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from realtime.enhance.enhancer import Enhancer
from realtime.frame import Frame, StreamInfo
from realtime.pipeline import run
from realtime.sinks.registry import open_sink
from realtime.sources.base import Source

ROUNDS = 3


def stages(
    enhancer: Enhancer, open_input: Callable[[], Source], folder: Path, *, crf: int = 18, preset: str = "veryfast"
) -> list[dict[str, Any]]:
    """Times every frame of a source through capture, inference and writing, apart and together.

    Rows: stage, frames, seconds (best of `ROUNDS`), fps. The stages take turns in one run, because machines are noisy
    and ratios less so. Two ratios come along: ``of_slowest_stage`` for the whole, ``of_inference`` for the usual
    ``model.predict`` in float32 over the same frames.
    """
    frames = list(open_input().frames())
    info = open_input().info
    made = enhancer.prepare(info, rgb=False)
    enhanced: list[Frame] = []

    def capture() -> None:
        for _ in open_input().frames():
            pass

    def infer() -> None:
        enhanced.clear()
        for first in range(0, len(frames), enhancer.batch):
            enhanced.extend(enhancer.enhance(frames[first : first + enhancer.batch]))

    def write() -> None:
        with open_sink(folder / "alone.mp4", overwrite=True, crf=crf, preset=preset) as sink:
            sink.open(made)
            for frame in enhanced:
                sink.write(frame)

    def together() -> None:
        run(open_input(), enhancer, open_sink(folder / "together.mp4", overwrite=True, crf=crf, preset=preset))

    predict = _predict(enhancer, info, min(len(frames), 4))
    timed = {"capture": capture, "inference": infer, "writing": write, "together": together, "model.predict": predict}
    best = dict.fromkeys(timed, float("inf"))
    for _ in range(ROUNDS):
        for stage, task in timed.items():
            began = perf_counter()
            task()
            best[stage] = min(best[stage], perf_counter() - began)
    best["model.predict"] *= len(frames) / min(len(frames), 4)
    slowest = max(best["capture"], best["inference"], best["writing"])
    rows: list[dict[str, Any]] = [
        {"stage": stage, "frames": len(frames), "seconds": round(took, 4), "fps": round(len(frames) / took, 2)}
        for stage, took in best.items()
    ]
    rows[3]["of_slowest_stage"] = round(best["together"] / slowest, 3)
    rows[4]["of_inference"] = round(best["model.predict"] / best["inference"], 3)
    return rows


def _predict(enhancer: Enhancer, info: StreamInfo, count: int) -> Callable[[], None]:
    """The way tutorials run a Keras model: float32, one ``predict`` call a frame."""
    model = enhancer.weights.model()
    picture = np.zeros((1, info.height, info.width, 3), np.float32)
    model.predict(picture, verbose=0)

    def task() -> None:
        for _ in range(count):
            model.predict(picture, verbose=0)

    return task


def synthetic(path: Path, width: int, height: int, count: int) -> Path:
    """Writes a dark clip of `count` frames with noise in it, 25 a second."""
    random = np.random.default_rng(0)
    with open_sink(path) as sink:
        sink.open(StreamInfo(width, height, time_base=Fraction(1, 25), rate=Fraction(25)))
        ramp = np.linspace(4, 40, width)[None, :, None]
        for place in range(count):
            picture = ramp + random.normal(0, 4, (height, width, 3))
            sink.write(Frame((np.clip(picture, 0, 255).astype(np.uint8),), pts=place, time_base=Fraction(1, 25)))
    return path
