"""Which exposure each frame of one stream gets: the user's, the meter's, or none."""

from __future__ import annotations

from pathlib import Path

from realtime.config import parse_exposure
from realtime.enhance.color_ops import samples
from realtime.enhance.exposure import meter
from realtime.frame import Frame, Samples

#: The meter looks at a grid of about this many points along the longer side.
GRID_POINTS = 160
#: Seconds between two measurements of a stream, every fourth frame of 30 a second: its exposure follows slowly anyway.
#: A cut is seen at once.
MEASURE_INTERVAL = 0.12
#: Gain 1 and white 1: the frame as it is.
UNCHANGED = (1.0, 1.0)


class ExposureController:
    """Gain and white for one frame after another, as `meter.apply_exposure` takes them.

    `exposure` is ``auto``, ``off`` or stops, as in `EnhanceOptions`; `path` the learned meter's file.
    """

    def __init__(self, exposure: str | float, path: Path) -> None:
        self._path = path
        self.set(exposure)
        self.restart()

    def set(self, exposure: str | float, bias: float = 0.0) -> None:
        """Changes what the user asked for; `bias` in stops is added to a metered exposure."""
        self._off, self._stops, self._bias = exposure == "off", parse_exposure(exposure), bias

    def restart(self) -> None:
        """A new stream: frames so far do not count."""
        self._meter = meter.Meter(self._path, MEASURE_INTERVAL)

    def independent(self, frame: Frame) -> tuple[float, float]:
        """The exposure of a frame without past or future."""
        if self._off:
            return UNCHANGED
        gains, whites = meter.measure(_points(frame)[None], self._path)
        return self._adjusted(float(gains[0]), float(whites[0]))

    def next(self, frame: Frame) -> tuple[float, float]:
        """The exposure of the stream's next frame."""
        if self._off:
            return UNCHANGED
        return self._adjusted(*self._meter(_points(frame), frame.seconds))

    def _adjusted(self, gain: float, white: float) -> tuple[float, float]:
        if self._stops is not None:
            gain = 2.0**self._stops
        return min(max(gain * 2.0**self._bias, 1.0), meter.MAX_GAIN), white


def _points(frame: Frame) -> Samples:
    stride = max(1, round(max(frame.width, frame.height) / GRID_POINTS))
    return samples(frame.planes, frame.format, stride)
