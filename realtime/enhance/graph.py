"""The published network as plain TensorFlow operations on constants: the same function, made for inference.

Constants let the graph optimiser fold and fuse; the fusion layer is summed branch by branch, so that the thirty
channels of proposals are never stored together. `network.build` stays the definition: tests hold the two equal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from realtime.enhance.backend import tf
from realtime.enhance.network import BRANCH_LAYERS, BRANCHES


def compile_network(model: keras.Model, dtype: tf.DType) -> Callable[[Any], Any]:
    """A function from float32 (N, H, W, 3) to float32 of that shape, computing in `dtype`; H and W must be static."""

    def constants(name: str) -> tuple[Any, Any]:
        kernel, bias = model.get_layer(name).get_weights()
        return tf.constant(kernel, dtype), tf.constant(bias, dtype)

    features = [constants(f"feature_{i}") for i in range(BRANCHES)]
    branches = [[constants(f"branch_{i}_{j}") for j in range(BRANCH_LAYERS)] for i in range(BRANCHES)]
    fusion, fusion_bias = constants("fusion")

    def network(rgb: Any) -> Any:
        x = tf.cast(rgb, dtype)
        total = None
        for index, branch in enumerate(branches):
            x = _convolve(x, *features[index], "SAME")
            y = _convolve(x, *branch[0], "SAME")
            for kernel, bias in branch[1:4]:
                y = _convolve(y, kernel, bias, "VALID")
            for kernel, bias in branch[4:]:
                y = _grow(y, kernel, bias)
            share = tf.nn.conv2d(y, fusion[:, :, 3 * index : 3 * index + 3], 1, "SAME")
            total = share if total is None else total + share
        return tf.cast(tf.nn.relu(total + fusion_bias), tf.float32)

    return network


def _convolve(x: Any, kernel: Any, bias: Any, padding: str) -> Any:
    return tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, kernel, 1, padding), bias))


def _grow(x: Any, kernel: Any, bias: Any) -> Any:
    size, _, channels, _ = kernel.shape
    shape = [tf.shape(x)[0], x.shape[1] + size - 1, x.shape[2] + size - 1, channels]
    return tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d_transpose(x, kernel, shape, 1, "VALID"), bias))
