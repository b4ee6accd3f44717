"""The one pass over full-size planes in which a frame enters the memory and is lifted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from realtime.enhance.exposure.blend import Blend
from realtime.enhance.exposure.buffers import Buffers, bands
from realtime.enhance.exposure.dark import Dark
from realtime.enhance.exposure.fine import Fine, SamplePlane
from realtime.enhance.exposure.light import ExposureMap
from realtime.enhance.exposure.planes import ColorLift, LumaLift

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
    lifts = not exposure.unchanged or dark is not None
    height, width = memory.luma.shape
    blend = Blend(share, height, width, buffers)
    luma = buffers.take(height, width) if lifts else memory.luma
    lift = LumaLift(exposure, dark, height, width, buffers) if lifts else None
    for rows in bands(height):
        blend.band(rows, [before.luma], [now[0]], [memory.luma])
        if lift is not None:
            lift.band(rows, memory.luma[rows], luma[rows])
    if memory.blue is None or memory.red is None or before.blue is None or before.red is None:
        return Fine(luma, None, None)
    old, new = [before.blue, before.red], [memory.blue, memory.red]
    height, width = memory.blue.shape
    blend = Blend(share, height, width, buffers)
    lifted = new if exposure.unchanged else [buffers.take(height, width) for _ in range(2)]
    color = None if exposure.unchanged else ColorLift(exposure, height, width, buffers)
    for rows in bands(height):
        blend.band(rows, old, list(now[1:]), new)
        if color is not None:
            color.band(rows, [plane[rows] for plane in new], [plane[rows] for plane in lifted])
    return Fine(luma, *lifted)
