"""Timings of the pipeline: each stage alone, all together, and the plain Keras way beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from realtime.config import EncodingOptions
from realtime.enhance import mbllen
from realtime.enhance.enhancer import Enhancer
from realtime.frame import Frame, StreamInfo
from realtime.pipeline import run
from realtime.sinks.registry import open_sink
from realtime.sources.base import Source

#: Timings of each stage, of which the best counts.
ROUNDS = 3
#: ``model.predict`` gets at most so many frames: it is slow, and takes the same time for each.
PREDICTED_FRAMES = 4


def stages(
    enhancer: Enhancer, open_input: Callable[[], Source], folder: Path, encoding: EncodingOptions | None = None
) -> list[dict[str, Any]]:
    """Times all frames of a source through capture, inference and writing, apart and together.

    Rows: `stage`, `frames`, `seconds` (best of `ROUNDS`), `fps`, and what computes. The stages take turns in one run,
    because machines are noisy and ratios less so. ``together`` has its speed relative to the slowest stage,
    ``model.predict`` (float32, the same frames) its time relative to inference.
    """
    with open_input() as source:
        info, frames = source.info, list(source.frames())
    target = open_sink(folder / "alone.mp4", encoding, overwrite=True).format_for(info)
    session = enhancer.session(info, target)
    enhanced: list[Frame] = []

    def capture() -> None:
        with open_input() as source:
            for _ in source.frames():
                pass

    def infer() -> None:
        session.restart()
        enhanced.clear()
        for first in range(0, len(frames), session.batch):
            enhanced.extend(session.process(frames[first : first + session.batch]))

    def write() -> None:
        with open_sink(folder / "alone.mp4", encoding, overwrite=True) as sink:
            sink.open(replace(info, format=sink.format_for(info)))
            for frame in enhanced:
                sink.write(frame)

    def together() -> None:
        run(open_input(), enhancer, open_sink(folder / "together.mp4", encoding, overwrite=True))

    predicted = min(len(frames), PREDICTED_FRAMES)
    predict = _predict(enhancer, info, predicted)
    timed = {"capture": capture, "inference": infer, "writing": write, "together": together, "model.predict": predict}
    best = dict.fromkeys(timed, float("inf"))
    for _ in range(ROUNDS):
        for stage, task in timed.items():
            began = perf_counter()
            task()
            best[stage] = min(best[stage], perf_counter() - began)
    best["model.predict"] *= len(frames) / predicted
    about = {name: value for name, value in asdict(session.describe()).items() if name != "governor"}
    session.close()
    rows: list[dict[str, Any]] = [
        {"stage": stage, "frames": len(frames), "seconds": round(took, 4), "fps": round(len(frames) / took, 2)} | about
        for stage, took in best.items()
    ]
    slowest = max(best["capture"], best["inference"], best["writing"])
    rows[3]["of_slowest_stage"] = round(best["together"] / slowest, 3)
    rows[4]["of_inference"] = round(best["model.predict"] / best["inference"], 3)
    return rows


def _predict(enhancer: Enhancer, info: StreamInfo, count: int) -> Callable[[], None]:
    """How tutorials run a Keras model: float32, one ``predict`` call a frame."""
    model = mbllen.load(enhancer.weights)
    picture = np.zeros((1, info.height, info.width, 3), np.float32)
    model.predict(picture, verbose=0)

    def task() -> None:
        for _ in range(count):
            model.predict(picture, verbose=0)

    return task


def synthetic(path: Path, width: int, height: int, count: int) -> Path:
    """Writes a dark clip of `count` frames with noise in it, 25 a second. Returns `path`."""
    random = np.random.default_rng(0)
    with open_sink(path) as sink:
        sink.open(StreamInfo(width, height, time_base=Fraction(1, 25), rate=Fraction(25)))
        ramp = np.linspace(4, 40, width)[None, :, None]
        for index in range(count):
            picture = ramp + random.normal(0, 4, (height, width, 3))
            sink.write(Frame((np.clip(picture, 0, 255).astype(np.uint8),), pts=index, time_base=Fraction(1, 25)))
    return path
