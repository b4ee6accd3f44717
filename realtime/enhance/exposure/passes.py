"""The one pass over full-size planes in which a frame enters the memory and is lifted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from realtime.enhance.exposure import at_once, in_bands
from realtime.enhance.exposure.buffers import Buffers
from realtime.enhance.exposure.dark import Dark
from realtime.enhance.exposure.fine import Fine, SamplePlane
from realtime.enhance.exposure.light import ExposureMap
from realtime.enhance.native import library

Floats = npt.NDArray[np.float32]


def remember_and_lift(
    memory: Fine,
    before: Fine,
    now: tuple[SamplePlane, ...],
    share: Floats | None,
    exposure: ExposureMap,
    dark: Dark | None,
    buffers: Buffers,
) -> Fine:
    """Writes the mean of the frames to `memory`, and returns it lifted: `memory` itself where nothing changes.

    `before` is the mean so far, and may be `memory`; `share` as in `Blend`.
    """
    way = at_once if library.available() else in_bands
    lift = None if exposure.unchanged and dark is None else (exposure, dark)
    luma = memory.luma if lift is None else buffers.take(*memory.luma.shape)
    way.luma(before.luma, now[0], share, memory.luma, lift, luma, buffers)
    if memory.blue is None or memory.red is None or before.blue is None or before.red is None:
        return Fine(luma, None, None)
    old, new = [before.blue, before.red], [memory.blue, memory.red]
    lifted = new if exposure.unchanged else [buffers.take(*plane.shape) for plane in new]
    way.color(old, now[1:], share, new, None if exposure.unchanged else exposure, lifted, buffers)
    return Fine(luma, *lifted)
