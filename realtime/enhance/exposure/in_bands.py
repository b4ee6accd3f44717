"""Memory and lift with OpenCV, a band of rows at a time: for machines where `native` was not compiled.

Arguments are those of `at_once`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from realtime.enhance.exposure.blend import Blend
from realtime.enhance.exposure.buffers import Buffers, bands
from realtime.enhance.exposure.dark import Dark
from realtime.enhance.exposure.fine import SamplePlane, Shorts
from realtime.enhance.exposure.light import ExposureMap
from realtime.enhance.exposure.planes import ColorLift, LumaLift

Floats = npt.NDArray[np.float32]


def luma(
    before: Shorts,
    now: SamplePlane,
    share: Floats | None,
    memory: Shorts,
    lift: tuple[ExposureMap, Dark | None] | None,
    lifted: Shorts,
    buffers: Buffers,
) -> None:
    height, width = memory.shape
    blend = Blend(share, height, width, buffers)
    lifting = None if lift is None else LumaLift(*lift, height, width, buffers)
    for rows in bands(height):
        blend.band(rows, [before], [now], [memory])
        if lifting is not None:
            lifting.band(rows, memory[rows], lifted[rows])


def color(
    before: Sequence[Shorts],
    now: Sequence[SamplePlane],
    share: Floats | None,
    memory: Sequence[Shorts],
    exposure: ExposureMap | None,
    lifted: Sequence[Shorts],
    buffers: Buffers,
) -> None:
    height, width = memory[0].shape
    blend = Blend(share, height, width, buffers)
    lifting = None if exposure is None else ColorLift(exposure, height, width, buffers)
    for rows in bands(height):
        blend.band(rows, before, now, memory)
        if lifting is not None:
            lifting.band(rows, [plane[rows] for plane in memory], [plane[rows] for plane in lifted])
