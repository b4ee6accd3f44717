"""The small network of the `fast` engine: what restoration a patch needs, as a few smooth maps.

The curve of the meter is known, so nobody has to learn it. What MBLLEN does beyond it (noise, blocks, quantisation,
color casts in the black) is predicted here as in HDRNet (Gharbi et al., "Deep bilateral learning for real-time image
enhancement", SIGGRAPH 2017): at low resolution, to be applied at full size. Where HDRNet predicts affine colors, this
predicts the gains of a Laplacian pyramid and an offset of its base; see `realtime.enhance.engines.fast.pyramid`.
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
from realtime.enhance.weights import Weights, index, sha256, verify
from realtime.errors import WeightsError

#: What it sees at a quarter of the size: developed luma (mean of 16 pixels, and one of them, which shows the noise),
#: chroma lifted as the luma is, all in 0..1, chroma around 0; and the square root of how rough luma is.
INPUTS = 5
#: What it answers at an eighth: offsets of luma, Cb and Cr; gains of fine and of middle detail and of chroma; how much
#: of fine and of middle detail is noise.
OFFSETS, GAINS, NOISES = 3, 3, 2
MAPS = OFFSETS + GAINS + NOISES
CHANNELS, HIDDEN = 16, 4
#: MBLLEN sees 23 pixels around each point. Six 3x3 layers, five of them at an eighth, see 44: nothing is missed.
LAYERS = HIDDEN + 2
#: Logarithms of gains stay within: 1/150, which is none, and 12, the steepest that a plain gain of 64 can be.
LEAST, MOST = -5.0, 2.5
#: The noise that an answer of 0 means, a thousandth of a level, which changes nothing; and the logarithm of the most.
NOISE, NOISIEST = 0.001 / 255, 10.0
#: Training starts at half a level: of nothing at all it would never learn that there is noise.
START = (*(0.0,) * (OFFSETS + GAINS), *(math.log(0.5 / 255 / NOISE),) * NOISES)


def build(height: int | None = None, width: int | None = None) -> keras.Model:
    """Inputs (N, H, W, 5) at a quarter of the picture, even sides; maps (N, H/2, W/2, 8).

    Gains and noises are logarithms. An answer of zeros is no offset, every gain one and no noise: the developed picture
    as it is. It starts near that.
    """
    seen = layers.Input((height, width, INPUTS))
    x = layers.Conv2D(CHANNELS, 3, strides=2, padding="same", activation="relu", name="maps_0")(seen)
    for place in range(HIDDEN):
        x = layers.Conv2D(CHANNELS, 3, padding="same", activation="relu", name=f"maps_{place + 1}")(x)
    last = layers.Conv2D(
        MAPS,
        3,
        padding="same",
        kernel_initializer="zeros",
        bias_initializer=lambda shape, dtype=None: ops.convert_to_tensor(START, dtype),
        name=f"maps_{LAYERS - 1}",
    )
    return keras.Model(seen, last(x), name="student")


def load(weights: Weights) -> keras.Model:
    """The student of these weights. Raises WeightsError as `student_path` does."""
    return read(student_path(weights))


def read(path: Path) -> keras.Model:
    """The student in a file. Raises WeightsError when there is none."""
    model = build()
    model.set_weights(read_tensors(path, [tuple(w.shape) for w in model.weights], "a student of MBLLEN"))
    return model


def stamp_teacher(path: Path, weights: Weights) -> None:
    """Writes into a student's file from which weights it was distilled."""
    with h5py.File(path, "a") as file:
        file.attrs["teacher"] = sha256(weights.path)


def student_path(weights: Weights) -> Path:
    """The student's file: named in the index for bundled weights, and NAME.fast.h5 beside any other file.

    Raises WeightsError when it is not there, altered, or distilled from other weights than these.
    """
    path = weights.student_path
    if not path.is_file():
        raise WeightsError(
            f"weights {weights.name!r} have no student for the fast engine at {path}; "
            f"put OUT/fast.h5 of 'realtime distil DATA -o OUT --weights {weights.path}' there, or use engine exact"
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
            "run 'realtime distil' for these, or use engine exact"
        )
    return path


def maps(answer: keras.KerasTensor) -> keras.KerasTensor:
    """What the network answers, with gains and noises (in 0..1) in place of their logarithms."""
    gains = ops.exp(ops.clip(answer[..., OFFSETS : OFFSETS + GAINS], LEAST, MOST))
    noises = NOISE * ops.exp(ops.clip(answer[..., OFFSETS + GAINS :], LEAST, NOISIEST))
    return ops.concatenate([answer[..., :OFFSETS], gains, noises], axis=-1)


def compile_student(model: keras.Model, dtype: tf.DType) -> Callable[[Any], Any]:
    """`maps` of the same network on constants, which oneDNN packs once: float32 in and out, computed in `dtype`."""
    weights = [[tf.constant(w, dtype) for w in model.get_layer(f"maps_{i}").get_weights()] for i in range(LAYERS)]

    def student(seen: Any) -> Any:
        x = tf.cast(seen, dtype)
        for place, (kernel, bias) in enumerate(weights):
            x = tf.nn.bias_add(tf.nn.conv2d(x, kernel, 1 if place else 2, "SAME"), bias)
            x = tf.nn.relu(x) if place < LAYERS - 1 else x
        return maps(tf.cast(x, tf.float32))

    return student
