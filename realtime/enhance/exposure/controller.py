"""Which exposure each frame gets: the user's, the meter's, or none."""

from __future__ import annotations

from realtime.enhance.color_ops import samples
from realtime.enhance.exposure import meter
from realtime.enhance.weights import Weights, bundled
from realtime.errors import SettingError
from realtime.frame import Frame, Samples

#: The meter looks at a grid of about this many points along the longer side.
GRID = 160
#: A stream is measured once in so many seconds, every fourth frame of 30 a second, as it follows for a second anyway;
#: a cut is seen at once.
EVERY = 0.12
#: Stops a user may ask for: the meter's own range, 1 to 64 times.
STOPS = (0.0, 6.0)
PLAIN = (1.0, 1.0)


class ExposureController:
    """Answers (gain, white) for one frame after another, as `meter.develop` takes them."""

    def __init__(self, wish: str | float | None, weights: Weights) -> None:
        self.wish = wish if wish is not None else "auto" if weights.metered else "off"
        self._stops = _stops(self.wish)
        self.metered = self.wish != "off"
        self._meter: meter.Meter | None = None
        if self.metered:
            self.restart()

    def restart(self) -> None:
        """A new stream: what was seen before does not count."""
        if self.metered:
            self._meter = meter.Meter(bundled() / "meter.npz", EVERY)

    def still(self, frame: Frame) -> tuple[float, float]:
        """The exposure of a picture without past or future."""
        if not self.metered:
            return PLAIN
        gains, whites = meter.measure(_points(frame)[None], bundled() / "meter.npz")
        return self._answer(float(gains[0]), float(whites[0]))

    def next(self, frame: Frame) -> tuple[float, float]:
        """The exposure of the stream's next frame."""
        if self._meter is None:
            return PLAIN
        return self._answer(*self._meter(_points(frame), frame.seconds))

    def _answer(self, gain: float, white: float) -> tuple[float, float]:
        return (gain if self._stops is None else 2.0**self._stops, white)


def _points(frame: Frame) -> Samples:
    return samples(frame.planes, frame.format, max(1, round(max(frame.width, frame.height) / GRID)))


def _stops(wish: str | float) -> float | None:
    if wish in ("auto", "off"):
        return None
    try:
        stops = float(wish)
    except ValueError:
        stops = float("nan")
    if not STOPS[0] <= stops <= STOPS[1]:
        raise SettingError(f"exposure {wish!r} is not auto, off or stops from {STOPS[0]:g} to {STOPS[1]:g}")
    return stops
