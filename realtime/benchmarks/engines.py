"""How fast the network runs: every size, batch and precision beside this machine's own convolution peak.

Everything takes turns in one run: machines are shared and drift, ratios drift less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from time import perf_counter
from typing import Any

import numpy as np

from realtime.benchmarks.memory import peak_mb, reset_peak
from realtime.benchmarks.runtimes import runtimes
from realtime.enhance import mbllen
from realtime.enhance.device import MULTIPLY_ADDS, choose_device
from realtime.enhance.engines.base import Engine, FrameBatch, ProgramSpec
from realtime.enhance.engines.factory import create_engine
from realtime.enhance.engines.registry import ENGINES
from realtime.enhance.exposure.night import even, lift_planes, to_fine
from realtime.enhance.tensorflow_loader import tf
from realtime.enhance.weights import Weights
from realtime.errors import DeviceError, SettingError
from realtime.frame import PixelFormat

#: What runs, its precision and batch.
TaskKey = tuple[str, str, int]
#: Prepares a task that is timed.
Prepare = Callable[[], Callable[[], object]]

#: How tutorials run a Keras model: one call a frame.
PREDICT = "model.predict"
STUDENT_ENGINES = frozenset(engine.name for engine in ENGINES if engine.student)
#: What most cameras deliver and most encoders take.
VIDEO_FORMAT = PixelFormat("yuv", 8, (2, 2), "bt709", full_range=False)
#: The lift of the frames that engines restore, in stops.
LIFT = 3.0
#: The convolution that stands for the machine's peak: large enough to fill every unit, small enough for the caches.
PEAK = {"channels": 128, "height": 120, "width": 160, "kernel": 3}
#: Pictures at once for each kind of device, and convolutions in a row, so that calling TensorFlow is not timed.
PEAK_PICTURES, PEAK_CALLS = {"cpu": 1, "gpu": 32}, 10


@dataclass(frozen=True)
class Timing:
    """One row. All figures are None where memory did not suffice; `note` says so.

    - `what`: an engine, another runtime, `PREDICT` or ``peak``.
    - `fps`, `p50_ms`, `p95_ms`: over all rounds.
    - `teraflops`: two operations per multiply-add of MBLLEN, whatever an engine really computes.
    - `of_peak`: its share of the peak convolution in the same precision and run.
    - `of_predict`: how many times as fast as `PREDICT` at that size. These three compare best turns, which the rest of
      the machine disturbs least.
    - `memory_mb`: the peak while it ran, on a GPU the GPU's.
    """

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
    """One thing to time. It is prepared in its first turn, in its precision; memory is measured in the second."""

    def __init__(self, prepare: Prepare, precision: str, device: str) -> None:
        self._prepare, self._precision, self._device = cache(prepare), precision, device
        self._turns = self.memory_mb = 0

    def __call__(self) -> None:
        set_precision(self._precision, self._device)
        self._turns += 1
        if self._turns == 2:
            reset_peak(self._device)
        with tf.device(f"/{self._device}"):
            self._prepare()()
        if self._turns == 2:
            self.memory_mb = peak_mb(self._device)


def engines(
    weights: Weights,
    device: str,
    sizes: Sequence[tuple[int, int]],
    batches: Sequence[int],
    precisions: Sequence[str],
    *,
    names: Sequence[str] = (ENGINES[0].name,),
    rounds: int = 7,
) -> list[dict[str, Any]]:
    """Times the engines of these names, `PREDICT` and the other runtimes that are installed; rows as in `Timing`.

    Engines run from lifted planes to 8-bit 4:2:0 planes, the others from float RGB to float RGB. `precisions` are those
    of engines, and ``tf32``: TensorFlow's default on a GPU, hence that of `PREDICT`, which no engine uses. Raises
    SettingError for tf32 on a CPU.
    """
    device = choose_device(device)
    model = mbllen.load(weights)
    rows: list[dict[str, Any]] = []
    with _tf32_put_back():
        for width, height in sizes:
            picture = np.random.default_rng(0).random((1, height, width, 3), np.float32)
            predict = partial(model.predict, picture, verbose=0)
            prepares: dict[TaskKey, Prepare] = {(PREDICT, "float32" if device == "cpu" else "tf32", 1): _ready(predict)}
            for precision in precisions:
                dtype = set_precision(precision, device)
                prepares["peak", precision, 1] = partial(_peak, dtype, device)
                for name in names if precision != "tf32" else ():
                    engine = create_engine(name, weights, device, dtype)
                    for batch in batches:
                        spec = ProgramSpec(width, height, batch, VIDEO_FORMAT, VIDEO_FORMAT, exposed=True)
                        prepares[name, precision, batch] = partial(_engine, engine, spec)
            prepares |= {(name, "float32", 1): _ready(task) for name, task in runtimes(model, picture, device).items()}
            tasks = {kind: Task(prepare, kind[1], device) for kind, prepare in prepares.items()}
            times = time_in_turns(tasks, rounds)
            memory = {kind: task.memory_mb for kind, task in tasks.items()}
            pictures = PEAK_PICTURES[device.partition(":")[0]]
            rows += [asdict(row) for row in _rows(times, memory, width, height, pictures)]
    return rows


def set_precision(precision: str, device: str) -> str:
    """The type behind a precision; what TensorFlow compiles from now on computes in it. Raises SettingError for tf32
    on a CPU.

    tf32 is float32 whose products a GPU rounds to 10 bits: a switch of the whole process, read while compiling.
    """
    if precision == "tf32" and device == "cpu":
        raise SettingError("tf32 is a precision of NVIDIA GPUs; choose another precision, or device gpu")
    tf.config.experimental.enable_tensor_float_32_execution(precision == "tf32")
    return "float32" if precision == "tf32" else precision


@contextmanager
def _tf32_put_back() -> Iterator[None]:
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)


def _ready(task: Callable[[], object]) -> Prepare:
    return lambda: task


def _engine(engine: Engine, spec: ProgramSpec) -> Callable[[], object]:
    random = np.random.default_rng(0)
    shapes = VIDEO_FORMAT.shapes(spec.width, spec.height)
    planes = tuple(random.integers(16, 60, (spec.batch, *shape), dtype=np.uint8) for shape in shapes)
    exposed = [lift_planes(to_fine(frame, spec.working_format), even(LIFT)) for frame in zip(*planes)]
    frames = FrameBatch(planes, np.arange(spec.batch) / 25, exposed)
    program = engine.program(spec)
    state = program.new_state(independent=True)

    def task() -> None:
        program(frames, 1.0, state)
        if getattr(program, "batch", spec.batch) < spec.batch:
            raise MemoryError  # it ran in smaller batches: another row says how fast those are

    return task


def _peak(precision: str, device: str) -> Callable[[], object]:
    pictures = PEAK_PICTURES[device.partition(":")[0]]
    x = tf.ones((pictures, PEAK["height"], PEAK["width"], PEAK["channels"]), precision)
    kernel = tf.ones((PEAK["kernel"], PEAK["kernel"], PEAK["channels"], PEAK["channels"]), precision)

    @tf.function(jit_compile=device != "cpu", autograph=False)
    def convolve(x: Any) -> Any:
        for _ in range(PEAK_CALLS):
            x = tf.nn.conv2d(x, kernel, 1, "SAME") * 1e-3
        return x[0, 0, 0, 0]  # one number comes back, so that no copy is timed

    return lambda: convolve(x).numpy()


def time_in_turns(tasks: Mapping[Any, Callable[[], object]], rounds: int) -> dict[Any, list[float]]:
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
    times: Mapping[TaskKey, list[float]], memory: Mapping[TaskKey, int], width: int, height: int, pictures: int
) -> Iterator[Timing]:
    peak_work = PEAK_CALLS * 2 * PEAK["kernel"] ** 2 * PEAK["channels"] ** 2 * PEAK["height"] * PEAK["width"] * pictures
    peaks = {kind[1]: peak_work / min(seconds) for kind, seconds in times.items() if kind[0] == "peak" and seconds}
    predict = next((min(seconds) for kind, seconds in times.items() if kind[0] == PREDICT and seconds), None)
    for kind, seconds in times.items():
        what, precision, batch = kind
        row = Timing(what, precision, width, height, batch, note="" if seconds else "out of memory")
        if not seconds:
            yield row
            continue
        p50, p95 = (float(value) for value in np.percentile(seconds, [50, 95]))
        # An engine with a student does not do MBLLEN's arithmetic.
        work = peak_work if what == "peak" else 2.0 * MULTIPLY_ADDS * width * height * batch
        speed = work / min(seconds) if what not in STUDENT_ENGINES else None
        yield replace(
            row,
            fps=round((pictures if what == "peak" else batch) / p50, 3),
            p50_ms=round(p50 * 1e3, 2),
            p95_ms=round(p95 * 1e3, 2),
            teraflops=round(speed / 1e12, 4) if speed else None,
            of_peak=round(speed / peaks[precision], 3) if speed and precision in peaks else None,
            of_predict=round(predict * batch / min(seconds), 2) if predict and what != "peak" else None,
            memory_mb=memory[kind],
        )
