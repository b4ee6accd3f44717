"""The student of the fast engine on a CPU, in float32, computed by the functions of `native`."""

from __future__ import annotations

import threading
from collections import OrderedDict

import cv2
import numpy as np

from realtime.enhance.engines.fast import student_file
from realtime.enhance.engines.fast.opencv_student import MAX_NETWORKS, maps
from realtime.enhance.exposure.fine import Floats
from realtime.enhance.native import functions
from realtime.enhance.weights import Weights


class NativeStudent:
    """Maps (H/2, W/2, `MAPS`) for features (H, W, `INPUTS`), float32, H and W even. Several threads may share it."""

    def __init__(self, weights: Weights) -> None:
        layers = student_file.read_layers(student_file.student_path(weights), weights.is_known)
        self._layers = [(_widened(kernel), _widened(bias)) for kernel, bias in layers]
        self._lock = threading.Lock()
        self._rooms: OrderedDict[tuple[int, int], tuple[Floats, list[Floats]]] = OrderedDict()

    def __call__(self, features: Floats) -> Floats:
        with self._lock:  # which guards the room
            given, rooms = self._room(features.shape[0], features.shape[1])
            # Padded as TensorFlow pads: where sides are halved, only behind the last row and column.
            given[: features.shape[0], : features.shape[1]] = features
            source, step = given, 2
            for index, (kernel, bias) in enumerate(self._layers):
                least = 0.0 if index < student_file.LAYERS - 1 else -3e38
                functions.convolve(source, step, kernel, bias, least, rooms[index % 2])
                source, step = rooms[index % 2], 1
            output = np.ascontiguousarray(source[1:-1, 1:-1, : student_file.MAPS])
        return np.asarray(cv2.merge(maps(np.stack(cv2.split(output)))))

    def _room(self, height: int, width: int) -> tuple[Floats, list[Floats]]:
        """Features and layers of that size, with borders of zeros."""
        room = self._rooms.pop((height, width), None)
        if room is None:
            layers = [np.zeros((height // 2 + 2, width // 2 + 2, functions.OUTPUTS), np.float32) for _ in range(2)]
            room = np.zeros((height + 1, width + 1, student_file.INPUTS), np.float32), layers
        self._rooms[height, width] = room
        while len(self._rooms) > MAX_NETWORKS:
            self._rooms.popitem(last=False)
        return room


def _widened(values: Floats) -> Floats:
    """Zeros for the outputs that there are not."""
    missing = functions.OUTPUTS - values.shape[-1]
    return np.ascontiguousarray(np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, missing)]), np.float32)
