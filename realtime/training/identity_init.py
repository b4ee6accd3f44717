"""Weights that answer the input, so that training starts at "unchanged" and learns only what is wrong with a picture.

The idea is that of Dirac parametrisation (Zagoruyko and Komodakis, "DiracNets", 2017): RGB is never negative here, so
it passes ReLUs, and a kernel with a single 1 passes it on. Two things need care. The branches' unpadded convolutions
look at 6 pixels less on each side, which would leave a black frame; four branches carry the border instead, with
shifted kernels that stay inside the picture. And all other channels start small, reading RGB but not yet writing to it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from realtime.enhance.keras_loader import keras
from realtime.enhance.mbllen import BRANCHES

Floats = npt.NDArray[Any]

#: Width of the border that the branches' three unpadded 5x5 kernels cannot see when centred.
BORDER = 6
#: Of He et al.'s standard deviation for ReLU layers; small, so that what is random stays quiet at first.
QUIET = 0.3
#: A shut gate subtracts this; the picture is at most 1.
_SHUT = 2.0
#: FEM channels that hold 1 at a distance of `BORDER` or more from that side, else 0, and the shift that moves them in.
_SIDES = {"left": (3, (0, -1)), "right": (4, (0, 1)), "top": (5, (-1, 0)), "bottom": (6, (1, 0))}
#: The border in eight zones, two for each of the last four branches: (vertical, horizontal) -1, 0 or 1.
_ZONES = [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)]


def _centred(random: np.random.Generator, shape: tuple[int, ...], carried: int) -> Floats:
    """A kernel (h, w, in, out) that passes the first ``carried`` channels on; the other outputs read anything."""
    fan_in = shape[0] * shape[1] * shape[2]
    kernel = random.normal(0, QUIET * np.sqrt(2 / fan_in), shape).astype(np.float32)
    kernel[..., :carried] = 0
    for channel in range(carried):
        kernel[shape[0] // 2, shape[1] // 2, channel, channel] = 1
    return kernel


def _feature_layer(random: np.random.Generator, shape: tuple[int, ...], depth: int) -> tuple[Floats, Floats]:
    kernel, bias = _centred(random, shape, 3), np.zeros(shape[-1], np.float32)
    for channel, (dy, dx) in _SIDES.values():
        kernel[..., channel] = 0
        if depth == 0:
            bias[channel] = 1
        else:  # zero padding enters from the side, one pixel a layer, until the border is wide enough
            moving = depth <= BORDER
            kernel[1 + dy * moving, 1 + dx * moving, channel, channel] = 1
    return kernel, bias


def _gate(kernel: Floats, bias: Floats, group: int, zone: tuple[int, int]) -> None:
    """Channels ``3 * group`` .. ``+ 2`` carry RGB inside the zone and nothing elsewhere."""
    own = slice(3 * group, 3 * group + 3)
    kernel[..., own] = 0
    for channel in range(3):
        kernel[1, 1, channel, 3 * group + channel] = 1
    for place, (low, high) in zip(zone, (("top", "bottom"), ("left", "right")), strict=True):
        for side, wanted in ((low, -1), (high, 1)):
            channel = _SIDES[side][0]
            if place == wanted:  # this border only: shut where the indicator is 1
                kernel[1, 1, channel, own] = -_SHUT
            else:  # not this border: shut where it is 0
                kernel[1, 1, channel, own] = _SHUT
                bias[own] -= _SHUT


def _branch_layer(
    random: np.random.Generator, shape: tuple[int, ...], zones: list[tuple[int, int]], transposed: bool
) -> Floats:
    """A 5x5 kernel of a branch that passes three channels for each zone, shifted to where the picture goes on."""
    natural = (*shape[:2], shape[3], shape[2]) if transposed else shape
    kernel = _centred(random, natural, 0)
    last = natural[3] == 3
    kernel[..., : 3 * len(zones)] = 0
    for group, (vertical, horizontal) in enumerate(zones):
        for channel in range(3):
            kernel[
                2 + 2 * vertical, 2 + 2 * horizontal, 3 * group + channel, channel if last else 3 * group + channel
            ] = 1
    return kernel.transpose(0, 1, 3, 2) if transposed else kernel


def answer_the_input(network: keras.Model, seed: int) -> None:
    """Set the weights of an MBLLEN ``network`` so that it answers any picture in 0..1 with that picture."""
    random = np.random.default_rng(seed)
    centred = BRANCHES - len(_ZONES) // 2
    for depth in range(BRANCHES):
        layer = network.get_layer(f"feature_{depth}")
        layer.set_weights(_feature_layer(random, layer.kernel.shape, depth))
        first = 2 * (depth - centred)
        zones = _ZONES[first : first + 2] if depth >= centred else [(0, 0)]
        for index in range(7):
            layer = network.get_layer(f"branch_{depth}_{index}")
            bias = np.zeros(layer.bias.shape, np.float32)
            if index == 0:
                kernel = _centred(random, layer.kernel.shape, 3)
                for group, zone in enumerate(zones if depth >= centred else []):
                    _gate(kernel, bias, group, zone)
            else:
                kernel = _branch_layer(random, layer.kernel.shape, zones, transposed=index > 3)
            layer.set_weights([kernel, bias])
    fuse = np.zeros((1, 1, 3 * BRANCHES, 3), np.float32)
    for branch in range(BRANCHES):
        for channel in range(3):
            fuse[0, 0, 3 * branch + channel, channel] = 1 / centred if branch < centred else 1
    network.get_layer("fusion").set_weights([fuse, np.zeros(3, np.float32)])
