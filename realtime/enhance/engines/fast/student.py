"""The small network of the fast engine: how to restore each place of a lifted frame, as a few smooth maps.

It imitates what MBLLEN does to noise, blocks, quantization and color casts in the dark. As in HDRNet (Gharbi et al.,
"Deep bilateral learning for real-time image enhancement", SIGGRAPH 2017) this is predicted at low resolution and
applied at full size. HDRNet predicts affine color maps; this network predicts gains of a Laplacian pyramid and offsets
of its base, see `realtime.enhance.engines.fast.pyramid`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py

from realtime.enhance.keras_loader import keras, layers, ops
from realtime.enhance.tensorflow_loader import tf
from realtime.enhance.tensors import read_attribute, read_tensors
from realtime.enhance.weights import Weights, index, verify
from realtime.errors import WeightsError
from realtime.media.checksum import sha256

#: Input channels at a quarter of the size, all of the lifted frame: luma, as the mean of 16 pixels and as one of them,
#: which shows the noise (0..1); Cb and Cr (about 0); the square root of ``Pyramid.rough``.
INPUTS = 5
#: Output channels at an eighth of the size: offsets of luma, Cb and Cr; gains of fine detail, middle detail and chroma;
#: the noise in fine and in middle detail.
OFFSETS, GAINS, NOISES = 3, 3, 2
MAPS = OFFSETS + GAINS + NOISES
CHANNELS, HIDDEN_LAYERS = 16, 4
#: Six 3x3 layers, five of them at an eighth of the size, see 44 pixels around each point; MBLLEN sees 23.
LAYERS = HIDDEN_LAYERS + 2
#: Limits of the logarithms of gains: 1/150, practically none, and 12.
MIN_LOG_GAIN, MAX_LOG_GAIN = -5.0, 2.5
#: The noise that an output of 0 stands for, a thousandth of a level, which changes nothing; the largest logarithm.
NOISE, NOISIEST = 0.001 / 255, 10.0
#: Training starts at a noise of half a level: from no noise at all, the gradient is too small to learn any.
START = (*(0.0,) * (OFFSETS + GAINS), *(math.log(0.5 / 255 / NOISE),) * NOISES)

USE_EXACT = {"engine=exact": "{} needs none"}


def build(height: int | None = None, width: int | None = None) -> keras.Model:
    """The untrained network: (N, H, W, `INPUTS`) at a quarter of the picture, even sides, to (N, H/2, W/2, `MAPS`).

    Gains and noises come out as logarithms. An output of zeros leaves the lifted picture as it is; training starts near
    that.
    """
    features = layers.Input((height, width, INPUTS))
    x = layers.Conv2D(CHANNELS, 3, strides=2, padding="same", activation="relu", name="maps_0")(features)
    for layer in range(1, HIDDEN_LAYERS + 1):
        x = layers.Conv2D(CHANNELS, 3, padding="same", activation="relu", name=f"maps_{layer}")(x)
    last = layers.Conv2D(
        MAPS,
        3,
        padding="same",
        kernel_initializer="zeros",
        bias_initializer=lambda shape, dtype=None: ops.convert_to_tensor(START, dtype),
        name=f"maps_{LAYERS - 1}",
    )
    return keras.Model(features, last(x), name="student")


def load(weights: Weights) -> keras.Model:
    """The student of these weights. Raises WeightsError as `student_path` does."""
    return read(student_path(weights))


def read(path: Path) -> keras.Model:
    """The student in a file. Raises WeightsError if the file holds something else."""
    model = build()
    model.set_weights(read_tensors(path, [tuple(w.shape) for w in model.weights], "a student of MBLLEN"))
    return model


def stamp_teacher(path: Path, weights: Weights) -> None:
    """Writes into a student's file from which weights it was distilled."""
    with h5py.File(path, "a") as file:
        file.attrs["teacher"] = sha256(weights.path)


def student_path(weights: Weights) -> Path:
    """The student's file: named in the index for bundled weights, and NAME.fast.h5 beside any other file.

    Raises WeightsError if it is missing, altered, or distilled from other weights than these.
    """
    path = weights.student_path
    if not path.is_file():
        raise WeightsError(
            f"weights {weights.name!r} have no student for the fast engine at {path}; "
            f"put OUT/fast.h5 of 'realtime distil DATA -o OUT --weights {weights.path}' there",
            remedies=USE_EXACT,
        )
    if entry := index().get(weights.name, {}).get("fast"):
        verify(path, entry["sha256"])
    teacher = read_attribute(path, "teacher")
    if teacher is None:
        raise WeightsError(f"{path} does not hold a student of MBLLEN; 'realtime distil' makes them")
    actual = sha256(weights.path)
    if str(teacher) != actual:
        raise WeightsError(
            f"{path} was distilled from other weights ({str(teacher)[:12]}…) than {weights.path} ({actual[:12]}…); "
            "run 'realtime distil' for these",
            remedies=USE_EXACT,
        )
    return path


def maps(output: keras.KerasTensor) -> keras.KerasTensor:
    """The network's output (..., `MAPS`) with gains and noises (0..1) instead of their logarithms."""
    gains = ops.exp(ops.clip(output[..., OFFSETS : OFFSETS + GAINS], MIN_LOG_GAIN, MAX_LOG_GAIN))
    noises = NOISE * ops.exp(ops.clip(output[..., OFFSETS + GAINS :], MIN_LOG_GAIN, NOISIEST))
    return ops.concatenate([output[..., :OFFSETS], gains, noises], axis=-1)


def compile_student(model: keras.Model, dtype: tf.DType) -> Callable[[Any], Any]:
    """`maps` of the network's output, for inference: float32 in and out, computed in `dtype`. Weights are constants,
    which oneDNN packs once."""
    weights = [[tf.constant(w, dtype) for w in model.get_layer(f"maps_{i}").get_weights()] for i in range(LAYERS)]

    def student(features: Any) -> Any:
        x = tf.cast(features, dtype)
        for layer, (kernel, bias) in enumerate(weights):
            x = tf.nn.bias_add(tf.nn.conv2d(x, kernel, 1 if layer else 2, "SAME"), bias)
            x = tf.nn.relu(x) if layer < LAYERS - 1 else x
        return maps(tf.cast(x, tf.float32))

    return student
