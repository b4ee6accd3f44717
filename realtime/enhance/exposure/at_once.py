"""Memory and lift with the functions of `native`: every plane is read and written once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from realtime.enhance.exposure.buffers import Buffers
from realtime.enhance.exposure.dark import Dark
from realtime.enhance.exposure.fine import STEPS, SamplePlane, Shorts
from realtime.enhance.exposure.light import KNEE, LANDING, OFFSET, TOE, ExposureMap, enlarge, shoulder
from realtime.enhance.native import functions, library

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
    """Writes the mean of `before` and `now` to `memory`, and that lifted to `lifted`; `share` as in `Blend`.

    `before` and `memory` may be the same, and so may `memory` and `lifted` where there is no `lift`.
    """
    maps = None if lift is None else _maps(*lift)
    functions.blend_and_lift_luma(before, _plane(now), _map(share), memory, maps, lifted)


def color(
    before: Sequence[Shorts],
    now: Sequence[SamplePlane],
    share: Floats | None,
    memory: Sequence[Shorts],
    exposure: ExposureMap | None,
    lifted: Sequence[Shorts],
    buffers: Buffers,
) -> None:
    """The same for the color differences, all of one size."""
    weight, gain = _map(share), None if exposure is None else library.Map(exposure.color)
    for old, source, new, out in zip(before, now, memory, lifted):
        functions.blend_and_lift_color(old, _plane(source), weight, new, gain, out)


def _plane(source: SamplePlane) -> library.Plane:
    return library.Plane(source.plane, source.unit * source.slope, source.offset, source.limits)


def _map(share: Floats | None) -> library.Map | None:
    return None if share is None else library.Map(share)


def _maps(
    exposure: ExposureMap, dark: Dark | None
) -> tuple[library.Map, library.Map | None, library.Map | None, library.Curve]:
    lines = [*shoulder(exposure.white), *[(1.0, 0.0)] * 2][:2]  # the level itself where there are fewer
    numbers = [number for slope, constant in lines for number in (slope, constant * STEPS)]
    curve = library.Curve(TOE - 1, OFFSET * STEPS, *numbers, (LANDING + 1) * STEPS, KNEE * STEPS)
    keep = level = None
    if dark is not None:
        gains = enlarge(exposure.gains, *dark.keep.shape)
        keep, level = (library.Map(part) for part in (gains * dark.keep, gains * dark.level * np.float32(STEPS)))
    return library.Map(exposure.gains), keep, level, curve
