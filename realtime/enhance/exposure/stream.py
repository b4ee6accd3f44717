"""From the frames of one stream to what an engine restores: calmed over time, lifted place by place."""

from __future__ import annotations

from dataclasses import replace

from realtime.enhance.exposure.controller import ExposureController
from realtime.enhance.exposure.dark import dark_of
from realtime.enhance.exposure.fine import Fine
from realtime.enhance.exposure.memory import TemporalDenoiser
from realtime.enhance.exposure.reduced import Reduced
from realtime.frame import Frame, PixelFormat


class StreamExposure:
    """Memory and exposure of one stream: frames in order, one thread at a time.

    `format` is the frames' own, in the matrix to work in (`ProgramSpec.matrix`); `exposure` as in `EnhanceOptions`;
    `denoise` is the longest memory in frames, 1 for none.
    """

    def __init__(self, format: PixelFormat, exposure: str | float, denoise: int) -> None:
        self._denoiser = TemporalDenoiser(format, denoise)
        self._controller = ExposureController()
        self._latest: tuple[Reduced, float] | None = None
        self.set(exposure)

    def set(self, exposure: str | float, bias: float = 0.0) -> None:
        """Changes what the user asked for; `bias` in stops is added to what the meter found."""
        self._controller.set(exposure if exposure in ("auto", "scene", "off") else float(exposure), bias)

    def restart(self) -> None:
        """Forgets the frames so far."""
        self._denoiser.reset()
        self._controller.reset()

    def next(self, frame: Frame) -> Fine:
        """The stream's next frame, calmed and lifted."""
        small = self._denoiser.look(frame.planes, frame.seconds)
        self._latest = small, frame.seconds
        exposure = self._controller(small, frame.seconds, self._denoiser.noise)
        return self._denoiser.lift(exposure, None if exposure.unchanged else dark_of(small))

    def again(self) -> Fine:
        """The frame that `next` was given last, as `set` says now; what is remembered of the stream stays as it is."""
        assert self._latest is not None, "next comes first"
        small, seconds = self._latest
        exposure = self._controller(small, seconds, self._denoiser.noise)
        return self._denoiser.lift_again(exposure, None if exposure.unchanged else dark_of(small))


def exposed_alone(frame: Frame, format: PixelFormat, exposure: str | float) -> Fine:
    """A frame without past or future, lifted."""
    return StreamExposure(format, exposure, denoise=1).next(replace(frame, pts=0))
