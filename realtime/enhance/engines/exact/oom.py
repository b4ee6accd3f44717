"""When memory runs out: half the batch, then smaller tiles, then an error that says so."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from realtime.enhance.engines.base import FrameBatch, PlaneBatch, ProgramSpec
from realtime.enhance.tensorflow_loader import tf
from realtime.errors import DeviceError

log = logging.getLogger("realtime")

#: Tiles smaller than this are mostly halo.
SMALLEST_TILE = 256
#: A compiled function of exactly as many frames as it was built for, and strength.
Compiled = Callable[[FrameBatch, float], PlaneBatch]


class _Variant(NamedTuple):
    """A compiled function, the frames it takes at a time and the longest side of its tiles."""

    batch: int
    tile: int
    compiled: Compiled


class OomFallback:
    """A function for `spec` made by ``build(spec, tile)``, compiled and warm, that does with less when it must.

    `tile` is the longest side of a tile in pixels. What was given up stays given up: `batch` and `tile` are what it
    does now. Safe between threads. Raises DeviceError when a single frame in the smallest tiles is still too much.
    """

    def __init__(self, build: Callable[[ProgramSpec, int], Compiled], spec: ProgramSpec, tile: int) -> None:
        self._build, self._spec = build, spec
        self._lock = threading.Lock()
        self._variant = self._settle(spec.batch, tile)

    @property
    def batch(self) -> int:
        """Frames at a time."""
        return self._variant.batch

    @property
    def tile(self) -> int:
        """The longest side of a tile, in pixels."""
        return self._variant.tile

    def __call__(self, frames: FrameBatch, strength: float) -> PlaneBatch:
        """The enhanced planes of ``spec.batch`` frames."""
        while True:
            variant = self._variant
            try:
                parts = [
                    variant.compiled(frames.part(first, first + variant.batch), strength)
                    for first in range(0, self._spec.batch, variant.batch)
                ]
                return tuple(np.concatenate(pieces) for pieces in zip(*parts)) if len(parts) > 1 else parts[0]
            except (tf.errors.ResourceExhaustedError, tf.errors.InternalError) as error:
                with self._lock:
                    if variant is self._variant:  # else another thread has settled on less already
                        self._variant = self._settle(*self._less(variant.batch, variant.tile, error))

    def _settle(self, batch: int, tile: int) -> _Variant:
        """Builds what fits, from the given values downwards."""
        while True:
            try:
                return _Variant(batch, tile, self._build(replace(self._spec, batch=batch), tile))
            except (tf.errors.ResourceExhaustedError, tf.errors.InternalError) as error:
                batch, tile = self._less(batch, tile, error)

    def _less(self, batch: int, tile: int, error: Exception) -> tuple[int, int]:
        """The next smaller batch or tile; raises `error` itself where memory was not what was missing."""
        # CUDA's own allocations, for code and for cuDNN, fail as internal errors.
        if isinstance(error, tf.errors.InternalError) and "OUT_OF_MEMORY" not in str(error):
            raise error
        size = f"{self._spec.width}x{self._spec.height}"
        if batch > 1:
            # An odd batch cannot be halved evenly; one frame at a time divides everything.
            batch = batch // 2 if batch % 2 == 0 else 1
            log.warning("out of memory: %s frames go %s at a time now", size, batch if batch > 1 else "one")
            return batch, tile
        tile = min(tile, max(self._spec.width, self._spec.height)) // 4 * 2
        if tile < SMALLEST_TILE:
            raise DeviceError(
                f"no memory for one frame of {size}, even in small tiles; use a smaller picture",
                remedies={"device=cpu": "or compute with {}"},
            ) from error
        log.warning("out of memory: %s frames are computed in tiles of %d pixels now", size, tile)
        return 1, tile
