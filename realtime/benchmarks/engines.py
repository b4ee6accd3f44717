"""How fast the network runs: every size, batch and precision against this machine's own convolution peak.

Everything takes turns in one run, once a round: machines are shared and drift, ratios drift less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from time import perf_counter
from typing import Any

import numpy as np

from realtime.benchmarks.memory import forget_peak, peak_mb
from realtime.benchmarks.runtimes import runtimes
from realtime.enhance.device import choose_device
from realtime.enhance.engines.base import Engine, ProgramSpec
from realtime.enhance.engines.registry import create
from realtime.enhance.mbllen import MULTIPLY_ADDS
from realtime.enhance.tensorflow_loader import tf
from realtime.enhance.weights import Weights
from realtime.errors import DeviceError, SettingError
from realtime.frame import PixelFormat

Kind = tuple[str, str, int]  # what, precision, batch
Make = Callable[[], Callable[[], object]]

#: The way tutorials run a Keras model: one call a frame.
PREDICT = "model.predict"
#: What cameras deliver and encoders take.
VIDEO = PixelFormat("yuv", 8, (2, 2), "bt709", full_range=False)
#: The convolution that stands for the machine's peak: large enough to fill every unit, small enough for the caches.
PEAK = {"channels": 128, "height": 120, "width": 160, "kernel": 3}
#: How many such pictures at once, and how many such convolutions in a row, so that calling TensorFlow is not timed.
PICTURES, IN_A_ROW = {"cpu": 1, "gpu": 32}, 10


@dataclass(frozen=True)
class Timing:
    """One row. `teraflops` counts two operations for each of MBLLEN's multiply-adds, whatever an engine really does;
    `of_peak` is its share of the peak convolution in the same precision and run; `of_predict` says how many times as
    fast as the usual ``model.predict`` loop at that size it is. These three compare best turns, which the rest of the
    machine disturbs least. `memory_mb` is the peak while it ran, on a GPU the GPU's. Where memory did not suffice
    `note` says so, and all figures are None if nothing ran."""

    what: str
    precision: str
    width: int
    height: int
    batch: int
    fps: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    teraflops: float | None = None
    of_peak: float | None = None
    of_predict: float | None = None
    memory_mb: int | None = None
    note: str = ""


class Task:
    """One thing to time: made at its first turn, in its precision; at the second it is asked for its memory."""

    def __init__(self, make: Make, precision: str, device: str) -> None:
        self._make, self._precision, self._device = cache(make), precision, device
        self._turns = self.memory_mb = 0

    def __call__(self) -> None:
        computed_in(self._precision, self._device)
        self._turns += 1
        if self._turns == 2:
            forget_peak(self._device)
        with tf.device(f"/{self._device}"):
            self._make()()
        if self._turns == 2:
            self.memory_mb = peak_mb(self._device)


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

    Engines are timed from 8-bit 4:2:0 planes to such planes, the others from float RGB to float RGB. Precisions are an
    engine's and ``tf32``, which on a GPU is TensorFlow's own default, hence that of ``model.predict``; see
    `computed_in` for errors.
    """
    device = choose_device(device)
    model = weights.model()
    rows: list[dict[str, Any]] = []
    for width, height in sizes:
        picture = np.random.default_rng(0).random((1, height, width, 3), np.float32)
        usual = partial(model.predict, picture, verbose=0)
        makes: dict[Kind, Make] = {(PREDICT, "float32" if device == "cpu" else "tf32", 1): _made(usual)}
        for precision in precisions:
            dtype = computed_in(precision, device)
            makes["peak", precision, 1] = partial(_peak, dtype, device)
            for name in names:
                engine = create(name, weights, device, dtype, weights.metered)
                for batch in batches:
                    makes[name, precision, batch] = partial(
                        _run, engine, ProgramSpec(width, height, batch, VIDEO, VIDEO)
                    )
        makes |= {(name, "float32", 1): _made(task) for name, task in runtimes(model, picture, device).items()}
        tasks = {kind: Task(make, kind[1], device) for kind, make in makes.items()}
        times = in_turns(tasks, rounds)
        memory = {kind: task.memory_mb for kind, task in tasks.items()}
        rows += [asdict(row) for row in _rows(times, memory, width, height, PICTURES[device.partition(":")[0]])]
    return rows


def computed_in(precision: str, device: str) -> str:
    """The type behind a precision; what is compiled from now on computes in it. Raises SettingError for tf32 on a CPU.

    tf32 is float32 whose products a GPU rounds to 10 bits: a switch of the whole process, read while compiling.
    """
    if precision == "tf32" and device == "cpu":
        raise SettingError("tf32 is a precision of NVIDIA GPUs; choose another, or --device gpu")
    tf.config.experimental.enable_tensor_float_32_execution(precision == "tf32")
    return "float32" if precision == "tf32" else precision


def _made(task: Callable[[], object]) -> Make:
    return lambda: task


def _run(engine: Engine, job: ProgramSpec) -> Callable[[], object]:
    random = np.random.default_rng(0)
    planes = tuple(
        random.integers(16, 60, (job.batch, *shape), dtype=np.uint8) for shape in VIDEO.shapes(job.width, job.height)
    )
    exposure = np.tile(np.array([[8.0, 0.1]], np.float32), (job.batch, 1))
    program = engine.program(job)

    def task() -> None:
        program(planes, 1.0, exposure)
        if getattr(program, "batch", job.batch) < job.batch:
            raise MemoryError  # it went in smaller batches: another row says how fast those are

    return task


def _peak(precision: str, device: str) -> Callable[[], object]:
    pictures = PICTURES[device.partition(":")[0]]
    x = tf.ones((pictures, PEAK["height"], PEAK["width"], PEAK["channels"]), precision)
    kernel = tf.ones((PEAK["kernel"], PEAK["kernel"], PEAK["channels"], PEAK["channels"]), precision)

    @tf.function(jit_compile=device != "cpu")
    def convolve(x: Any) -> Any:
        for _ in range(IN_A_ROW):
            x = tf.nn.conv2d(x, kernel, 1, "SAME") * 1e-3
        return x[0, 0, 0, 0]  # one number comes back, so that no copy is timed

    return lambda: convolve(x).numpy()


def in_turns(tasks: Mapping[Any, Callable[[], object]], rounds: int) -> dict[Any, list[float]]:
    """Seconds of each task, `rounds` of them, taken in turns after each has run once; none where memory ran out."""
    times: dict[Any, list[float]] = {key: [] for key in tasks}
    left = dict(tasks)
    for turn in range(rounds + 1):
        for key, task in list(left.items()):
            began = perf_counter()
            try:
                task()
            except (tf.errors.ResourceExhaustedError, DeviceError, MemoryError):
                times[key].clear()
                del left[key]
                continue
            if turn:  # the first one compiles
                times[key].append(perf_counter() - began)
    return times


def _rows(
    times: Mapping[Kind, list[float]], memory: Mapping[Kind, int], width: int, height: int, pictures: int
) -> Iterator[Timing]:
    peak_work = IN_A_ROW * 2 * PEAK["kernel"] ** 2 * PEAK["channels"] ** 2 * PEAK["height"] * PEAK["width"] * pictures
    peaks = {kind[1]: peak_work / min(spans) for kind, spans in times.items() if kind[0] == "peak" and spans}
    usual = next((min(spans) for kind, spans in times.items() if kind[0] == PREDICT and spans), None)
    for kind, spans in times.items():
        what, precision, batch = kind
        row = Timing(what, precision, width, height, batch, note="" if spans else "out of memory")
        if not spans:
            yield row
            continue
        p50, p95 = (float(value) for value in np.percentile(spans, [50, 95]))
        # The fast engine does not do MBLLEN's arithmetic.
        work = peak_work if what == "peak" else 2.0 * MULTIPLY_ADDS * width * height * batch
        speed = work / min(spans) if what != "fast" else None
        yield replace(
            row,
            fps=round((pictures if what == "peak" else batch) / p50, 3),
            p50_ms=round(p50 * 1e3, 2),
            p95_ms=round(p95 * 1e3, 2),
            teraflops=round(speed / 1e12, 4) if speed else None,
            of_peak=round(speed / peaks[precision], 3) if speed and precision in peaks else None,
            of_predict=round(usual * batch / min(spans), 2) if usual and what != "peak" else None,
            memory_mb=memory[kind],
        )
