"""What ``auto`` means: the best engine that keeps up with the source on this machine, and the batch that pays there."""

from __future__ import annotations

import json
import logging
import math
import os
import platform
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from realtime.config import EnhanceOptions
from realtime.enhance.device import MULTIPLY_ADDS, choose_precision, device_label, may_have_gpu, speeds
from realtime.enhance.engines.base import Engine, Program, ProgramSpec
from realtime.enhance.engines.registry import AUTO, ENGINES, EngineAbilities, abilities
from realtime.enhance.weights import Weights, cache_folder, find
from realtime.frame import RGB, PixelFormat, StreamInfo
from realtime.media.checksum import sha256

log = logging.getLogger("realtime")

#: Pixels that are measured; the cost of a frame grows with its area. A GPU is only busy with more of them.
SAMPLE_SIZE = {"cpu": (256, 160), "gpu": (1280, 720)}
#: Multiply-adds a second that no core exceeds; two cores with avx512_bf16 do 0.17e12 together. Only amx_bf16 would, on
#: servers, where ``engine="exact"`` is to be asked for. Known without TensorFlow, which takes seconds to load.
FASTEST_CORE = 0.3e12
#: Speed of the whole network relative to that of a single convolution.
NETWORK_EFFICIENCY = 0.9
#: Skip the measurement if the estimate exceeds so many frame intervals.
HOPELESS_INTERVALS = 4.0
#: Measurements, of which the best counts: other programs disturbed it least.
REPEATS = 6
#: The share of the frame interval that enhancing may take; the rest is for reading, writing and other programs.
LARGEST_LOAD = 0.8
#: Frames a second where the source does not say.
ASSUMED_RATE = 30.0
#: Frames at a time that are tried on a GPU. Each number is compiled, which takes seconds, so shorter files than
#: `WORTH_MEASURING_FRAMES` get `DEFAULT_BATCH`.
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
    """Seconds per frame of the best engine on this machine, in `precision` as in `EnhanceOptions`: measured once, then
    remembered in the user's cache by machine, device, weights and size.

    `make` returns the engine, which takes seconds. So on a CPU its speed is first estimated from a single convolution,
    and measured only where the estimate is near the limit.
    """
    path = cache_folder() / "speed.json"
    with _lock:
        seconds = known_seconds(weights, device, precision, info)
        if seconds is not None:
            return seconds
        known, key = _load(path), _speed_key(weights, device, info)
        if device == "cpu":
            estimate_key = f"{key} {precision} estimated"
            if estimate_key not in known:
                kind = choose_precision(precision, device)
                speed = speeds((kind,), device)[kind]
                known[estimate_key] = info.width * info.height * MULTIPLY_ADDS / (NETWORK_EFFICIENCY * speed)
                _save(path, known)
            if _is_hopeless(known[estimate_key], info):
                return known[estimate_key]
        known[key] = _measure(make(), info.width, info.height)
        _save(path, known)
        return known[key]


def known_seconds(weights: Weights, device: str, precision: str, info: StreamInfo) -> float | None:
    """What `frame_seconds` returns if that needs no measurement: it is remembered, or far too slow on any such CPU."""
    known, key = _load(cache_folder() / "speed.json"), _speed_key(weights, device, info)
    estimate = known.get(f"{key} {precision} estimated")
    if key in known:
        return known[key]
    if device == "cpu" and estimate is not None and _is_hopeless(estimate, info):
        return estimate
    least = _least_seconds(info)
    return least if device == "cpu" and not keeps_up(least, info) else None


def loads_tensorflow(options: EnhanceOptions, info: StreamInfo) -> bool:
    """Whether a session for this stream loads TensorFlow, which takes seconds, as far as can be told without it."""
    if options.device != "cpu" and (options.device != "auto" or may_have_gpu()):
        return True
    weights = find(options.weights)
    fallback = realtime_engine(weights)
    if options.engine != AUTO:
        name = abilities(options.engine).name
    elif fallback is None or info.frames == 1:
        name = best_engine().name
    else:
        seconds = known_seconds(weights, "cpu", options.precision, info)
        if seconds is None:
            return True
        name = best_engine().name if keeps_up(seconds, info) else fallback.name
    cpu_precision = abilities(name).cpu_precision
    return cpu_precision is None or options.precision not in ("auto", cpu_precision)


def keeps_up(seconds: float, info: StreamInfo) -> bool:
    """Whether an engine that takes so many seconds per frame keeps up with the source."""
    return seconds * float(info.rate or ASSUMED_RATE) <= LARGEST_LOAD


def choose_batch(
    engine: Engine, program: Callable[[ProgramSpec], Program], spec: ProgramSpec, frames: int | None
) -> int:
    """Frames at a time on a GPU, for a file with `frames` frames (None: unknown): measured once, then remembered in the
    user's cache by machine, device, precision and size. The weights make no difference.

    ``program(spec)`` returns a compiled program and keeps it.
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
    """The largest of growing `batches` up to which each makes a frame cheaper by `LEAST_SPEED_UP` than the one before.

    ``seconds(batch)`` is what a whole batch takes, infinite where memory does not suffice. Stops at the first
    that does not pay.
    """
    best, best_seconds = batches[0], seconds(batches[0]) / batches[0]
    for size in batches[1:]:
        per_frame = seconds(size) / size
        if not per_frame < (1 - LEAST_SPEED_UP) * best_seconds:
            break
        best, best_seconds = size, per_frame
    return best


def explain(engine: str, seconds: float, info: StreamInfo) -> str:
    """Why a stream gets `engine` instead of the best one, which would take `seconds` per frame."""
    whole = "" if info.live or not info.frames else f", {_duration(seconds * info.frames)} for all of it"
    at = "at least" if seconds == _least_seconds(info) else "about"
    return f"engine {engine}, since {best_engine().name} would take {at} {_duration(seconds)} a frame here{whole}"


def _speed_key(weights: Weights, device: str, info: StreamInfo) -> str:
    return f"{_machine()} {device_label(device)} {sha256(weights.path)[:16]} {info.width}x{info.height}"


def _least_seconds(info: StreamInfo) -> float:
    return info.width * info.height * MULTIPLY_ADDS / (FASTEST_CORE * (os.cpu_count() or 1))


def _is_hopeless(estimate: float, info: StreamInfo) -> bool:
    return estimate * float(info.rate or ASSUMED_RATE) > HOPELESS_INTERVALS


def _measure(engine: Engine, width: int, height: int) -> float:
    sample = SAMPLE_SIZE[engine.device.partition(":")[0]]
    wide, high = min(width, sample[0]), min(height, sample[1])
    yuv = PixelFormat("yuv", 8, (2, 2), full_range=False)
    return _seconds(engine.program, ProgramSpec(wide, high, 1, yuv, RGB)) * width * height / (wide * high)


def _seconds(make: Callable[[ProgramSpec], Program], spec: ProgramSpec) -> float:
    """Seconds of a batch; infinite where memory did not suffice for all of it."""
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
        return {}  # nothing is remembered, or the file is damaged: measure again


def _save(path: Path, known: dict[str, float]) -> None:
    """Replaces the file whole. One that cannot be written costs a measurement each time, no more."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            fresh.write_text(json.dumps(known, indent=1), "utf-8")
            os.replace(fresh, path)
        finally:
            fresh.unlink(missing_ok=True)


def _duration(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
