"""The memory of one stream: a recursive mean over time where the picture stands still, on planes, before the lift.

Each place keeps a running mean of up to `FRAMES` frames; `gate` says where it gives way.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from realtime.enhance.exposure.blend import blended, converted
from realtime.enhance.exposure.buffers import Buffers
from realtime.enhance.exposure.dark import dark_of
from realtime.enhance.exposure.fine import Fine, Raw, to_raw
from realtime.enhance.exposure.gate import first_noise, looked_at, moved
from realtime.enhance.exposure.light import even
from realtime.enhance.exposure.planes import lift_planes
from realtime.enhance.exposure.reduced import Reduced, peak_of, reduce_raw
from realtime.frame import PixelFormat, Samples

Floats = npt.NDArray[np.float32]

#: The longest memory, in frames: noise falls to 1 / sqrt(2 * FRAMES - 1) of itself, 0.21.
FRAMES = 12
#: A share of the frame that gave way, from which on it is another picture: all is forgotten.
CUT = 0.85
#: A step in time by so many seconds, or back, forgets all.
GAP = 1.0


def denoise_frames(denoise: str | int, exposed: bool) -> int:
    """The longest memory in frames that ``auto``, ``off`` or a number means; ``auto`` is `FRAMES` where frames are
    lifted, which lifts their noise as well."""
    if denoise == "auto":
        return FRAMES if exposed else 1
    return 1 if denoise == "off" else int(denoise)


@dataclass
class _Memory:
    """`count` (h, w): frames in the mean, at the size the gate works in; `noise` as `gate.moved` has it."""

    fine: Fine
    small: Reduced
    count: Floats
    noise: Floats


class TemporalDenoiser:
    """One per stream; frames in order, one thread at a time.

    `frames` is the longest memory (`--denoise N`); 1 (`--denoise off`) passes frames on with their dark smoothed.
    """

    def __init__(self, format: PixelFormat, frames: int = FRAMES, buffers: Buffers | None = None) -> None:
        self._format, self._frames = format, max(1, frames)
        self._buffers = Buffers() if buffers is None else buffers
        self.reset()

    def reset(self) -> None:
        """Forgets the stream."""
        self._memory: _Memory | None = None
        self._when = 0.0

    @property
    def noise(self) -> float:
        """The noise of a cell in the dark, a standard deviation in levels; 0 before it is known."""
        return 0.0 if self._memory is None else float(self._memory.noise[0]) * 1.25

    def __call__(self, planes: tuple[Samples, ...], seconds: float) -> tuple[Fine, Reduced]:
        """The frame in fixed point, calmed and its dark smoothed, and its small picture; nobody may write to either."""
        fine, small = self.next(planes, seconds)
        return lift_planes(fine, even(0.0), dark_of(small), self._buffers), small

    def next(self, planes: tuple[Samples, ...], seconds: float) -> tuple[Fine, Reduced]:
        """As a call, without the smoothing, which `lift_planes` can do as well."""
        raw = to_raw(planes, self._format, self._buffers)
        small = reduce_raw(raw, self._format.matrix)
        memory, elapsed, self._when = self._memory, seconds - self._when, seconds
        if memory is not None and self._frames > 1 and memory.fine.luma.shape == planes[0].shape[:2]:
            memory = self._next(memory, raw, small) if 0 <= elapsed <= GAP else None
        else:
            memory = None
        self._memory = memory = memory or self._first(raw, small)
        return memory.fine, memory.small

    def _first(self, raw: tuple[Raw, ...], small: Reduced, noise: Floats | None = None) -> _Memory:
        count = np.ones_like(looked_at(small)[0])
        if noise is None:
            noise = first_noise(raw[0].plane.shape[1] / count.shape[1])
        return _Memory(converted(raw, self._buffers), small, count, noise)

    def _next(self, memory: _Memory, raw: tuple[Raw, ...], small: Reduced) -> _Memory:
        side = raw[0].plane.shape[1] / memory.count.shape[1]
        gone, noise = moved(memory.small, small, memory.noise, side)
        if float((gone > 0.5).mean()) > CUT:
            return self._first(raw, small, noise)
        count = np.minimum(memory.count * (1 - gone) + 1, np.float32(self._frames))
        share = np.maximum(1 / count, gone)
        fine = blended(memory.fine, raw, share, self._buffers)
        if share.shape != small.luma.shape:
            share = np.asarray(cv2.resize(share, small.luma.shape[::-1]))
        luma, blue, red = (old + share * (new - old) for old, new in zip(memory.small[:3], small[:3]))
        return _Memory(fine, Reduced(luma, blue, red, peak_of(luma, blue, red, self._format.matrix)), count, noise)
