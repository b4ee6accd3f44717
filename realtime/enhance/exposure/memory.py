"""The memory of one stream: a recursive mean over time where the picture stands still, on planes, before the lift.

Each place keeps a running mean of up to `FRAMES` frames; `gate` says where it gives way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from realtime.enhance.exposure.buffers import Buffers
from realtime.enhance.exposure.dark import Dark, dark_of
from realtime.enhance.exposure.fine import Fine, SamplePlane, sample_planes
from realtime.enhance.exposure.gate import first_noise, moved
from realtime.enhance.exposure.light import ExposureMap, even
from realtime.enhance.exposure.passes import remember_and_lift
from realtime.enhance.exposure.reduced import Reduced, peak_of, reduce_sample_planes
from realtime.frame import PixelFormat, Samples

Floats = npt.NDArray[np.float32]

#: The longest memory, in frames: noise falls to 1 / sqrt(2 * FRAMES - 1) of itself, 0.21.
FRAMES = 12
#: A share of the frame that gave way, from which on it is another picture: all is forgotten.
CUT_SHARE = 0.85
#: A step in time by so many seconds, or back, forgets all.
MEMORY_GAP = 1.0


def denoise_frames(denoise: str | int, exposed: bool) -> int:
    """The longest memory in frames that ``auto``, ``off`` or a number means; ``auto`` is `FRAMES` where frames are
    lifted, which lifts their noise as well."""
    if denoise == "auto":
        return FRAMES if exposed else 1
    return 1 if denoise == "off" else int(denoise)


@dataclass
class _Memory:
    """What is known of one stream.

    - `small`: the small picture, calmed. `count` (h, w): how many frames are in its mean, by place.
    - `noise`: as `gate.moved` has it. `share`: of the newest frame in the mean, as in `Blend`.
    - `fine`: the mean on planes, until `lift` without the newest frame; None before the first one.
    """

    small: Reduced
    count: Floats
    noise: Floats
    share: Floats | None = None
    fine: Fine | None = None


class TemporalDenoiser:
    """One per stream; frames in order, one thread at a time: `look`, then `lift`.

    `frames` is the longest memory (`--denoise N`); 1 (`--denoise off`) passes frames on with their dark smoothed.
    """

    def __init__(self, format: PixelFormat, frames: int = FRAMES) -> None:
        self._format, self._frames, self._buffers = format, max(1, frames), Buffers()
        self.reset()

    def reset(self) -> None:
        """Forgets the stream."""
        self._memory: _Memory | None = None
        self._now: tuple[SamplePlane, ...] = ()
        self._when = 0.0
        # Whether the planes in memory were handed out, and may not be written to.
        self._shared = False

    @property
    def noise(self) -> float:
        """The noise of a cell in the dark, a standard deviation in levels; 0 before it is known."""
        return 0.0 if self._memory is None else float(self._memory.noise[0]) * 1.25

    def __call__(self, planes: tuple[Samples, ...], seconds: float) -> tuple[Fine, Reduced]:
        """The frame in fixed point, calmed and its dark smoothed, and its small picture; nobody may write to either."""
        small = self.look(planes, seconds)
        return self.lift(even(0.0), dark_of(small)), small

    def look(self, planes: tuple[Samples, ...], seconds: float) -> Reduced:
        """The small picture of the next frame, calmed over time."""
        same = self._now and self._now[0].plane.shape[:2] == planes[0].shape[:2]
        self._now = sample_planes(planes, self._format)
        small = reduce_sample_planes(self._now, self._format.matrix)
        memory, elapsed, self._when = self._memory, seconds - self._when, seconds
        if memory is None or self._frames == 1 or not same or not 0 <= elapsed <= MEMORY_GAP:
            self._memory = memory = self._first(small)
        else:
            self._memory = memory = self._next(memory, small)
        return memory.small

    def lift(self, exposure: ExposureMap, dark: Dark | None = None) -> Fine:
        """The frame that was looked at last in fixed point, calmed and lifted; nobody may write to it."""
        memory = self._memory
        assert memory is not None
        before = memory.fine
        if before is None or self._shared:
            planes = [self._buffers.take(*source.plane.shape[:2]) for source in self._now]
            memory.fine = Fine(planes[0], *planes[1:]) if len(planes) == 3 else Fine(planes[0], None, None)
        assert memory.fine is not None
        self._shared = exposure.unchanged
        return remember_and_lift(
            memory.fine, before or memory.fine, self._now, memory.share, exposure, dark, self._buffers
        )

    def lift_again(self, exposure: ExposureMap, dark: Dark | None = None) -> Fine:
        """The same frame as `lift` has returned, lifted otherwise; the memory stays as it is."""
        memory = self._memory
        if memory is not None and memory.share is not None:
            memory.share = np.zeros_like(memory.share)  # the frame is in the mean already
        return self.lift(exposure, dark)

    def _first(self, small: Reduced, noise: Floats | None = None) -> _Memory:
        count = np.ones_like(small.luma)
        return _Memory(small, count, first_noise(self._side(count)) if noise is None else noise)

    def _next(self, memory: _Memory, small: Reduced) -> _Memory:
        gone, noise = moved(memory.small, small, memory.noise, self._side(memory.count))
        if float((gone > 0.5).mean()) > CUT_SHARE:
            return self._first(small, noise)
        count = np.minimum(memory.count * (1 - gone) + 1, np.float32(self._frames))
        share = np.maximum(1 / count, gone)
        luma, blue, red = (old + share * (new - old) for old, new in zip(memory.small[:3], small[:3]))
        calm = Reduced(luma, blue, red, peak_of(luma, blue, red, self._format.matrix))
        return _Memory(calm, count, noise, share, memory.fine)

    def _side(self, cells: Floats) -> float:
        return float(self._now[0].plane.shape[1] / cells.shape[1])
