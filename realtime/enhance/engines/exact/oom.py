"""When memory runs out: half the batch, then smaller windows, then a clear word."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from realtime.enhance.engines.base import Batch, Program, ProgramSpec
from realtime.enhance.tensorflow_loader import tf
from realtime.errors import DeviceError
from realtime.frame import Samples

log = logging.getLogger("realtime")

#: Windows smaller than this are mostly halo.
SMALLEST_WINDOW = 256


class OomFallback:
    """A program for `job` made by ``build(job, window)``, compiled and warm, that makes do with less when it must.

    `window` is the longest side of a window in pixels. What was given up stays given up: `batch` and `window` are what
    it does now. Raises DeviceError when a single frame in the smallest windows is still too much.
    """

    def __init__(self, build: Callable[[ProgramSpec, int], Program], job: ProgramSpec, window: int) -> None:
        self._build, self._job = build, job
        self._settle(job.batch, window)

    def __call__(self, planes: Batch, strength: float, exposure: Samples) -> Batch:
        while True:
            try:
                parts = [
                    self._program(
                        tuple(p[at : at + self.batch] for p in planes), strength, exposure[at : at + self.batch]
                    )
                    for at in range(0, self._job.batch, self.batch)
                ]
                return tuple(np.concatenate(pieces) for pieces in zip(*parts)) if len(parts) > 1 else parts[0]
            except (tf.errors.ResourceExhaustedError, tf.errors.InternalError) as error:
                self._settle(*self._less(error))

    def _settle(self, batch: int, window: int) -> None:
        """Builds for what fits, from the wish downwards."""
        while True:
            self.batch, self.window = batch, window
            try:
                self._program = self._build(replace(self._job, batch=batch), window)
                return
            except (tf.errors.ResourceExhaustedError, tf.errors.InternalError) as error:
                batch, window = self._less(error)

    def _less(self, error: Exception) -> tuple[int, int]:
        """The next smaller batch or window; raises `error` itself where memory was not what was missing."""
        # CUDA's own allocations, for code and for cuDNN, fail as internal errors.
        if isinstance(error, tf.errors.InternalError) and "OUT_OF_MEMORY" not in str(error):
            raise error
        size = f"{self._job.width}x{self._job.height}"
        if self.batch > 1:
            # An odd batch cannot be halved evenly; one frame at a time divides everything.
            batch = self.batch // 2 if self.batch % 2 == 0 else 1
            log.warning("out of memory: %s frames go %s at a time now", size, batch if batch > 1 else "one")
            return batch, self.window
        window = min(self.window, max(self._job.width, self._job.height)) // 4 * 2
        if window < SMALLEST_WINDOW:
            raise DeviceError(f"no memory for one frame of {size}; use a smaller picture or --device cpu") from error
        log.warning("out of memory: %s frames are computed in windows of %d pixels now", size, window)
        return 1, window
