"""The published network as plain TensorFlow operations on constants: the same function, made for inference.

`mbllen.build` stays the definition; tests hold the two equal. Three things are cheaper here:

- Transposed convolutions of stride 1 become convolutions over a padded picture with a flipped kernel.
- The last two layers of a branch have 16, 8 and 3 channels, which fill a vector or matrix unit badly. On even sizes
  they work on 2x2 blocks of pixels instead (64, 32 and 12 channels at a quarter of the places): 1.4 times the
  arithmetic, at four to six times the speed.
- The fusion layer is summed branch by branch, in float32, so that the thirty proposals are never stored together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from realtime.enhance.keras_loader import keras
from realtime.enhance.mbllen import BRANCH_LAYERS, BRANCHES
from realtime.enhance.tensorflow_loader import tf
from realtime.frame import Samples

#: How far a transposed 5x5 kernel reaches past the picture.
REACH = 4


def compile_network(model: keras.Model, dtype: tf.DType) -> Callable[[Any], Any]:
    """A function from float32 (N, H, W, 3) to float32 of that shape, computing in `dtype`; H and W must be static."""
    features = [model.get_layer(f"feature_{i}").get_weights() for i in range(BRANCHES)]
    branches = [
        [model.get_layer(f"branch_{i}_{j}").get_weights() for j in range(BRANCH_LAYERS)] for i in range(BRANCHES)
    ]
    for branch in branches:
        for layer in branch[4:]:
            layer[0] = flip_kernel(layer[0])
    fusion, fusion_bias = model.get_layer("fusion").get_weights()

    def network(rgb: Any) -> Any:
        x = tf.cast(rgb, dtype)
        even = rgb.shape[1] % 2 == rgb.shape[2] % 2 == 0
        total = None
        for index, branch in enumerate(branches):
            x = _layer(x, features[index], "SAME")
            y = _layer(x, branch[0], "SAME")
            for layer in branch[1:4]:
                y = _layer(y, layer, "VALID")
            # Padding first and a plain convolution after is faster than a convolution that pads, or a transposed one.
            y = _layer(tf.pad(y, _around(REACH)), branch[4], "VALID")
            share = fusion[:, :, 3 * index : 3 * index + 3]
            if even:
                y = tf.nn.space_to_depth(y, 2)
                for kernel, bias in branch[5:]:
                    y = _layer(
                        tf.pad(y, _around(REACH // 2)), [space_to_depth_kernel(kernel), np.tile(bias, 4)], "VALID"
                    )
                share = space_to_depth_kernel(share)
            else:
                for layer in branch[5:]:
                    y = _layer(tf.pad(y, _around(REACH)), layer, "VALID")
            y = tf.cast(tf.nn.conv2d(y, tf.constant(share, dtype), 1, "VALID"), tf.float32)
            total = y if total is None else total + y
        if even:
            total = tf.nn.depth_to_space(total, 2)
        return tf.nn.relu(total + fusion_bias)

    def _layer(x: Any, weights: list[Samples], padding: str) -> Any:
        kernel, bias = weights
        convolved = tf.nn.conv2d(x, tf.constant(kernel, dtype), 1, padding)
        return tf.nn.relu(tf.nn.bias_add(convolved, tf.constant(bias, dtype)))

    return network


def flip_kernel(kernel: Samples) -> Samples:
    """The kernel (h, w, out, in) of a stride-1 transposed convolution as that of a convolution, (h, w, in, out)."""
    return kernel[::-1, ::-1].transpose(0, 1, 3, 2)


def space_to_depth_kernel(kernel: Samples) -> Samples:
    """A kernel (k, k, in, out), k odd, as one over 2x2 blocks of pixels: (b, b, 4 in, 4 out), b = (k + 1) / 2.

    The blocks' channels lie as ``tf.nn.space_to_depth`` puts them. Padding halves with the kernel's reach.
    """
    size, _, inputs, outputs = kernel.shape
    wide = (size + 1) // 2
    result = np.zeros((wide, wide, 2, 2, inputs, 2, 2, outputs), kernel.dtype)
    # An output at offset i of its block meets the input at offset u of the block t further on at tap 2 t + u - i.
    for t, s, u, v, i, j in np.ndindex(wide, wide, 2, 2, 2, 2):
        y, x = 2 * t + u - i, 2 * s + v - j
        if 0 <= y < size and 0 <= x < size:
            result[t, s, u, v, :, i, j] = kernel[y, x]
    return result.reshape(wide, wide, 4 * inputs, 4 * outputs)


def _around(pixels: int) -> list[list[int]]:
    return [[0, 0], [pixels, pixels], [pixels, pixels], [0, 0]]
