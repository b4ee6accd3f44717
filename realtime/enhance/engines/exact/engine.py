"""The exact engine: MBLLEN itself, every pixel, in one compiled function from samples to samples."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

from realtime.enhance import mbllen
from realtime.enhance.color_ops import fine_to_rgb, from_rgb, quantize, to_rgb
from realtime.enhance.engines.base import Engine, FrameBatch, PlaneBatch, Program, ProgramSpec
from realtime.enhance.engines.exact.graph import compile_network
from realtime.enhance.engines.exact.oom import Compiled, OomFallback
from realtime.enhance.engines.exact.tiles import in_tiles
from realtime.enhance.exposure.fine import Fine
from realtime.enhance.mbllen import RECEPTIVE_RADIUS, SMALLEST_SIDE
from realtime.enhance.tensorflow_loader import tf
from realtime.enhance.weights import Weights
from realtime.frame import Samples

log = logging.getLogger("realtime")

#: The longest side of a tile, in pixels: halos cost more than caches gain. Measured at 1080p on two cores, bfloat16:
#:
#: | tile | seconds a frame | memory |
#: | --- | --- | --- |
#: | whole frame | 5.7 | 1.7 GB |
#: | 1200 | 6.0 | 1.3 GB |
#: | 640 | 7.1 | |
#: | 320 | 13 | |
LARGEST_TILE = {"cpu": 1280, "gpu": 2048}
#: Pictures that are too small for the network are extended to so many pixels a side: as many as it sees around a point,
#: as trained weights go astray where zeros from all four borders meet.
EXTENDED_SIDE = 2 * RECEPTIVE_RADIUS + 2
_tf32_lock = threading.Lock()


class ExactEngine(Engine):
    """MBLLEN with the given weights. Raises WeightsError when the file holds something else."""

    def __init__(self, weights: Weights, device: str, precision: str) -> None:
        self.device, self.precision = device, precision
        self._on_gpu = device != "cpu"
        with tf.device(f"/{device}"):
            self._network = compile_network(mbllen.load(weights), tf.as_dtype(precision))

    def program(self, spec: ProgramSpec) -> Program:
        return _ExactProgram(OomFallback(self._build, spec, LARGEST_TILE[self.device.partition(":")[0]]))

    def _build(self, spec: ProgramSpec, tile: int) -> Compiled:
        # XLA pays on the GPU; on the CPU oneDNN's own convolutions are faster than what it generates. AutoGraph is not
        # needed, and would leave generated source files behind when the process is killed.
        @tf.function(input_signature=_signature(spec), jit_compile=self._on_gpu, autograph=False)
        def enhance(planes: tuple[Any, ...], strength: Any, exposed: tuple[Any, ...]) -> tuple[Any, ...]:
            rgb = to_rgb(planes, spec.source)
            seen = fine_to_rgb(exposed, spec.working_format.matrix) if spec.exposed else rgb
            output = tf.clip_by_value(self._whole(seen, tile), 0.0, 1.0)
            # Blending samples, not RGB, leaves an unchanged picture exactly as it was.
            same = spec.source == spec.target
            plain = [tf.cast(p, tf.float32) for p in planes] if same else from_rgb(rgb, spec.target)
            enhanced = from_rgb(output, spec.target)
            return quantize(tuple(p + strength * (e - p) for p, e in zip(plain, enhanced)), spec.target)

        def run(frames: FrameBatch, strength: float) -> PlaneBatch:
            with tf.device(f"/{self.device}"):
                arrays = tuple(tf.constant(_stacked(plane)) for plane in frames.planes)
                exposed = tuple(tf.constant(_stacked(plane)) for plane in _fine_planes(frames.exposed))
                output = enhance(arrays, tf.constant(strength, tf.float32), exposed)
            return tuple(plane.numpy() for plane in output)

        if self._on_gpu:
            log.info("compiling for %dx%d, %d at a time", spec.width, spec.height, spec.batch)
        with _without_tf32() if self._on_gpu and self.precision == "float32" else nullcontext():
            run(spec.blank(), 1.0)
        return run

    def _whole(self, rgb: Any, tile: int) -> Any:
        """The network's output for pictures of any size: too small ones extended by their edge, large ones in tiles."""
        height, width = rgb.shape[1:3]
        if min(height, width) < SMALLEST_SIDE:
            for axis, length in ((1, height), (2, width)):
                rgb = tf.gather(rgb, np.minimum(np.arange(max(length, EXTENDED_SIDE)), length - 1), axis=axis)
        return in_tiles(self._network, rgb, tile)[:, :height, :width]


class _ExactProgram:
    """Frames are independent of each other: there is no state."""

    def __init__(self, run: OomFallback) -> None:
        self._run = run

    @property
    def batch(self) -> int:
        """Frames at a time that memory suffices for."""
        return self._run.batch

    def new_state(self, independent: bool = False) -> None:
        return None

    def __call__(self, frames: FrameBatch, strength: float, state: None, level: int = 0) -> PlaneBatch:
        return self._run(frames, strength)

    def skip(self, frames: FrameBatch, state: None, level: int = 0) -> None:
        pass


def _signature(spec: ProgramSpec) -> list[Any]:
    """Sample planes, strength, and `Fine` planes, of which there are none where frames are not exposed."""
    shapes = spec.source.shapes(spec.width, spec.height)
    fine = [shapes[0][:2]] * 3 if spec.source.model == "rgb" else list(shapes)
    return [
        tuple(tf.TensorSpec((spec.batch, *shape), spec.source.dtype) for shape in shapes),
        tf.TensorSpec((), tf.float32),
        tuple(tf.TensorSpec((spec.batch, *shape), tf.int16) for shape in fine if spec.exposed),
    ]


def _fine_planes(exposed: Sequence[Fine] | None) -> list[list[Samples]]:
    """One list per plane; gray frames have one plane."""
    return [list(plane) for plane in zip(*exposed or ()) if plane[0] is not None]


def _stacked(plane: Sequence[Samples] | Samples) -> Samples:
    if isinstance(plane, np.ndarray):
        return plane
    return plane[0][np.newaxis] if len(plane) == 1 else np.stack(plane)


@contextmanager
def _without_tf32() -> Iterator[None]:
    """Compiles float32 as float32. TensorFlow lets NVIDIA's matrix units round products to 10 bits ("TF32") unless told
    otherwise: a switch of the whole process, read while compiling, and put back after it."""
    config = tf.config.experimental
    with _tf32_lock:
        before = config.tensor_float_32_execution_enabled()
        config.enable_tensor_float_32_execution(False)
        try:
            yield
        finally:
            config.enable_tensor_float_32_execution(before)
