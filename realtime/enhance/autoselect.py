"""What ``auto`` means: the best engine that keeps up with the source on this machine, and the batch that pays there."""

from __future__ import annotations

import json
import logging
import math
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from realtime.enhance.device import named, speeds
from realtime.enhance.engines.base import Engine, Program, ProgramSpec
from realtime.enhance.engines.fast.student import place_of
from realtime.enhance.mbllen import MULTIPLY_ADDS
from realtime.enhance.weights import Weights, cache, sha256
from realtime.frame import RGB, PixelFormat, StreamInfo

log = logging.getLogger("realtime")

#: What is measured stands for the whole frame, whose cost grows with its area. A GPU needs more to be busy.
SAMPLE = {"cpu": (256, 160), "gpu": (1280, 720)}
#: The share of a single convolution's speed that the whole network reaches.
SHARE = 0.9
#: An estimate of more frames' time than this a frame is no doubt any more: exact does not keep up.
DOUBTFUL = 4.0
#: How often: the best turn is the one that the rest of the machine disturbed least.
TURNS = 6
#: A share of the frame's time is left for reading, writing and whatever else the machine does.
ROOM = 0.8
#: Frames a second where the source does not say.
USUAL_RATE = 30.0
#: Frames at a time that are tried on a GPU, and what is taken where a file has too few frames to be worth the trial:
#: each number is compiled, which takes seconds.
BATCHES = (1, 2, 4, 8, 16)
USUAL_BATCH = 8
WORTH_MEASURING = 600
#: The share by which the time a frame must fall for twice the frames at a time, which cost twice the memory.
PAYS = 0.05


def first(weights: Weights) -> str:
    """The engine that ``auto`` begins with: fast where these weights have a student, which is checked when it loads."""
    return "fast" if place_of(weights).is_file() else "exact"


def seconds_a_frame(make: Callable[[], Engine], weights: Weights, like: Engine, info: StreamInfo) -> float:
    """How long the exact engine, which `make` makes, takes for a frame here: measured once, then remembered.

    On a CPU it is estimated first, at the device and precision of `like`: to make the exact engine and measure it
    takes seconds, which are spent only where the estimate leaves a doubt. What is remembered lies in the user's cache,
    by machine, device, weights and size.
    """
    path = cache() / "speed.json"
    key = f"{_machine()} {named(like.device)} {sha256(weights.path)[:16]} {info.width}x{info.height}"
    rough = f"{key} {like.precision} estimated"
    known = _known(path)
    if key in known:
        return known[key]
    if like.device == "cpu":
        if rough not in known:
            speed = speeds((like.precision,), like.device)[like.precision]
            known[rough] = info.width * info.height * MULTIPLY_ADDS / (SHARE * speed)
            _remember(path, known)
        if known[rough] * float(info.rate or USUAL_RATE) > DOUBTFUL:
            return known[rough]
    known[key] = _measure(make(), info.width, info.height)
    _remember(path, known)
    return known[key]


def sustains(seconds: float, info: StreamInfo) -> bool:
    """Whether frames that take so long each keep up with the source."""
    return seconds * float(info.rate or USUAL_RATE) <= ROOM


def batch(engine: Engine, program: Callable[[ProgramSpec], Program], job: ProgramSpec, frames: int | None) -> int:
    """Frames at a time of a file with `frames` frames (None: unknown) on a GPU: measured once, then remembered.

    ``program(job)`` makes and keeps a program. What is remembered lies in the user's cache, by machine, device,
    precision and size; the network is the same with any weights.
    """
    path = cache() / "speed.json"
    key = f"{_machine()} {named(engine.device)} {engine.precision} {job.width}x{job.height} batch"
    known = _known(path)
    if known.get(key) not in BATCHES:
        if frames is not None and frames < WORTH_MEASURING:
            return max(1, min(USUAL_BATCH, frames))
        log.info("measuring how many frames of %dx%d at a time are fastest here", job.width, job.height)
        known[key] = largest_that_pays(lambda size: _seconds(program, replace(job, batch=size)))
        _remember(path, known)
    best = int(known[key])
    return best if frames is None else max(1, min(best, frames))


def largest_that_pays(seconds: Callable[[int], float], batches: Sequence[int] = BATCHES) -> int:
    """The last of growing `batches` that makes a frame cheaper by `PAYS` than the one before does.

    ``seconds(batch)`` is what a batch takes, infinite where memory does not suffice. None is tried behind the first
    that does not pay.
    """
    best, each = batches[0], seconds(batches[0]) / batches[0]
    for size in batches[1:]:
        took = seconds(size) / size
        if not took < (1 - PAYS) * each:
            break
        best, each = size, took
    return best


def sentence(seconds: float, info: StreamInfo) -> str:
    """Why ``fast`` was chosen, what ``exact`` would take, and how to have it."""
    whole = "" if info.live or not info.frames else f", {_duration(seconds * info.frames)} for all of it"
    takes = f"about {_duration(seconds)} a frame here{whole}"
    return f"engine fast, since exact would take {takes}; --engine exact has it anyway"


def _measure(engine: Engine, width: int, height: int) -> float:
    sample = SAMPLE[engine.device.partition(":")[0]]
    wide, high = min(width, sample[0]), min(height, sample[1])
    form = PixelFormat("yuv", 8, (2, 2), full_range=False)
    return _seconds(engine.program, ProgramSpec(wide, high, 1, form, RGB)) * width * height / (wide * high)


def _seconds(make: Callable[[ProgramSpec], Program], job: ProgramSpec) -> float:
    """What the job takes; infinite where memory did not suffice for its whole batch."""
    program = make(job)
    blank = job.blank()
    times = []
    for _ in range(TURNS):
        began = perf_counter()
        program(*blank)
        times.append(perf_counter() - began)
    return min(times) if getattr(program, "batch", job.batch) == job.batch else math.inf


def _machine() -> str:
    return f"{platform.node()} {platform.machine()} {os.cpu_count()} cores"


def _known(path: Path) -> dict[str, float]:
    try:
        held = json.loads(path.read_text("utf-8"))
        return {str(key): float(value) for key, value in held.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}  # nothing remembered, or nothing that can be read: measure again


def _remember(path: Path, known: dict[str, float]) -> None:
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
