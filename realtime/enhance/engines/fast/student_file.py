"""The file of a student: what the network is, its numbers, and to which weights it belongs. Loads no TensorFlow."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import h5py

from realtime.enhance import guarded_reader
from realtime.enhance.tensors import Array
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


def read_layers(path: Path, known: bool = False) -> list[tuple[Array, Array]]:
    """Kernel (3, 3, inputs, outputs) and bias of each layer; `known` if the file's checksum was compared. Raises
    WeightsError if the file holds something else."""
    channels = (INPUTS, *(CHANNELS,) * (LAYERS - 1), MAPS)
    shapes = [shape for old, new in pairwise(channels) for shape in ((3, 3, old, new), (new,))]
    tensors = guarded_reader.read_tensors(path, shapes, "a student of MBLLEN", known)
    return list(zip(tensors[::2], tensors[1::2]))


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
    teacher = guarded_reader.read_attribute(path, "teacher", weights.is_known)
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
