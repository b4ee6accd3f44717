"""What ``auto`` means: the best engine that keeps up with the source on this machine, and the batch that pays there."""

from __future__ import annotations

import json
import logging
import math
import os
import platform
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from realtime.enhance.device import device_label, speeds
from realtime.enhance.engines.base import Engine, Program, ProgramSpec
from realtime.enhance.engines.registry import ENGINES, EngineAbilities
from realtime.enhance.mbllen import MULTIPLY_ADDS
from realtime.enhance.weights import Weights, cache_folder, sha256
from realtime.frame import RGB, PixelFormat, StreamInfo

log = logging.getLogger("realtime")

#: What is measured stands for the whole frame, whose cost grows with its area. A GPU needs more to be busy.
SAMPLE_SIZE = {"cpu": (256, 160), "gpu": (1280, 720)}
#: The share of a single convolution's speed that the whole network reaches.
NETWORK_EFFICIENCY = 0.9
#: Skip the measurement if the estimate exceeds so many frame intervals.
HOPELESS_INTERVALS = 4.0
#: Measurements; the best one is the one that the rest of the machine disturbed least.
REPEATS = 6
#: The share of the frame interval that enhancing may take; the rest is for reading, writing and other programs.
LARGEST_LOAD = 0.8
#: Frames a second where the source does not say.
DEFAULT_RATE = 30.0
#: Frames at a time that are tried on a GPU, and what is taken where a file has too few frames to be worth the trial:
#: each number is compiled, which takes seconds.
BATCHES = (1, 2, 4, 8, 16)
DEFAULT_BATCH = 8
WORTH_MEASURING_FRAMES = 600
#: Minimum relative speed-up that justifies doubling the batch, and with it the memory.
LEAST_SPEED_UP = 0.05
_lock = threading.Lock()


def best_engine() -> EngineAbilities:
    """The engine with the best picture."""
    return ENGINES[0]


def realtime_engine(weights: Weights) -> EngineAbilities | None:
    """The best engine that keeps up with any source and can be used with these weights; None where there is none."""
    usable = (e for e in ENGINES if e.realtime and (not e.student or weights.student_path.is_file()))
    return next(usable, None)


def frame_seconds(make: Callable[[], Engine], weights: Weights, device: str, precision: str, info: StreamInfo) -> float:
    """How long the best engine, which `make` makes, takes per frame here: measured once, then remembered.

    On a CPU it is estimated first: to make the engine and measure it takes seconds, which are spent only where the
    estimate leaves a doubt. What is remembered lies in the user's cache, by machine, device, weights and size.
    """
    path = cache_folder() / "speed.json"
    key = f"{_machine()} {device_label(device)} {sha256(weights.path)[:16]} {info.width}x{info.height}"
    estimate_key = f"{key} {precision} estimated"
    with _lock:
        known = _load(path)
        if key in known:
            return known[key]
        if device == "cpu":
            if estimate_key not in known:
                speed = speeds((precision,), device)[precision]
                known[estimate_key] = info.width * info.height * MULTIPLY_ADDS / (NETWORK_EFFICIENCY * speed)
                _save(path, known)
            if known[estimate_key] * float(info.rate or DEFAULT_RATE) > HOPELESS_INTERVALS:
                return known[estimate_key]
        known[key] = _measure(make(), info.width, info.height)
        _save(path, known)
        return known[key]


def keeps_up(seconds: float, info: StreamInfo) -> bool:
    """Whether frames that take so long each keep up with the source."""
    return seconds * float(info.rate or DEFAULT_RATE) <= LARGEST_LOAD


def choose_batch(
    engine: Engine, program: Callable[[ProgramSpec], Program], spec: ProgramSpec, frames: int | None
) -> int:
    """Frames at a time of a file with `frames` frames (None: unknown) on a GPU: measured once, then remembered.

    ``program(spec)`` makes a program and keeps it. What is remembered lies in the user's cache, by machine, device,
    precision and size; the network is the same with any weights.
    """
    path = cache_folder() / "speed.json"
    key = f"{_machine()} {device_label(engine.device)} {engine.precision} {spec.width}x{spec.height} batch"
    with _lock:
        known = _load(path)
        if known.get(key) not in BATCHES:
            if frames is not None and frames < WORTH_MEASURING_FRAMES:
                return max(1, min(DEFAULT_BATCH, frames))
            log.info("measuring how many frames of %dx%d at a time are fastest here", spec.width, spec.height)
            known[key] = largest_batch_that_pays(lambda size: _seconds(program, replace(spec, batch=size)))
            _save(path, known)
        best = int(known[key])
    return best if frames is None else max(1, min(best, frames))


def largest_batch_that_pays(seconds: Callable[[int], float], batches: Sequence[int] = BATCHES) -> int:
    """The last of growing `batches` that makes a frame cheaper by `LEAST_SPEED_UP` than the one before does.

    ``seconds(batch)`` is what a batch takes, infinite where memory does not suffice. None is tried behind the first
    that does not pay.
    """
    best, each = batches[0], seconds(batches[0]) / batches[0]
    for size in batches[1:]:
        candidate = seconds(size) / size
        if not candidate < (1 - LEAST_SPEED_UP) * each:
            break
        best, each = size, candidate
    return best


def explain(chosen: str, seconds: float, info: StreamInfo) -> str:
    """Why `chosen` was taken instead of the best engine, and what that one would take."""
    whole = "" if info.live or not info.frames else f", {_duration(seconds * info.frames)} for all of it"
    return f"engine {chosen}, since {best_engine().name} would take about {_duration(seconds)} a frame here{whole}"


def _measure(engine: Engine, width: int, height: int) -> float:
    sample = SAMPLE_SIZE[engine.device.partition(":")[0]]
    wide, high = min(width, sample[0]), min(height, sample[1])
    yuv = PixelFormat("yuv", 8, (2, 2), full_range=False)
    return _seconds(engine.program, ProgramSpec(wide, high, 1, yuv, RGB)) * width * height / (wide * high)


def _seconds(make: Callable[[ProgramSpec], Program], spec: ProgramSpec) -> float:
    """What a batch takes; infinite where memory did not suffice for all of it."""
    program, frames = make(spec), spec.blank()
    state = program.new_state()
    times = []
    for _ in range(REPEATS):
        began = perf_counter()
        program(frames, 1.0, state)
        times.append(perf_counter() - began)
    return min(times) if getattr(program, "batch", spec.batch) == spec.batch else math.inf


def _machine() -> str:
    return f"{platform.node()} {platform.machine()} {os.cpu_count()} cores"


def _load(path: Path) -> dict[str, float]:
    try:
        content = json.loads(path.read_text("utf-8"))
        return {str(key): float(value) for key, value in content.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}  # nothing remembered, or nothing that can be read: measure again


def _save(path: Path, known: dict[str, float]) -> None:
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(json.dumps(known, indent=1), "utf-8")
        os.replace(fresh, path)
    except OSError:
        fresh.unlink(missing_ok=True)  # a home that cannot be written costs a measurement each time, no more


def _duration(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
