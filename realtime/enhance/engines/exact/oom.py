"""When memory runs out: half the batch, then smaller tiles, then an error that says so."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from realtime.enhance.engines.base import Batch, ProgramSpec
from realtime.enhance.tensorflow_loader import tf
from realtime.errors import DeviceError
from realtime.frame import Samples

log = logging.getLogger("realtime")

#: Tiles smaller than this are mostly halo.
SMALLEST_TILE = 256
Compiled = Callable[[Batch, float, Samples], Batch]


class OomFallback:
    """A function for `spec` made by ``build(spec, tile)``, compiled and warm, that does with less when it must.

    `tile` is the longest side of a tile in pixels. What was given up stays given up: `batch` and `tile` are what it
    does now. Raises DeviceError when a single frame in the smallest tiles is still too much.
    """

    def __init__(self, build: Callable[[ProgramSpec, int], Compiled], spec: ProgramSpec, tile: int) -> None:
        self._build, self._spec = build, spec
        self._lock = threading.Lock()
        self._settle(spec.batch, tile)

    def __call__(self, planes: Batch, strength: float, exposure: Samples) -> Batch:
        while True:
            batch, compiled = self.batch, self._compiled
            try:
                parts = [
                    compiled(tuple(p[at : at + batch] for p in planes), strength, exposure[at : at + batch])
                    for at in range(0, self._spec.batch, batch)
                ]
                return tuple(np.concatenate(pieces) for pieces in zip(*parts)) if len(parts) > 1 else parts[0]
            except (tf.errors.ResourceExhaustedError, tf.errors.InternalError) as error:
                with self._lock:
                    if compiled is self._compiled:  # another thread may have settled already
                        self._settle(*self._less(error))

    def _settle(self, batch: int, tile: int) -> None:
        """Builds for what fits, from the given values downwards."""
        while True:
            self.batch, self.tile = batch, tile
            try:
                self._compiled = self._build(replace(self._spec, batch=batch), tile)
                return
            except (tf.errors.ResourceExhaustedError, tf.errors.InternalError) as error:
                batch, tile = self._less(error)

    def _less(self, error: Exception) -> tuple[int, int]:
        """The next smaller batch or tile; raises `error` itself where memory was not what was missing."""
        # CUDA's own allocations, for code and for cuDNN, fail as internal errors.
        if isinstance(error, tf.errors.InternalError) and "OUT_OF_MEMORY" not in str(error):
            raise error
        size = f"{self._spec.width}x{self._spec.height}"
        if self.batch > 1:
            # An odd batch cannot be halved evenly; one frame at a time divides everything.
            batch = self.batch // 2 if self.batch % 2 == 0 else 1
            log.warning("out of memory: %s frames go %s at a time now", size, batch if batch > 1 else "one")
            return batch, self.tile
        tile = min(self.tile, max(self._spec.width, self._spec.height)) // 4 * 2
        if tile < SMALLEST_TILE:
            raise DeviceError(f"no memory for one frame of {size}; use a smaller picture or device cpu") from error
        log.warning("out of memory: %s frames are computed in tiles of %d pixels now", size, tile)
        return 1, tile
