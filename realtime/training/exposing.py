"""How training exposes its frames: the one place that knows what kind of exposure the weights will work behind.

A frame is exposed by numbers or maps that `exposure_of` gives for the whole frame. Maps are cropped as its pictures
are, and all become part of the batch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from realtime.enhance.exposure.meter import MAX_GAIN, apply_exposure, suppress_false_chroma
from realtime.training.degradation import Example

Floats = npt.NDArray[Any]

#: Standard deviation of the meter's error that networks are trained for, as the logarithm of the gain: 0.36 stops.
METER_ERROR = 0.25


def exposure_of(example: Example, random: np.random.Generator | None) -> dict[str, Floats]:
    """`gain` and `white` of a frame, float32; `random` adds the meter's error. A well lit frame keeps gain 1."""
    gain = example.gain
    if random is not None and gain > 1:
        gain = float(np.clip(gain * np.exp(random.normal(0, METER_ERROR)), 1, MAX_GAIN))
    return {"gain": np.array(gain, np.float32), "white": np.array(example.white, np.float32)}


def exposed_input(batch: dict[str, Any]) -> Any:
    """What the network gets: the recorded frames (N, H, W, 3), exposed."""
    recorded = suppress_false_chroma(batch["recorded"], batch["gain"])
    return apply_exposure(recorded, batch["gain"], batch["white"])


def exposed_target(batch: dict[str, Any]) -> Any:
    """What the network is to make of it: the scene without noise and codec, exposed alike."""
    return apply_exposure(batch["dark"], batch["gain"], batch["white"])
