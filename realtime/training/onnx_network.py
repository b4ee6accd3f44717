"""Networks of others in ONNX, so that `evaluate` can score them beside ours. OpenCV runs them on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from realtime.errors import TrainingError
from realtime.training.baselines import Bytes, EnhanceFunction

#: Sides are filled up to a multiple of this, by mirroring: networks with pooling need it.
MULTIPLE = 32


def onnx_network(path: Path) -> EnhanceFunction:
    """Frame by frame through a network whose first output is the enhanced picture: RGB (1, 3, H, W) float32 in 0..1 to
    its like. Height and width must be free in the file.

    Raises TrainingError for a file that OpenCV cannot read, and, when called, for one that gives something else.
    """
    try:
        network = cv2.dnn.readNetFromONNX(str(path))
    except cv2.error as error:
        raise TrainingError(f"{path} is no network in ONNX that OpenCV can read: {error.err}") from None
    return lambda pictures: np.stack([_enhanced(network, path, picture) for picture in pictures])


def _enhanced(network: Any, path: Path, picture: Bytes) -> Bytes:
    height, width = picture.shape[:2]
    below, right = -height % MULTIPLE, -width % MULTIPLE
    padded = cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_REFLECT_101)
    given = np.ascontiguousarray(padded.transpose(2, 0, 1)[None]).astype(np.float32) / 255
    try:
        network.setInput(given)
        output = network.forward()
    except cv2.error as error:
        raise TrainingError(f"{path} does not run at {padded.shape[1]}x{padded.shape[0]}: {error.err}") from None
    if output.shape != given.shape:
        raise TrainingError(f"{path} returned {output.shape} for a picture {given.shape}")
    rgb = output[0].transpose(1, 2, 0)[:height, :width]
    return np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)
