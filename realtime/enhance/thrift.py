"""When memory runs out: half the batch, then smaller windows, then a clear word."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from realtime.enhance.backend import tf
from realtime.enhance.engine import Job, Planes, Program
from realtime.errors import DeviceError
from realtime.frame import Samples

log = logging.getLogger("realtime")

#: Windows smaller than this are mostly halo.
SMALLEST_WINDOW = 256


def thrifty(build: Callable[[Job, int], Program], job: Job, window: int) -> Program:
    """A program for `job` made by ``build(job, window)``, compiled and warm, that makes do with less when it must.

    `window` is the longest side of a window in pixels. What was given up stays given up. Raises DeviceError when a
    single frame in the smallest windows is still too much.
    """
    state = _settle(build, job, window)

    def run(planes: Planes, strength: float, exposure: Samples) -> Planes:
        nonlocal state
        while True:
            program, share, reach = state
            try:
                parts = [
                    program(tuple(plane[at : at + share] for plane in planes), strength, exposure[at : at + share])
                    for at in range(0, job.batch, share)
                ]
                return tuple(np.concatenate(pieces) for pieces in zip(*parts)) if len(parts) > 1 else parts[0]
            except tf.errors.ResourceExhaustedError as error:
                state = _settle(build, *_less(replace(job, batch=share), reach, error))

    return run


def _settle(build: Callable[[Job, int], Program], job: Job, window: int) -> tuple[Program, int, int]:
    """The program, batch and window that fit, from the wish downwards."""
    while True:
        try:
            return build(job, window), job.batch, window
        except tf.errors.ResourceExhaustedError as error:
            job, window = _less(job, window, error)


def _less(job: Job, window: int, error: Exception) -> tuple[Job, int]:
    size = f"{job.width}x{job.height}"
    if job.batch % 2 == 0:
        log.warning("out of memory: %s frames go %d at a time now", size, job.batch // 2)
        return replace(job, batch=job.batch // 2), window
    # An odd batch cannot be halved evenly; one frame at a time divides everything.
    if job.batch > 1:
        log.warning("out of memory: %s frames go one at a time now", size)
        return replace(job, batch=1), window
    window = min(window, max(job.width, job.height)) // 4 * 2
    if window < SMALLEST_WINDOW:
        raise DeviceError(f"no memory for one frame of {size}; use a smaller picture or --device cpu") from error
    log.warning("out of memory: %s frames are computed in windows of %d pixels now", size, window)
    return job, window
