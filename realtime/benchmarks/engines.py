"""How fast the network runs: every size, batch and precision against this machine's own convolution peak.

Everything takes turns in one run, once a round: machines are shared and drift, ratios drift less.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import numpy as np

from realtime.benchmarks.memory import memory_mb
from realtime.benchmarks.runtimes import runtimes
from realtime.enhance.backend import tf
from realtime.enhance.device import choose_device
from realtime.enhance.engine import Job
from realtime.enhance.engines import create
from realtime.enhance.network import MULTIPLY_ADDS
from realtime.enhance.weights import Weights
from realtime.frame import PixelFormat

#: What cameras deliver and encoders take.
VIDEO = PixelFormat("yuv", 8, (2, 2), "bt709", full_range=False)
#: The convolution that stands for the machine's peak: large enough to fill every unit, small enough for the caches.
PEAK = {"channels": 128, "height": 120, "width": 160, "kernel": 3}


@dataclass(frozen=True)
class Timing:
    """One row. `teraflops` counts two operations for each of MBLLEN's multiply-adds, whatever an engine really does;
    `of_peak` is its share of the peak convolution in the same precision and run; `of_predict` says how many times as
    fast as ``model.predict`` in float32 at that size it is; `memory_mb` is the process's peak so far."""

    what: str
    precision: str
    width: int
    height: int
    batch: int
    fps: float
    p50_ms: float
    p95_ms: float
    teraflops: float | None
    of_peak: float | None
    of_predict: float | None
    memory_mb: int


def engines(
    weights: Weights,
    device: str,
    sizes: Sequence[tuple[int, int]],
    batches: Sequence[int],
    precisions: Sequence[str],
    *,
    names: Sequence[str] = ("exact",),
    rounds: int = 7,
) -> list[dict[str, Any]]:
    """Times the engines of these names, ``model.predict`` and what other runtimes are installed; rows as in `Timing`.

    Engines are timed from 8-bit 4:2:0 planes to such planes, the others from float RGB to float RGB.
    """
    device = choose_device(device)
    model = weights.model()
    rows: list[dict[str, Any]] = []
    for width, height in sizes:
        tasks: dict[tuple[str, str, int], Callable[[], object]] = {}
        picture = np.random.default_rng(0).random((1, height, width, 3), np.float32)
        tasks["model.predict", "float32", 1] = lambda p=picture: model.predict(p, verbose=0)  # type: ignore[misc]
        for precision in precisions:
            tasks["peak", precision, 1] = _peak(precision, device)
            for name in names:
                engine = create(name, weights, device, precision, weights.metered)
                for batch in batches:
                    job = Job(width, height, batch, VIDEO, VIDEO)
                    tasks[name, precision, batch] = _program(engine.program(job), job)
        for name, task in runtimes(model, picture).items():
            tasks[name, "float32", 1] = task
        rows += [asdict(row) for row in _rows(in_turns(tasks, rounds), width, height)]
    return rows


def _program(program: Callable[..., Any], job: Job) -> Callable[[], object]:
    random = np.random.default_rng(0)
    planes = tuple(
        random.integers(16, 60, (job.batch, *shape), dtype=np.uint8) for shape in VIDEO.shapes(job.width, job.height)
    )
    exposure = np.tile(np.array([[8.0, 0.1]], np.float32), (job.batch, 1))
    return lambda: program(planes, 1.0, exposure)


def _peak(precision: str, device: str) -> Callable[[], object]:
    with tf.device(f"/{device}"):
        x = tf.ones((1, PEAK["height"], PEAK["width"], PEAK["channels"]), precision)
        kernel = tf.ones((PEAK["kernel"], PEAK["kernel"], PEAK["channels"], PEAK["channels"]), precision)
        # Ten in a row, so that calling TensorFlow at all is not what is timed.
        convolve = tf.function(lambda x: [x := tf.nn.conv2d(x, kernel, 1, "SAME") * 1e-3 for _ in range(10)][-1])
    return lambda: convolve(x).numpy()


def in_turns(tasks: Mapping[Any, Callable[[], object]], rounds: int) -> dict[Any, list[float]]:
    """Seconds of each task, `rounds` of them, taken in turns after each has run once."""
    times: dict[Any, list[float]] = {key: [] for key in tasks}
    for task in tasks.values():
        task()  # compiles
    for _ in range(rounds):
        for key, task in tasks.items():
            began = perf_counter()
            task()
            times[key].append(perf_counter() - began)
    return times


def _rows(times: Mapping[tuple[str, str, int], list[float]], width: int, height: int) -> list[Timing]:
    peak_operations = 10 * 2 * PEAK["kernel"] ** 2 * PEAK["channels"] ** 2 * PEAK["height"] * PEAK["width"]
    peaks = {key[1]: peak_operations / np.median(spans) for key, spans in times.items() if key[0] == "peak"}
    predict = float(np.median(times["model.predict", "float32", 1]))
    rows = []
    for (what, precision, batch), spans in times.items():
        p50, p95 = np.percentile(spans, [50, 95])
        operations = 2.0 * MULTIPLY_ADDS * width * height * batch if what != "peak" else peak_operations
        network = what != "fast"  # the fast engine does not do MBLLEN's arithmetic
        speed = operations / p50
        rows.append(
            Timing(
                what=what,
                precision=precision,
                width=width,
                height=height,
                batch=batch,
                fps=round(batch / float(p50), 3),
                p50_ms=round(float(p50) * 1e3, 2),
                p95_ms=round(float(p95) * 1e3, 2),
                teraflops=round(float(speed) / 1e12, 4) if network else None,
                of_peak=round(float(speed / peaks[precision]), 3) if network and precision in peaks else None,
                of_predict=round(predict * batch / float(p50), 2) if what != "peak" else None,
                memory_mb=memory_mb(),
            )
        )
    return rows
