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
from realtime.enhance.engines.exact.tiles import windows
from realtime.enhance.exposure.meter import develop, neutral
from realtime.enhance.mbllen import RECEPTIVE_RADIUS, SMALLEST_SIDE
from realtime.enhance.tensorflow_loader import tf
from realtime.enhance.weights import Weights
from realtime.frame import Samples

log = logging.getLogger("realtime")

#: The longest side of a window, in pixels. Measured at 1080p on two cores, bfloat16: whole frames 5.7 s and 1.7 GB,
#: windows of 1200 6.0 s and 1.3 GB, of 640 7.1 s, of 320 13 s: halos cost more than caches give.
LARGEST = {"cpu": 1280, "gpu": 2048}


class ExactEngine(Engine):
    """MBLLEN with the given weights. `metered` engines develop each frame to its exposure before the network."""

    name = "exact"

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

    def program(self, job: ProgramSpec) -> Program:
        return OomFallback(self._build, job, LARGEST[self.device.partition(":")[0]])

    def _build(self, job: ProgramSpec, window: int) -> Program:
        signature = [
            tuple(
                tf.TensorSpec((job.batch, *shape), job.source.dtype)
                for shape in job.source.shapes(job.width, job.height)
            ),
            tf.TensorSpec((), tf.float32),
            tf.TensorSpec((job.batch, 2), tf.float32),
        ]

        # XLA pays on the GPU; on the CPU oneDNN's own convolutions are faster than what it generates.
        @tf.function(input_signature=signature, jit_compile=self._on_gpu)
        def enhance(planes: tuple[Any, ...], strength: Any, exposure: Any) -> tuple[Any, ...]:
            rgb = to_rgb(planes, job.source)
            gain, white = exposure[:, 0], exposure[:, 1]
            seen = develop(neutral(rgb, gain), gain, white) if self._metered else rgb
            answer = tf.clip_by_value(self._whole(seen, window), 0.0, 1.0)
            # Blending samples, not RGB, leaves an unchanged picture exactly as it was.
            same = job.source == job.target
            plain = [tf.cast(p, tf.float32) for p in planes] if same else from_rgb(rgb, job.target)
            made = from_rgb(answer, job.target)
            return quantise(tuple(p + strength * (m - p) for p, m in zip(plain, made)), job.target)

        def run(planes: Batch, strength: float, exposure: Samples) -> Batch:
            with tf.device(f"/{self.device}"):
                given = tuple(tf.constant(_stacked(plane)) for plane in planes)
                answer = enhance(given, tf.constant(strength, tf.float32), exposure)
            return tuple(plane.numpy() for plane in answer)

        if self._on_gpu:
            log.info("compiling for %dx%d, %d at a time", job.width, job.height, job.batch)
        run(*job.blank())
        return run

    def _whole(self, rgb: Any, window: int) -> Any:
        """The network's answer to pictures of any size: small ones extended by their edge, large ones in windows."""
        height, width = rgb.shape[1:3]
        for axis, length in ((1, height), (2, width)):
            if length < SMALLEST_SIDE:
                rgb = tf.gather(rgb, np.minimum(np.arange(SMALLEST_SIDE), length - 1), axis=axis)
        return in_windows(self._network, rgb, window)[:, :height, :width]


def _stacked(plane: Sequence[Samples] | Samples) -> Samples:
    if isinstance(plane, np.ndarray):
        return plane
    return plane[0][np.newaxis] if len(plane) == 1 else np.stack(plane)


def in_windows(network: Callable[[Any], Any], rgb: Any, largest: int) -> Any:
    """`network` over (N, H, W, 3) in windows of at most `largest` a side, one at a time; equal to the whole."""
    tall, rows = windows(rgb.shape[1], largest, RECEPTIVE_RADIUS)
    wide, columns = windows(rgb.shape[2], largest, RECEPTIVE_RADIUS)
    if len(rows) == len(columns) == 1:
        return network(rgb)
    cut = [rgb[:, r.start : r.start + tall, c.start : c.start + wide] for r in rows for c in columns]
    # One after the other: memory is what windows are for.
    done = tf.map_fn(network, tf.stack(cut), parallel_iterations=1, fn_output_signature=tf.float32)
    bands = []
    for i, row in enumerate(rows):
        parts = [
            done[i * len(columns) + j, :, row.first : row.last, column.first : column.last]
            for j, column in enumerate(columns)
        ]
        bands.append(tf.concat(parts, axis=2))
    return tf.concat(bands, axis=1)
