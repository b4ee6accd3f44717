"""The exact engine: MBLLEN itself, every pixel, in one compiled function from samples to samples."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from realtime.enhance.color_ops import from_rgb, quantise, to_rgb
from realtime.enhance.engines.base import Batch, Engine, Program, ProgramSpec
from realtime.enhance.engines.exact.graph import compile_network
from realtime.enhance.engines.exact.oom import OomFallback
from realtime.enhance.engines.exact.tiles import tiles
from realtime.enhance.exposure.meter import apply_exposure, suppress_false_chroma
from realtime.enhance.mbllen import RECEPTIVE_RADIUS, SMALLEST_SIDE
from realtime.enhance.tensorflow_loader import tf
from realtime.enhance.weights import Weights
from realtime.frame import Samples

log = logging.getLogger("realtime")

#: The longest side of a tile, in pixels. Measured at 1080p on two cores, bfloat16: whole frames 5.7 s and 1.7 GB,
#: tiles of 1200 6.0 s and 1.3 GB, of 640 7.1 s, of 320 13 s: halos cost more than caches give.
LARGEST_TILE = {"cpu": 1280, "gpu": 2048}


class ExactEngine(Engine):
    """MBLLEN with the given weights. With `metered`, frames are exposed before the network sees them."""

    def __init__(self, weights: Weights, device: str, precision: str, metered: bool) -> None:
        self.device = device
        self.precision = precision
        self._metered = metered
        self._on_gpu = device != "cpu"
        if precision == "float32":
            # TensorFlow lets NVIDIA's matrix units round products to 10 bits ("tf32") unless told otherwise.
            tf.config.experimental.enable_tensor_float_32_execution(False)
        with tf.device(f"/{device}"):
            self._network = compile_network(weights.model(), tf.as_dtype(precision))

    def program(self, spec: ProgramSpec) -> Program:
        return _ExactProgram(OomFallback(self._build, spec, LARGEST_TILE[self.device.partition(":")[0]]))

    def _build(self, spec: ProgramSpec, tile: int) -> Callable[[Batch, float, Samples], Batch]:
        signature = [
            tuple(
                tf.TensorSpec((spec.batch, *shape), spec.source.dtype)
                for shape in spec.source.shapes(spec.width, spec.height)
            ),
            tf.TensorSpec((), tf.float32),
            tf.TensorSpec((spec.batch, 2), tf.float32),
        ]

        # XLA pays on the GPU; on the CPU oneDNN's own convolutions are faster than what it generates. AutoGraph is not
        # needed, and would leave generated source files behind when the process is killed.
        @tf.function(input_signature=signature, jit_compile=self._on_gpu, autograph=False)
        def enhance(planes: tuple[Any, ...], strength: Any, exposure: Any) -> tuple[Any, ...]:
            rgb = to_rgb(planes, spec.source)
            gain, white = exposure[:, 0], exposure[:, 1]
            exposed = apply_exposure(suppress_false_chroma(rgb, gain), gain, white) if self._metered else rgb
            output = tf.clip_by_value(self._whole(exposed, tile), 0.0, 1.0)
            # Blending samples, not RGB, leaves an unchanged picture exactly as it was.
            same = spec.source == spec.target
            plain = [tf.cast(p, tf.float32) for p in planes] if same else from_rgb(rgb, spec.target)
            enhanced = from_rgb(output, spec.target)
            return quantise(tuple(p + strength * (e - p) for p, e in zip(plain, enhanced)), spec.target)

        def run(planes: Batch, strength: float, exposure: Samples) -> Batch:
            with tf.device(f"/{self.device}"):
                arrays = tuple(tf.constant(_stacked(plane)) for plane in planes)
                output = enhance(arrays, tf.constant(strength, tf.float32), exposure)
            return tuple(plane.numpy() for plane in output)

        if self._on_gpu:
            log.info("compiling for %dx%d, %d at a time", spec.width, spec.height, spec.batch)
        run(*spec.blank())
        return run

    def _whole(self, rgb: Any, tile: int) -> Any:
        """The network's output for pictures of any size: small ones extended by their edge, large ones in tiles."""
        height, width = rgb.shape[1:3]
        for axis, length in ((1, height), (2, width)):
            if length < SMALLEST_SIDE:
                rgb = tf.gather(rgb, np.minimum(np.arange(SMALLEST_SIDE), length - 1), axis=axis)
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

    def __call__(self, planes: Batch, strength: float, exposure: Samples, state: None, level: int = 0) -> Batch:
        return self._run(planes, strength, exposure)

    def skip(self, planes: Batch, exposure: Samples, state: None, level: int = 0) -> None:
        pass


def _stacked(plane: Sequence[Samples] | Samples) -> Samples:
    if isinstance(plane, np.ndarray):
        return plane
    return plane[0][np.newaxis] if len(plane) == 1 else np.stack(plane)


def in_tiles(network: Callable[[Any], Any], rgb: Any, largest: int) -> Any:
    """`network` over (N, H, W, 3) in tiles of at most `largest` pixels a side, one at a time; equal to the whole."""
    tall, rows = tiles(rgb.shape[1], largest, RECEPTIVE_RADIUS)
    wide, columns = tiles(rgb.shape[2], largest, RECEPTIVE_RADIUS)
    if len(rows) == len(columns) == 1:
        return network(rgb)
    cut = [rgb[:, r.start : r.start + tall, c.start : c.start + wide] for r in rows for c in columns]
    # One after the other: memory is what tiles are for.
    done = tf.map_fn(network, tf.stack(cut), parallel_iterations=1, fn_output_signature=tf.float32)
    bands = []
    for i, row in enumerate(rows):
        parts = [
            done[i * len(columns) + j, :, row.first : row.last, column.first : column.last]
            for j, column in enumerate(columns)
        ]
        bands.append(tf.concat(parts, axis=2))
    return tf.concat(bands, axis=1)
