"""The curve: how a level and a gain become a new level.

All levels are sRGB-encoded luma in 0..255, as float; stops are powers of two of linear light.

For levels above 10, IEC 61966-2-1 says ``light = ((level + 14) / 269) ** 2.4``. So ``level + 14`` times ``2 ** (stops /
2.4)`` is a lift in linear light, exact and without a power for every pixel. Below that, the standard's toe would
multiply quantization and noise by up to 25; the toe used here is a straight line of slope `TOE`: an 8-bit level of 1
to 3 is mostly rounding and codec noise, and is not worth more.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from realtime.color import Matrix, luma_row

Floats = npt.NDArray[np.float32]

#: 0.055 * 255: what the sRGB encoding adds to a level before its power.
OFFSET = 14.0
#: 1.055 * 255: the sum for white.
SPAN = 269.0
#: The exponent of sRGB.
POWER = 2.4
#: Slope of the toe. It meets ``level + OFFSET`` at level 9.3, near the 10.3 where sRGB itself becomes a line. Larger
#: values show more of the darkest levels and more of their noise.
TOE = 2.5
#: Where the shoulder may begin, when the lifted picture reaches beyond white.
KNEE = 190.0
#: Where the brightest lifted place lands, below the 250 that counts as blown.
LANDING = 248.0
#: The bend of the shoulder: after this share of the way from knee to white, this share of the way from knee to landing.
BEND = (0.3, 0.58)


@dataclass(frozen=True, eq=False)
class ExposureMap:
    """How much a frame is lifted, place by place.

    `stops` float32 (h, w), 0 or more, and `color` float32 (h, w), the factor of the color differences, lie over the
    whole frame whatever its size; enlarge them bilinearly with half-pixel centers. `scene` is the single number in
    stops. `white` is the lifted level (before the shoulder) of the brightest places; at 255 or below there is no
    shoulder. The arrays must not be written to.
    """

    stops: Floats
    color: Floats
    scene: float
    white: float

    @property
    def gains(self) -> Floats:
        """The factor (h, w) on ``level + OFFSET``: ``2 ** (stops / 2.4)``."""
        return np.exp2(self.stops / np.float32(POWER))

    @property
    def unchanged(self) -> bool:
        """Whether every frame comes back as it is."""
        return bool(self.stops.max() < 1e-3 and abs(self.color - 1).max() < 1e-3)


def even(stops: float, white: float = 255.0) -> ExposureMap:
    """The same lift everywhere, for `stops` of 0 or more."""
    gain = 2.0 ** (stops / POWER)
    one = np.ones((1, 1), np.float32)
    return ExposureMap(one * np.float32(stops), one * np.float32(gain), stops, max(white, 255.0))


def to_tone(level: Floats) -> Floats:
    """Levels 0..255 to the domain in which a lift is a product: ``min(TOE * level, level + OFFSET)``."""
    return np.minimum(np.float32(TOE) * level, level + np.float32(OFFSET))


def from_tone(tone: Floats) -> Floats:
    """The inverse of `to_tone`."""
    return np.maximum(tone / np.float32(TOE), tone - np.float32(OFFSET))


def to_stops(level: Floats) -> Floats:
    """Linear light of a level in stops below white, as the curve sees it; black is -20."""
    ratio = np.maximum(to_tone(np.asarray(level, np.float32)) / np.float32(SPAN), np.float32(2 ** (-20 / POWER)))
    return np.float32(POWER) * np.log2(ratio)


def from_stops(stops: Floats) -> Floats:
    """The inverse of `to_stops`."""
    return from_tone(np.float32(SPAN) * np.exp2(np.asarray(stops, np.float32) / np.float32(POWER)))


def shoulder(white: float) -> list[tuple[float, float]]:
    """At most two lines, (slope below 1, offset): their minimum with the level itself is the shoulder for `white`."""
    if white <= 255:
        return []
    turn = KNEE + BEND[0] * (white - KNEE), KNEE + BEND[1] * (LANDING - KNEE)
    first = (turn[1] - KNEE) / (turn[0] - KNEE)
    second = (LANDING - turn[1]) / (white - turn[0])
    lines = (first, KNEE * (1 - first)), (second, LANDING - second * white)
    return [line for line in lines if line[0] < 1]


def lift(level: Floats, gain: Floats, white: float) -> Floats:
    """Lifts levels (...) in 0..255 by gains (...) of 1 or more; the reference of all faster ways.

    A level never falls, gain 1 changes nothing, and nothing that was darker than `LANDING` + 1 becomes brighter than
    that: no lamp is blown further.
    """
    lifted = from_tone(to_tone(level) * gain)
    bent = np.minimum(lifted, np.float32(LANDING + 1))
    for slope, offset in shoulder(white):
        bent = np.minimum(bent, lifted * np.float32(slope) + np.float32(offset))
    return np.maximum(level, bent)


def enlarge(values: Floats, height: int, width: int) -> Floats:
    """A map over a frame of that size, bilinear with half-pixel centers."""
    if values.shape == (height, width):
        return values
    return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR))


def lift_rgb(rgb: Floats, exposure: ExposureMap, matrix: Matrix = "bt709") -> Floats:
    """The whole reference on a picture: float32 RGB (H, W, 3) in 0..1, sRGB-encoded, to its like.

    Luma goes through `lift`; the differences of R, G and B from luma are multiplied by the map `color`: a lift in
    linear light multiplies differences of encoded channels by the same gain as ``level + OFFSET``.
    """
    height, width = rgb.shape[:2]
    level = (rgb @ np.array(luma_row(matrix), np.float32) * np.float32(255)).astype(np.float32)
    gain, color = (enlarge(values, height, width) for values in (exposure.gains, exposure.color))
    lifted = lift(level, gain, exposure.white)
    difference = (rgb * np.float32(255) - level[..., None]) * color[..., None]
    return np.asarray(np.clip((lifted[..., None] + difference) / np.float32(255), 0, 1))
