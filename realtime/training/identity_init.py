"""First weights that return the input, so that training starts at "unchanged" and learns only what is wrong.

The idea is that of Dirac parametrisation (Zagoruyko and Komodakis, "DiracNets", 2017): RGB is never negative here, so
it passes ReLUs, and a kernel with a single 1 passes it on. Two things need care:

- The branches' unpadded convolutions do not see the outer 6 pixels, which would leave a black border. Four branches
  carry the border instead, with shifted kernels that stay inside the picture.
- All other channels start small. They read RGB and do not write to it yet.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from realtime.enhance.keras_loader import keras
from realtime.enhance.mbllen import BRANCH_LAYERS, BRANCHES

Floats = npt.NDArray[Any]

#: Width of the border that the branches' three unpadded 5x5 kernels cannot see when centered.
BORDER = 6
#: Share of He et al.'s standard deviation for ReLU layers; small, so that random channels change little at first.
RANDOM_SCALE = 0.3
#: A closed gate subtracts this; the picture is at most 1.
_CLOSED = 2.0
#: Feature channels that hold 1 at `BORDER` pixels or more from that side, else 0, and the shift that moves them in.
_SIDES = {"left": (3, (0, -1)), "right": (4, (0, 1)), "top": (5, (-1, 0)), "bottom": (6, (1, 0))}
#: The border in eight zones, two for each of the last four branches, as (vertical, horizontal) in -1, 0 or 1.
_ZONES = [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)]


def _centered(random: np.random.Generator, shape: tuple[int, ...], passed: int) -> Floats:
    """A kernel (h, w, in, out) that passes the first `passed` channels on; the other outputs are random."""
    fan_in = shape[0] * shape[1] * shape[2]
    kernel = random.normal(0, RANDOM_SCALE * np.sqrt(2 / fan_in), shape).astype(np.float32)
    kernel[..., :passed] = 0
    for channel in range(passed):
        kernel[shape[0] // 2, shape[1] // 2, channel, channel] = 1
    return kernel


def _feature_layer(random: np.random.Generator, shape: tuple[int, ...], depth: int) -> tuple[Floats, Floats]:
    kernel, bias = _centered(random, shape, 3), np.zeros(shape[-1], np.float32)
    for channel, (dy, dx) in _SIDES.values():
        kernel[..., channel] = 0
        if depth == 0:
            bias[channel] = 1
        else:  # zero padding enters from the side, one pixel a layer, until the border is wide enough
            moving = depth <= BORDER
            kernel[1 + dy * moving, 1 + dx * moving, channel, channel] = 1
    return kernel, bias


def _gate(kernel: Floats, bias: Floats, group: int, zone: tuple[int, int]) -> None:
    """Makes channels ``3 * group`` to ``3 * group + 2`` carry RGB inside the zone and 0 elsewhere."""
    own = slice(3 * group, 3 * group + 3)
    kernel[..., own] = 0
    for channel in range(3):
        kernel[1, 1, channel, 3 * group + channel] = 1
    for position, (low, high) in zip(zone, (("top", "bottom"), ("left", "right")), strict=True):
        for side, wanted in ((low, -1), (high, 1)):
            channel = _SIDES[side][0]
            if position == wanted:  # this border only: closed where the indicator is 1
                kernel[1, 1, channel, own] = -_CLOSED
            else:  # not this border: closed where it is 0
                kernel[1, 1, channel, own] = _CLOSED
                bias[own] -= _CLOSED


def _branch_layer(
    random: np.random.Generator, shape: tuple[int, ...], zones: list[tuple[int, int]], transposed: bool
) -> Floats:
    """A branch's 5x5 kernel that passes three channels for each zone, shifted towards the inside of the picture."""
    forward = (*shape[:2], shape[3], shape[2]) if transposed else shape
    kernel = _centered(random, forward, 0)
    last = forward[3] == 3
    kernel[..., : 3 * len(zones)] = 0
    for group, (vertical, horizontal) in enumerate(zones):
        for channel in range(3):
            source = 3 * group + channel
            kernel[2 + 2 * vertical, 2 + 2 * horizontal, source, channel if last else source] = 1
    return kernel.transpose(0, 1, 3, 2) if transposed else kernel


def set_identity(network: keras.Model, seed: int) -> None:
    """Sets the weights of an MBLLEN `network` so that it returns any picture in 0..1 unchanged."""
    random = np.random.default_rng(seed)
    center_branches = BRANCHES - len(_ZONES) // 2
    for depth in range(BRANCHES):
        layer = network.get_layer(f"feature_{depth}")
        layer.set_weights(_feature_layer(random, layer.kernel.shape, depth))
        first = 2 * (depth - center_branches)
        zones = _ZONES[first : first + 2] if depth >= center_branches else [(0, 0)]
        for index in range(BRANCH_LAYERS):
            layer = network.get_layer(f"branch_{depth}_{index}")
            bias = np.zeros(layer.bias.shape, np.float32)
            if index == 0:
                kernel = _centered(random, layer.kernel.shape, 3)
                for group, zone in enumerate(zones if depth >= center_branches else []):
                    _gate(kernel, bias, group, zone)
            else:
                kernel = _branch_layer(random, layer.kernel.shape, zones, transposed=index > 3)
            layer.set_weights([kernel, bias])
    fusion = np.zeros((1, 1, 3 * BRANCHES, 3), np.float32)
    for branch in range(BRANCHES):
        for channel in range(3):
            fusion[0, 0, 3 * branch + channel, channel] = 1 / center_branches if branch < center_branches else 1
    network.get_layer("fusion").set_weights([fusion, np.zeros(3, np.float32)])
