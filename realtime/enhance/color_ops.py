"""Planes to RGB and back, in float inside the compiled graph.

Rec. ITU-R BT.601-7, BT.709-6 and BT.2020-2. Float conversion is unbiased in the dark, where the usual integer
tables are about one level low, which a tenfold gain makes visible.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from realtime.color import LUMA_WEIGHTS, Matrix, sample_scale
from realtime.enhance.exposure.fine import STEPS
from realtime.enhance.tensorflow_loader import tf
from realtime.frame import PixelFormat


def _grow(chroma: Any, subsampling: tuple[int, int], height: int, width: int) -> Any:
    """Repeats chroma samples to luma size; exactly undone by `_shrink`."""
    across, down = subsampling
    if down > 1:
        chroma = tf.repeat(chroma, down, axis=1)[:, :height]
    if across > 1:
        chroma = tf.repeat(chroma, across, axis=2)[:, :, :width]
    return chroma


def _shrink(chroma: Any, format: PixelFormat) -> Any:
    """Averages chroma over the luma samples that share it; an odd edge is repeated first."""
    across, down = format.chroma
    if (across, down) == (1, 1):
        return chroma
    missing = [[0, 0], [0, -chroma.shape[1] % down], [0, -chroma.shape[2] % across]]
    padded = tf.pad(chroma, missing, mode="SYMMETRIC")[..., tf.newaxis]
    return tf.nn.avg_pool2d(padded, (down, across), (down, across), "VALID")[..., 0]


def to_rgb(planes: tuple[Any, ...], format: PixelFormat) -> Any:
    """Batched sample planes, (N, H, W) each or (N, H, W, 3), as float32 RGB (N, H, W, 3), clipped to 0..1."""
    offset, span, middle, reach = sample_scale(format.bits, format.full_range)
    first = tf.cast(planes[0], tf.float32)
    if format.model == "rgb":
        return first / span
    luma = (first - offset) / span
    if format.model == "gray":
        rgb = tf.repeat(luma[..., tf.newaxis], 3, axis=-1)
    else:
        height, width = planes[0].shape[1:]
        blue, red = (
            _grow((tf.cast(plane, tf.float32) - middle) / reach, format.chroma, height, width) for plane in planes[1:]
        )
        rgb = tf.stack(_channels(luma, blue, red, format.matrix), axis=-1)
    return tf.clip_by_value(rgb, 0.0, 1.0)


def fine_to_rgb(planes: tuple[Any, ...], matrix: Matrix) -> Any:
    """Batched `Fine` planes, int16 (N, H, W) with chroma at its own size, as float32 RGB (N, H, W, 3) in 0..1."""
    unit = np.float32(1 / (255 * STEPS))
    luma = tf.cast(planes[0], tf.float32) * unit
    if len(planes) == 1:
        return tf.clip_by_value(tf.repeat(luma[..., tf.newaxis], 3, axis=-1), 0.0, 1.0)
    height, width = planes[0].shape[1:]
    across, down = -(-width // planes[1].shape[2]), -(-height // planes[1].shape[1])
    blue, red = (_grow(tf.cast(plane, tf.float32) * unit, (across, down), height, width) for plane in planes[1:])
    return tf.clip_by_value(tf.stack(_channels(luma, blue, red, matrix), axis=-1), 0.0, 1.0)


def _channels(luma: Any, blue: Any, red: Any, matrix: Matrix) -> list[Any]:
    """R, G and B from Cb = (B - Y) / (2 - 2 kb) and Cr = (R - Y) / (2 - 2 kr), for tensors and arrays alike."""
    kr, kb = LUMA_WEIGHTS[matrix]
    r = luma + (2 - 2 * kr) * red
    b = luma + (2 - 2 * kb) * blue
    return [r, (luma - kr * r - kb * b) / (1 - kr - kb), b]


def from_rgb(rgb: Any, format: PixelFormat) -> tuple[Any, ...]:
    """Float32 RGB (N, H, W, 3) in 0..1 as float sample planes of `format`, neither rounded nor cast."""
    offset, span, middle, reach = sample_scale(format.bits, format.full_range)
    if format.model == "rgb":
        return (rgb * span,)
    kr, kb = LUMA_WEIGHTS[format.matrix]
    r, g, b = tf.unstack(rgb, axis=-1)
    luma = kr * r + (1 - kr - kb) * g + kb * b
    planes = [luma * span + offset]
    if format.model == "yuv":
        planes.append(_shrink((b - luma) / (2 - 2 * kb), format) * reach + middle)
        planes.append(_shrink((r - luma) / (2 - 2 * kr), format) * reach + middle)
    return tuple(planes)


def quantize(planes: tuple[Any, ...], format: PixelFormat) -> tuple[Any, ...]:
    """Rounds float samples to the nearest value that `format` can hold."""
    top = float((1 << format.bits) - 1)
    dtype = tf.uint8 if format.bits <= 8 else tf.uint16
    # Through int32: TensorFlow has no direct float to uint16 kernel on every device.
    return tuple(tf.cast(tf.cast(tf.round(tf.clip_by_value(plane, 0.0, top)), tf.int32), dtype) for plane in planes)
