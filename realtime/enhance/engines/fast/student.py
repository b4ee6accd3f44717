"""The small network of the fast engine: how to restore each place of a lifted frame, as a few smooth maps.

It imitates what MBLLEN does to noise, blocks, quantization and color casts in the dark. As in HDRNet (Gharbi et al.,
"Deep bilateral learning for real-time image enhancement", SIGGRAPH 2017) this is predicted at low resolution and
applied at full size. HDRNet predicts affine color maps; this network predicts gains of a Laplacian pyramid and offsets
of its base, see `realtime.enhance.engines.fast.pyramid`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from realtime.enhance.engines.fast import student_file
from realtime.enhance.exposure.fine import Floats
from realtime.enhance.keras_loader import keras, layers, ops
from realtime.enhance.tensorflow_loader import tf
from realtime.enhance.weights import Weights


class TensorFlowStudent:
    """Maps as `OpenCVStudent` gives them, on any device in any precision."""

    def __init__(self, weights: Weights, device: str, precision: str) -> None:
        self._device = device
        student = compile_student(load(weights), tf.as_dtype(precision))
        signature = [tf.TensorSpec((1, None, None, student_file.INPUTS), tf.float32)]
        self._student = tf.function(student, input_signature=signature, autograph=False)

    def __call__(self, features: Floats) -> Floats:
        with tf.device(f"/{self._device}"):
            return np.asarray(self._student(tf.constant(features[None]))[0].numpy())


def build(height: int | None = None, width: int | None = None) -> keras.Model:
    """The untrained network: (N, H, W, `INPUTS`) at a quarter of the picture, even sides, to (N, H/2, W/2, `MAPS`).

    Gains and noises come out as logarithms. An output of zeros leaves the lifted picture as it is; training starts near
    that.
    """
    features = layers.Input((height, width, student_file.INPUTS))
    x = layers.Conv2D(student_file.CHANNELS, 3, strides=2, padding="same", activation="relu", name="maps_0")(features)
    for layer in range(1, student_file.HIDDEN_LAYERS + 1):
        x = layers.Conv2D(student_file.CHANNELS, 3, padding="same", activation="relu", name=f"maps_{layer}")(x)
    last = layers.Conv2D(
        student_file.MAPS,
        3,
        padding="same",
        kernel_initializer="zeros",
        bias_initializer=lambda shape, dtype=None: ops.convert_to_tensor(student_file.START, dtype),
        name=f"maps_{student_file.LAYERS - 1}",
    )
    return keras.Model(features, last(x), name="student")


def load(weights: Weights) -> keras.Model:
    """The student of these weights. Raises WeightsError as `student_path` does."""
    return read(student_file.student_path(weights), weights.is_known)


def read(path: Path, known: bool = False) -> keras.Model:
    """The student in a file; `known` as in `read_layers`. Raises WeightsError if the file holds something else."""
    model = build()
    model.set_weights([tensor for layer in student_file.read_layers(path, known) for tensor in layer])
    return model


def maps(output: keras.KerasTensor) -> keras.KerasTensor:
    """The network's output (..., `MAPS`) with gains and noises (0..1) instead of their logarithms."""
    gains = ops.exp(
        ops.clip(
            output[..., student_file.OFFSETS : student_file.OFFSETS + student_file.GAINS],
            student_file.MIN_LOG_GAIN,
            student_file.MAX_LOG_GAIN,
        )
    )
    noises = student_file.NOISE * ops.exp(
        ops.clip(
            output[..., student_file.OFFSETS + student_file.GAINS :], student_file.MIN_LOG_GAIN, student_file.NOISIEST
        )
    )
    return ops.concatenate([output[..., : student_file.OFFSETS], gains, noises], axis=-1)


def compile_student(model: keras.Model, dtype: tf.DType) -> Callable[[Any], Any]:
    """`maps` of the network's output, for inference: float32 in and out, computed in `dtype`. Weights are constants,
    which oneDNN packs once."""
    weights = [
        [tf.constant(w, dtype) for w in model.get_layer(f"maps_{i}").get_weights()] for i in range(student_file.LAYERS)
    ]

    def student(features: Any) -> Any:
        x = tf.cast(features, dtype)
        for layer, (kernel, bias) in enumerate(weights):
            x = tf.nn.bias_add(tf.nn.conv2d(x, kernel, 1 if layer else 2, "SAME"), bias)
            x = tf.nn.relu(x) if layer < student_file.LAYERS - 1 else x
        return maps(tf.cast(x, tf.float32))

    return student
