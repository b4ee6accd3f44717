"""The local meter: from a small picture to how many stops each place lacks. Pure functions, no state.

One number for the scene comes from its highlights: what is well exposed reaches white somewhere, so the distance of
the brightest places to white is what the scene lacks. Where much of the scene still lies in the dark after that (a
night with lamps), each place is lifted by part of its own lack, as a function of an edge-aware base (Durand and
Dorsey, "Fast bilateral filtering for the display of high-dynamic-range images", SIGGRAPH 2002; the base is a fast
guided filter: He and Sun, arXiv 1505.00996). The lift is limited by what the signal is worth (Eilertsen, Mantiuk and
Unger, "Real-time noise-aware tone mapping", SIGGRAPH Asia 2015).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from realtime.enhance.exposure.light import LANDING, POWER, ExposureMap, from_tone, lift, to_stops, to_tone
from realtime.enhance.exposure.reduced import Reduced

Floats = npt.NDArray[np.float32]

#: Where a well exposed picture has its highlights: percentiles of the largest channel, and weights with sum 1, fitted
#: to 277 photographs and clips by least absolute error (0.15 stops off on 97 of other origin).
HIGHLIGHTS = ((99.5, 1.35), (97.0, -0.35))
#: Stops below white at which they belong. The fit says 0.28; less is safer, since noise and H.264 widen the highlights.
HIGHLIGHT_STOPS = 0.1
#: A lack of less than the first is none, above the second it is whole: a well lit frame stays as it is.
SNAP = (0.35, 0.9)
#: The most a scene, and the most a place, is lifted. 7.2 stops are a gain of 8 on ``level + OFFSET``.
MAX_SCENE_STOPS, MAX_STOPS = 6.0, 7.2
#: Local lift pulls places darker than `PIVOT` (stops below white after the scene's lift; -2.5 is mid gray) towards it,
#: by a share of at most `PULL`: the rest of the difference stays, so that night still looks like night.
PIVOT, PULL = -2.4, 0.82
#: A place is dark below the first stop, certainly below the second. Local lift begins when the dark covers the first
#: share of what holds signal, and is whole at the second: shadows of a day are not night.
DARK_STOPS = (-4.5, -5.5)
DARK_SHARE = (0.28, 0.54)
#: Where the scene had to be lifted at all, its mean in stops below white from which on, and at which, it is a night as
#: well: a dim frame with pools of light has no black to speak of.
KEY = (-3.0, -4.2)
#: What is lit in a night, a tenth of the frame, is brought to so many stops below white, lifted by at most
#: `MAX_WIDE_STOPS`: a small lamp or the printed date must not keep what it does not light in the dark.
LIT_SHARE, LIT_STOPS, MAX_WIDE_STOPS = 0.9, -1.4, 2.0
#: Stops below the pivot by which the local lift has come in by two thirds: contrast just below mid gray stays.
ONSET = 1.0
#: Local lift leaves the brightest of a cell so many stops below white.
ROOM = 0.6
#: Levels of the base at which a place holds no signal, and full signal. Multiplied by the noise where that is more
#: than a level.
NOTHING, SIGNAL = 0.5, 5.0
#: Color differences of less than the first, in levels, say nothing in the dark; from the second on they do. One step
#: of 8-bit chroma is 1.1; codecs leave whole skies one or two steps off neutral.
CORED, TRUSTED = 1.6, 4.0
#: Luma up to which that holds, and above which color is not touched.
DIM, LIT = 20.0, 36.0
#: The share of cells below the lifted level that counts as white: one in 500 may be a glint.
WHITEST = 0.998
#: Radius of the base's window as a share of the small picture's width, and the variance (stops squared) that counts
#: as an edge.
RADIUS, EDGE = 1 / 40, 0.35


class Reading(NamedTuple):
    """What one frame says of its scene: stops it lacks by its highlights, and how far its lit places lie below
    white."""

    scene: float
    lit: float


class Tone(NamedTuple):
    """What is calm over time: the scene's lift in stops; the local pull 0..`PULL`; `wide`, stops for all but the
    brightest places of a night; the noise (a standard deviation in levels)."""

    scene: float
    pull: float
    wide: float = 0.0
    noise: float = 0.0


def ramp(values: Floats, start: Any, end: Any) -> Floats:
    """0 up to `start`, 1 from `end` on (or the other way round), smooth between."""
    start, end = np.float32(start), np.float32(end)
    share = np.clip((values - start) / (end - start), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def _snapped(stops: float) -> float:
    share = min(max((stops - SNAP[0]) / (SNAP[1] - SNAP[0]), 0.0), 1.0)
    return min(stops * share * share * (3 - 2 * share), MAX_SCENE_STOPS)


def read(small: Reduced) -> Reading:
    """What the scene lacks, in stops (0..`MAX_SCENE_STOPS`), by its highlights."""
    peak = np.sort(small.peak[::2, ::2], axis=None)
    levels = np.array([peak[int(p / 100 * (len(peak) - 1))] for p, _ in HIGHLIGHTS], np.float32)
    stops = to_stops(levels)
    highlight = float(sum(float(s) * w for s, (_, w) in zip(stops, HIGHLIGHTS)))
    # The highest fall of the mixture is bounded by the highlight itself: one lamp in the black must not look brighter.
    highlight = min(max(highlight, float(stops[0]) - 0.5), 0.0)
    lit = to_stops(np.array([peak[int(LIT_SHARE * (len(peak) - 1))]], np.float32))
    return Reading(_snapped(HIGHLIGHT_STOPS - highlight), float(lit[0]))


def night_share(small: Reduced, scene: float) -> float:
    """How much a frame is a night that a lift by `scene` stops leaves in the dark, 0..1."""
    luma = small.luma[::2, ::2]
    stops = to_stops(luma) + np.float32(scene)
    # What holds nothing still makes a scene a night when there is much of it, unless it is a bar of constant black.
    weight = np.maximum(ramp(luma, 0.5, 3.0), np.float32(0.5) * (luma > 0.4))
    total = float(weight.sum())
    if total <= 1e-3 * luma.size:
        return 0.0
    share = float((weight * ramp(stops, *DARK_STOPS)).sum()) / total
    key = float((weight * np.maximum(stops, np.float32(-10))).sum()) / total
    found = ramp(
        np.array([share, key, scene], np.float32),
        np.array([DARK_SHARE[0], KEY[0], 0.75]),
        np.array([DARK_SHARE[1], KEY[1], 1.75]),
    )
    return float(max(found[0], found[1] * found[2]))


def tone_of(reading: Reading, scene: float, night: float, noise: float) -> Tone:
    """The tone for a scene lifted by `scene` stops that is so much (0..1) a night."""
    # Where the highlights let the whole scene be lifted, its lit places are where they belong.
    wide = min(max(LIT_STOPS - reading.lit - scene, 0.0), MAX_WIDE_STOPS) * max(0.0, 1 - scene / 2)
    return Tone(scene, PULL * night, wide * night, noise)


def base_of(stops: Floats) -> Floats:
    """The edge-aware base of stops (h, w): a self-guided filter whose coefficients are found at half the size."""
    height, width = stops.shape
    half = (max(1, width // 2), max(1, height // 2))
    guide = cv2.resize(stops, half, interpolation=cv2.INTER_AREA)
    radius = max(1, round(RADIUS * width / 2))
    window = (2 * radius + 1, 2 * radius + 1)
    mean = cv2.blur(guide, window)
    variance = np.maximum(cv2.blur(guide * guide, window) - mean * mean, 0)
    slope = variance / (variance + np.float32(EDGE))
    offset = mean - slope * mean
    slope, offset = (cv2.resize(cv2.blur(part, window), (width, height)) for part in (slope, offset))
    return np.asarray(slope * stops + offset)


def measure(small: Reduced, tone: Tone) -> ExposureMap:
    """The exposure map of a frame, by its small picture, under a tone that belongs to the stream."""
    base = _base(small)
    lack = np.maximum(np.float32(PIVOT - tone.scene - tone.wide) - base, 0)
    extra = np.float32(tone.wide) + np.float32(tone.pull) * lack * lack / (lack + np.float32(ONSET))
    room = np.maximum(np.float32(-ROOM - tone.scene) - to_stops(small.peak), 0)
    return _map(small, base, np.float32(tone.scene) + np.minimum(extra, room), tone.scene, tone.noise)


def exposure_map(small: Reduced, stops: Floats, noise: float = 0.0) -> ExposureMap:
    """The map that lifts each place by `stops` (h, w), of the size of `small`, as far as there is signal; `noise` as in
    `Tone`."""
    return _map(small, _base(small), stops, float(np.median(stops)), noise)


def _base(small: Reduced) -> Floats:
    level = np.float32(0.5) * (small.luma + small.peak)
    return base_of(to_stops(np.maximum(level, np.float32(0.6))))


def _map(small: Reduced, base: Floats, stops: Floats, scene: float, noise: float) -> ExposureMap:
    """The map for these stops, less where `base` says that there is little signal."""
    base_level = from_tone(np.float32(269) * np.exp2(base / np.float32(POWER)))
    worth = np.float32(max(1.0, noise))
    signal = np.clip((base_level - NOTHING * worth) / ((SIGNAL - NOTHING) * worth), 0, 1)
    limit = np.float32(POWER) * np.log2(1 + np.float32(2 ** (MAX_STOPS / POWER) - 1) * signal)
    stops = np.minimum(np.minimum(stops, limit), np.float32(MAX_STOPS)).astype(np.float32)
    gain = np.exp2(stops / np.float32(POWER))
    lifted = from_tone(to_tone(small.peak) * gain)
    some = lifted[::2, ::2].ravel()
    index = int(WHITEST * (len(some) - 1))
    white = float(max(255.0, np.partition(some, index)[index]))
    return ExposureMap(stops, _color(small, gain, lifted, white), scene, white)


def _color(small: Reduced, gain: Floats, lifted: Floats, white: float) -> Floats:
    """The factor of color differences: the gain, less where the dark holds no color and where white is near."""
    size = np.maximum(abs(cv2.blur(small.blue, (5, 5))), abs(cv2.blur(small.red, (5, 5))))
    doubt = (1 - ramp(size, CORED, TRUSTED)) * ramp(small.luma, LIT, DIM) * (1 - 1 / gain)
    nothing = ramp(small.luma, 6.0, 2.0) * (1 - 1 / gain)
    keep = (1 - doubt) * (1 - nothing)
    over = np.minimum(1, np.float32(235) / np.maximum(lifted, 1))
    factor = np.maximum(gain * over, 1) * keep
    # Nor may color push a channel to where it counts as blown, in a sky as little as in a lamp.
    room = np.maximum(np.float32(LANDING - 2) - lift(small.luma, gain, white), 0)
    least = np.clip(5 - 4 * gain, 0, 1)  # what is not lifted keeps its color
    return np.asarray(np.minimum(factor, np.maximum(room / np.maximum(small.peak - small.luma, 1), least)), np.float32)
