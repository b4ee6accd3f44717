"""Exposure: how much light a frame lacks, and the curve that gives it back.

The network sees 23 pixels around each point, so it cannot know how dark the whole scene is. A camera meters the frame
and exposes; so do we. `measure` looks at point samples of the frame and returns a gain in linear light,
`apply_exposure` applies it inside the compiled graph, and `Meter` moves it calmly over the time of a stream.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from realtime.enhance.keras_loader import keras, ops

Floats = npt.NDArray[Any]

MAX_GAIN = 64.0
#: Linear light above which the shoulder may begin to bend; 0.6 is level 203 of 255 in sRGB.
KNEE = 0.6
#: Where a strong shoulder lands the white: level 249, so that no lamp that held color becomes blown (250 and above).
LANDING = 0.948
#: The brightest thing worth protecting: one point in a thousand may be a glint.
WHITE_PERCENTILE = 99.9
#: Linear light below this (1/16 of level 1 of 255) is black to the meter: 2 ** -14.
BLACK = 2.0**-14
#: A lift of less than the first is none, above the second it is in full, in stops: a well-lit frame stays as it is.
SNAP = (0.25, 0.75)
#: A stream's gain covers 63 % of a change in so many seconds, as calm as a camera's own.
PATIENCE = 1.0
#: Two frames whose histograms (half-stop bins) share less than this are different shots.
SAME_SHOT = 0.5
#: Points along a side that the features need.
LEAST = 8
_SPREAD = (0.5, 2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 98, 99.5)


class Exposure(NamedTuple):
    """A gain in linear light (1..64), and the linear value (0..1) that must not be lifted above 1."""

    gain: float
    white: float


def linear(encoded: Floats) -> Floats:
    """sRGB-encoded 0..1 to linear light 0..1 (IEC 61966-2-1)."""
    bright = np.power((np.maximum(encoded, 0.04045) + 0.055) / 1.055, 2.4, dtype=np.float32)
    return np.where(encoded <= 0.04045, encoded / np.float32(12.92), bright).astype(np.float32)


def encoded(light: Floats) -> Floats:
    """Linear light 0..1 to sRGB-encoded 0..1 (IEC 61966-2-1)."""
    bright = 1.055 * np.power(np.maximum(light, 0.0031308), 1 / 2.4, dtype=np.float32) - 0.055
    return np.where(light <= 0.0031308, light * np.float32(12.92), bright).astype(np.float32)


#: Color differences, in 8-bit levels, below which dark 4:2:0 video says nothing of color, and above which it does.
#: One chroma step is 2.1 levels of blue in BT.709 limited range, 3.1 once 8-bit RGB has clipped it at black; codecs
#: leave whole skies one step off neutral.
CORED, TRUSTED = 3.2, 5.0
#: Luma, in 8-bit levels, up to which this holds, and above which nothing is changed.
DARK, LIT = 24.0, 40.0


def suppress_false_chroma(rgb: keras.KerasTensor, gain: keras.KerasTensor) -> keras.KerasTensor:
    """Take from the dark of ``rgb`` (N, H, W, 3), encoded float32 in 0..1, the color that is only a rounding error.

    To be called before `apply_exposure` with the same ``gain`` (N,): lifted 35 times, a sky one chroma step off neutral
    is purple, and the network, which does not know the gain, cannot tell it from a purple wall. At gain 1 nothing changes.
    """
    luma = 0.2126 * rgb[..., 0:1] + 0.7152 * rgb[..., 1:2] + 0.0722 * rgb[..., 2:3]
    color = rgb - luma
    size = ops.max(ops.abs(color), axis=-1, keepdims=True) * 255
    trust = ops.clip((size - CORED) / (TRUSTED - CORED), 0.0, 1.0)
    dark = ops.clip((LIT - luma * 255) / (LIT - DARK), 0.0, 1.0)
    lifted = 1 - 1 / ops.reshape(gain, (-1, 1, 1, 1))
    return luma + color * (1 - (1 - trust) * dark * lifted)


def apply_exposure(rgb: keras.KerasTensor, gain: keras.KerasTensor, white: keras.KerasTensor) -> keras.KerasTensor:
    """Lift ``rgb`` (N, H, W, 3), sRGB-encoded float32 in 0..1, by ``gain`` (N,) in linear light; the answer is like it.

    While ``gain * white`` is at most 1 the lift is exactly linear, and at gain 1 the frame comes back as it is. Above
    that a shoulder starts at `KNEE` with slope 1 and lands ``white`` (N,) between 1 and `LANDING`, lower the more it
    compresses: Reinhard et al., "Photographic tone reproduction", SIGGRAPH 2002, eq. 4, shifted to the knee, which
    becomes the straight line where nothing needs compressing. The curve is applied to the largest channel and the
    others follow in proportion: hue and saturation stay, and no channel can leave 0..1, as a blue or red lamp would
    under a curve on luminance.
    """
    gain = ops.reshape(gain, (-1, 1, 1, 1))
    white = ops.reshape(white, (-1, 1, 1, 1))
    light = ops.where(rgb <= 0.04045, rgb / 12.92, ops.power((ops.maximum(rgb, 0.04045) + 0.055) / 1.055, 2.4))
    light = light * gain
    peak = ops.max(light, axis=-1, keepdims=True)
    reach = ops.maximum((gain * white - KNEE) / (1 - KNEE), 1.0)
    room = 1 - (1 - LANDING) / (1 - KNEE) * (1 - 1 / (reach * reach))
    above = ops.maximum(peak - KNEE, 0.0) / ((1 - KNEE) * room)
    reach = reach / room
    bent = KNEE + (1 - KNEE) * room * above * (1 + above / (reach * reach)) / (1 + above)
    light = ops.where(peak > KNEE, light * (bent / ops.maximum(peak, KNEE)), light)
    light = ops.minimum(light, 1.0)
    bright = 1.055 * ops.power(ops.maximum(light, 0.0031308), 1 / 2.4) - 0.055
    return ops.where(light <= 0.0031308, light * 12.92, bright)


def _peak(points: Floats) -> Floats:
    """The largest channel of (..., 3); numpy's own reduction of so short an axis is ten times slower."""
    peak: Floats = np.maximum(np.maximum(points[..., 0], points[..., 1]), points[..., 2])
    return peak


def white_points(thumbnails: Floats) -> Floats:
    """The linear value (N,) below which all but a thousandth of the largest channels of (N, h, w, 3) lie."""
    return linear(np.array([_percentiles(_peak(frame), (WHITE_PERCENTILE,))[0] for frame in thumbnails]))


def features(points: Floats) -> Floats:
    """What the meter knows of one frame, float32 (F,), from its point samples (h, w, 3), encoded 0..1.

    Apart from the level itself all is relative to it, in stops, so that a darker print of a scene differs in one
    number: the distribution of luma and of the largest channel; what is flat at the top (a clipped sky is a flat peak
    at exactly the exposure); where in the frame light and color are; how much neighbours differ.
    """
    points = _enough(points)
    red, green, blue = (linear(points[..., channel]) for channel in range(3))
    stops = np.log2(np.maximum(0.2126 * red + 0.7152 * green + 0.0722 * blue, BLACK))
    peak, least = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
    level = float(stops.mean())
    tops = np.log2(np.maximum(_percentiles(peak, (50, 90, 97, 99, 99.9)), BLACK))
    top = 2.0 ** tops[-1]
    flat = [float(np.mean(peak > share * top)) for share in (0.95, 0.85, 0.7, 0.5, 0.25)]
    clipped = [float(np.mean(peak > limit)) for limit in (0.97, 0.8, 0.5)]
    black = [float(np.mean(peak < limit / 255 / 12.92)) for limit in (1.5, 4.5, 10.5)]
    some = np.maximum(peak, BLACK)
    cool, leafy, vivid = (blue - red) / some, (green - (red + blue) / 2) / some, 1 - least / some
    places = [_cells(stops, 4, 4) - level, _cells(cool, 3, 2), _cells(leafy, 3, 2), _cells(vivid, 3, 1)]
    across, down = abs(np.diff(stops[::2], axis=1)), abs(np.diff(stops[:, ::2], axis=0))
    texture = [_percentiles(across, (25, 50, 75, 90)), _percentiles(down, (25, 50, 75, 90)), _cells(across, 3, 1)]
    spread = _percentiles(stops, _SPREAD) - level
    return np.concatenate([[level], tops - level, spread, flat, clipped, black, *places, *texture]).astype(np.float32)


def _enough(points: Floats) -> Floats:
    """Repeats the points of a tiny or thin frame until each side has `LEAST`: shares and differences stay."""
    for axis in (0, 1):
        if points.shape[axis] < LEAST:
            points = np.repeat(points, -(-LEAST // points.shape[axis]), axis=axis)
    return points


def _percentiles(values: Floats, wanted: tuple[float, ...]) -> Floats:
    """By one sort, which is several times faster than numpy's selection for a dozen of them."""
    ordered = np.sort(values, axis=None)
    return ordered[np.rint(np.array(wanted) / 100 * (len(ordered) - 1)).astype(int)]


def _cells(values: Floats, rows: int, columns: int) -> Floats:
    """Means of ``rows`` x ``columns`` cells of (h, w), flat; what does not divide is left out at the end."""
    height, width = values.shape[0] // rows, values.shape[1] // columns
    lines = values[: height * rows, : width * columns].reshape(rows, height, -1).mean(axis=1)
    return lines.reshape(rows, columns, width).mean(axis=2).ravel()


@lru_cache(maxsize=4)
def _learned(path: Path) -> dict[str, Floats]:
    with np.load(path) as held:
        return {name: held[name] for name in held.files}


def stops_of(seen: Floats, learned: dict[str, Floats]) -> Floats:
    """The lift in stops (N,) that a few small networks answer, on average, for features (N, F)."""
    x = np.clip((seen - learned["mean"]) / learned["scale"], -4, 4)[None]
    for layer in ("0", "1"):
        x = np.maximum(x @ learned["kernel" + layer] + learned["bias" + layer][:, None], 0)
    answers = (x @ learned["kernel2"] + learned["bias2"][:, None])[..., 0]
    stops = np.clip(answers.mean(axis=0), 0, np.log2(MAX_GAIN))
    certain = np.clip((stops - SNAP[0]) / (SNAP[1] - SNAP[0]), 0, 1)
    lift: Floats = (stops * certain * certain * (3 - 2 * certain)).astype(np.float32)
    return lift


def measure(thumbnails: Floats, path: Path) -> tuple[Floats, Floats]:
    """Gains (1..64) and whites (0..1), both (N,), of frames by their point samples (N, h, w, 3), float32, encoded 0..1.

    ``path`` is the learned meter, an .npz made by `realtime.training.meter_training`.
    """
    seen = np.stack([features(points) for points in thumbnails])
    return np.exp2(stops_of(seen, _learned(path))), white_points(thumbnails)


class Meter:
    """The exposure of a stream: calm within a shot, at once at a cut. One per stream; not for several threads."""

    def __init__(self, path: Path, every: float = 0.0) -> None:
        """Within a shot it measures once in `every` seconds, and follows what it measured last in between."""
        self._path, self._every = path, every
        self._stops = self._white = self._when = self._measured = 0.0
        self._goal = (0.0, 0.0)
        self._shot: Floats | None = None

    def __call__(self, points: Floats, seconds: float) -> Exposure:
        """The exposure of the frame with these point samples (h, w, 3) shown at ``seconds``, never decreasing."""
        luma = linear(points) @ np.array([0.2126, 0.7152, 0.0722], np.float32)
        bins = np.clip((np.log2(np.maximum(luma, BLACK)) + 14) * 2, 0, 27).astype(np.intp)
        shot = (np.bincount(bins.ravel(), minlength=28) / max(bins.size, 1)).astype(np.float32)
        cut = self._shot is None or float(np.minimum(shot, self._shot).sum()) < SAME_SHOT
        if cut or seconds - self._measured >= self._every:
            gains, whites_ = measure(points[None], self._path)
            self._goal, self._measured = (float(np.log2(gains[0])), float(whites_[0])), seconds
        share = 1.0 if cut else 1 - float(np.exp(-max(seconds - self._when, 0.0) / PATIENCE))
        self._stops += share * (self._goal[0] - self._stops)
        self._white += share * (self._goal[1] - self._white)
        self._shot, self._when = shot, seconds
        return Exposure(2.0**self._stops, self._white)
