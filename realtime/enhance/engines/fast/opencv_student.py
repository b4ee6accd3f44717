"""The student of the fast engine on a CPU, in float32, computed by OpenCV.

It is as fast there as TensorFlow, whose import takes seconds, during which a live picture would stutter. OpenCV reads
networks in the ONNX format (onnx.proto3 of the ONNX project), which is written here: six convolutions need no package.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from realtime.enhance.engines.fast import student_file
from realtime.enhance.exposure.fine import Floats
from realtime.enhance.tensors import Array
from realtime.enhance.weights import Weights

#: Networks that are kept, one for each size of features.
MAX_NETWORKS = 4


class OpenCVStudent:
    """Maps (H/2, W/2, `MAPS`) for features (H, W, `INPUTS`), float32, H and W even. Several threads may share it."""

    def __init__(self, weights: Weights) -> None:
        self._layers = student_file.read_layers(student_file.student_path(weights), weights.is_known)
        self._lock = threading.Lock()
        self._networks: OrderedDict[tuple[int, int], Any] = OrderedDict()

    def __call__(self, features: Floats) -> Floats:
        with self._lock:  # a network holds its input
            network = self._network(features.shape[0], features.shape[1])
            network.setInput(np.stack(cv2.split(features))[None])
            return np.asarray(cv2.merge(maps(network.forward()[0])))

    def _network(self, height: int, width: int) -> Any:
        network = self._networks.pop((height, width), None)
        if network is None:
            network = cv2.dnn.readNetFromONNX(np.frombuffer(onnx_file(self._layers, height, width), np.uint8))
        self._networks[height, width] = network
        while len(self._networks) > MAX_NETWORKS:
            self._networks.popitem(last=False)
        return network


def maps(output: Floats) -> list[Floats]:
    """The network's output (`MAPS`, H, W), as planes, with gains and noises (0..1) instead of their logarithms."""
    logarithms = output[student_file.OFFSETS :]
    gains = np.exp(np.clip(logarithms[: student_file.GAINS], student_file.MIN_LOG_GAIN, student_file.MAX_LOG_GAIN))
    noises = np.float32(student_file.NOISE) * np.exp(
        np.clip(logarithms[student_file.GAINS :], student_file.MIN_LOG_GAIN, student_file.NOISIEST)
    )
    return [*output[: student_file.OFFSETS], *gains, *noises]


def onnx_file(layers: Sequence[tuple[Array, Array]], height: int, width: int) -> bytes:
    """The network as an ONNX file, planes first: one ``Conv`` a layer, of which the first halves, and ``Relu``
    between them."""
    graph, source = b"", "features"
    for layer, (kernel, bias) in enumerate(layers):
        last = layer == student_file.LAYERS - 1
        graph += _initializer(f"kernel_{layer}", np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)))
        graph += _initializer(f"bias_{layer}", bias)
        # Padded as TensorFlow pads: where sides are halved, only behind the last row and column.
        first, step = (1, 1) if layer else (0, 2)
        attributes = {"kernel_shape": (3, 3), "pads": (first, first, 1, 1), "strides": (step, step)}
        target = "maps" if last else f"sums_{layer}"
        graph += _node("Conv", [source, f"kernel_{layer}", f"bias_{layer}"], target, attributes)
        if not last:
            graph += _node("Relu", [target], f"layer_{layer}", {})
        source = f"layer_{layer}"
    graph += _field(2, "student")
    graph += _field(11, _value("features", (1, student_file.INPUTS, height, width)))
    graph += _field(12, _value("maps", (1, student_file.MAPS, height // 2, width // 2)))
    operators = _field(1, "") + _field(2, 13)
    return _field(1, 8) + _field(7, graph) + _field(8, operators)


# Protocol buffers: a field is its number and kind, then an integer, or a length and so many bytes.


def _integer(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def _field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return _integer(number << 3) + _integer(value)
    data = value.encode() if isinstance(value, str) else value
    return _integer(number << 3 | 2) + _integer(len(data)) + data


def _initializer(name: str, values: Array) -> bytes:
    shape = b"".join(_field(1, side) for side in values.shape)
    return _field(5, shape + _field(2, 1) + _field(8, name) + _field(9, values.astype("<f4").tobytes()))


def _node(kind: str, inputs: Sequence[str], output: str, attributes: Mapping[str, Sequence[int]]) -> bytes:
    node = b"".join(_field(1, name) for name in inputs) + _field(2, output) + _field(3, output) + _field(4, kind)
    for name, values in attributes.items():
        node += _field(5, _field(1, name) + b"".join(_field(8, value) for value in values) + _field(20, 7))
    return _field(1, node)


def _value(name: str, shape: Sequence[int]) -> bytes:
    sides = b"".join(_field(1, _field(1, side)) for side in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, 1) + _field(2, sides)))
