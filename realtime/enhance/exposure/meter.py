"""Exposure: how much light a frame lacks, and the curve that gives it back.

The network sees 23 pixels around each point, so it cannot know how dark the whole scene is. So frames are exposed
before it, as a camera exposes: `measure` takes point samples of a frame and returns a gain in linear light,
`apply_exposure` applies it, and `Meter` changes it slowly over the time of a stream.
"""

from __future__ import annotations

import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from realtime.enhance.keras_loader import keras, ops
from realtime.errors import WeightsError

Floats = npt.NDArray[Any]

MAX_GAIN = 64.0
#: Linear light at which the shoulder begins; 0.6 is level 203 of 255 in sRGB.
KNEE = 0.6
#: Linear light to which a strong shoulder compresses the white: level 249, so that no lamp that held colour becomes
#: blown (250 and above).
LANDING = 0.948
#: The percentile of the largest channel that is the white: one point in a thousand may be a glint.
WHITE_PERCENTILE = 99.9
#: Linear light below this (1/16 of level 1 of 255) is black to the meter: 2 ** -14.
BLACK = 2.0**-14
#: In stops: a lift of less than the first is none, one above the second is whole. Well-lit frames do not change.
SNAP = (0.25, 0.75)
#: A stream's gain covers 63 % of a change in so many seconds, as slowly as a camera's own exposure.
TIME_CONSTANT = 1.0
#: Two frames whose histograms (half-stop bins) share less than this are different shots.
SAME_SHOT = 0.5
#: Points along a side that the features need.
LEAST = 8
#: The arrays of a learned meter: normalisation of the features, and three layers of several small networks.
ARRAYS = ("mean", "scale", "kernel0", "bias0", "kernel1", "bias1", "kernel2", "bias2")
#: Percentiles of luma among the features.
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


#: Differences of a channel from luma, in 8-bit levels: up to the first they are removed in dark video, above the second
#: they are colour. One chroma step is 2.1 levels of blue in BT.709 limited range, 3.1 once 8-bit RGB has clipped it at
#: black; codecs leave whole skies one step off neutral.
CORED, TRUSTED = 3.2, 5.0
#: Luma, in 8-bit levels: up to the first this is done in full, above the second not at all.
DARK, LIT = 24.0, 40.0


def suppress_false_chroma(rgb: keras.KerasTensor, gain: keras.KerasTensor) -> keras.KerasTensor:
    """Removes colour that is only a rounding error from dark pixels of ``rgb`` (N, H, W, 3), encoded float32 in 0..1.

    To be called before `apply_exposure` with the same ``gain`` (N,). Lifted 35 times, a sky one chroma step off neutral
    is purple, and the network, which does not know the gain, cannot tell it from a purple wall. Gain 1 changes nothing.
    """
    luma = 0.2126 * rgb[..., 0:1] + 0.7152 * rgb[..., 1:2] + 0.0722 * rgb[..., 2:3]
    color = rgb - luma
    size = ops.max(ops.abs(color), axis=-1, keepdims=True) * 255
    trust = ops.clip((size - CORED) / (TRUSTED - CORED), 0.0, 1.0)
    dark = ops.clip((LIT - luma * 255) / (LIT - DARK), 0.0, 1.0)
    lifted = 1 - 1 / ops.reshape(gain, (-1, 1, 1, 1))
    return luma + color * (1 - (1 - trust) * dark * lifted)


def apply_exposure(rgb: keras.KerasTensor, gain: keras.KerasTensor, white: keras.KerasTensor) -> keras.KerasTensor:
    """``rgb`` (N, H, W, 3), sRGB-encoded float32 in 0..1, lifted by ``gain`` (N,) in linear light.

    While ``gain * white`` is at most 1 the lift is exactly linear, and gain 1 changes nothing. Above that a shoulder
    starts at `KNEE` with slope 1 and takes ``white`` (N,) to a value between 1 and `LANDING`, lower the more it
    compresses: Reinhard et al., "Photographic tone reproduction", SIGGRAPH 2002, eq. 4, shifted to the knee.

    The curve is applied to the largest channel and the others follow in proportion. So hue and saturation stay, and no
    channel leaves 0..1, as a blue or red lamp would under a curve on luminance.
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
    """The largest channel of (..., 3). NumPy's own reduction of so short an axis is ten times slower."""
    peak: Floats = np.maximum(np.maximum(points[..., 0], points[..., 1]), points[..., 2])
    return peak


def white_points(thumbnails: Floats) -> Floats:
    """The linear value (N,) below which all but a thousandth of the largest channels of (N, h, w, 3) lie."""
    return linear(np.array([_percentiles(_peak(frame), (WHITE_PERCENTILE,))[0] for frame in thumbnails]))


def features(points: Floats) -> Floats:
    """The meter's features of one frame, float32 (F,), from its point samples (h, w, 3), encoded 0..1.

    The first is the mean level in stops; the others are relative to it, so that a darker copy of a scene differs in one
    number:

    - percentiles of luma and of the largest channel;
    - shares of the frame close to the brightest value (a clipped sky is flat at the top), clipped, and black;
    - means of luma and colour in cells of the frame;
    - differences of neighbours.
    """
    points = _repeated(points)
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
    cells = [_cells(stops, 4, 4) - level, _cells(cool, 3, 2), _cells(leafy, 3, 2), _cells(vivid, 3, 1)]
    across, down = abs(np.diff(stops[::2], axis=1)), abs(np.diff(stops[:, ::2], axis=0))
    texture = [_percentiles(across, (25, 50, 75, 90)), _percentiles(down, (25, 50, 75, 90)), _cells(across, 3, 1)]
    spread = _percentiles(stops, _SPREAD) - level
    return np.concatenate([[level], tops - level, spread, flat, clipped, black, *cells, *texture]).astype(np.float32)


def _repeated(points: Floats) -> Floats:
    """The points of a tiny or thin frame, repeated until each side has `LEAST`; shares and differences stay."""
    for axis in (0, 1):
        if points.shape[axis] < LEAST:
            points = np.repeat(points, -(-LEAST // points.shape[axis]), axis=axis)
    return points


def _percentiles(values: Floats, percentiles: tuple[float, ...]) -> Floats:
    """By one sort, which is several times faster than NumPy's selection for a dozen of them."""
    ordered = np.sort(values, axis=None)
    return ordered[np.rint(np.array(percentiles) / 100 * (len(ordered) - 1)).astype(int)]


def _cells(values: Floats, rows: int, columns: int) -> Floats:
    """Means of ``rows`` x ``columns`` cells of (h, w), flat. Rows and columns that do not divide are left out."""
    height, width = values.shape[0] // rows, values.shape[1] // columns
    lines = values[: height * rows, : width * columns].reshape(rows, height, -1).mean(axis=1)
    return lines.reshape(rows, columns, width).mean(axis=2).ravel()


def load_meter(path: Path) -> dict[str, Floats]:
    """The arrays of a learned meter, an .npz of `realtime.training.meter_training`. Raises WeightsError."""
    try:
        return _load(path, path.stat().st_mtime_ns)
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{path} does not hold an exposure meter; 'realtime train --meter' makes them") from error


@lru_cache(maxsize=4)
def _load(path: Path, modified: int) -> dict[str, Floats]:
    with np.load(path) as file:
        arrays = {name: file[name] for name in ARRAYS}
    if not all(array.dtype == np.float32 and np.isfinite(array).all() for array in arrays.values()):
        raise ValueError("a value is not a finite number")
    if arrays["mean"].shape != arrays["scale"].shape or arrays["mean"].shape != arrays["kernel0"].shape[1:2]:
        raise ValueError("its arrays do not fit together")
    return arrays


def stops_of(seen: Floats, learned: dict[str, Floats]) -> Floats:
    """The lift in stops (N,) for features (N, F): the mean output of a few small networks."""
    x = np.clip((seen - learned["mean"]) / learned["scale"], -4, 4)[None]
    for layer in ("0", "1"):
        x = np.maximum(x @ learned["kernel" + layer] + learned["bias" + layer][:, None], 0)
    outputs = (x @ learned["kernel2"] + learned["bias2"][:, None])[..., 0]
    stops = np.clip(outputs.mean(axis=0), 0, np.log2(MAX_GAIN))
    certain = np.clip((stops - SNAP[0]) / (SNAP[1] - SNAP[0]), 0, 1)
    lift: Floats = (stops * certain * certain * (3 - 2 * certain)).astype(np.float32)
    return lift


def measure(thumbnails: Floats, path: Path) -> tuple[Floats, Floats]:
    """Gains (1..64) and whites (0..1), both (N,), of frames by their point samples (N, h, w, 3), float32, encoded 0..1.

    ``path`` is the learned meter, see `load_meter`.
    """
    seen = np.stack([features(points) for points in thumbnails])
    return np.exp2(stops_of(seen, load_meter(path))), white_points(thumbnails)


class Meter:
    """The exposure of a stream: it follows slowly within a shot, and at once at a cut. One per stream and thread."""

    def __init__(self, path: Path, interval: float = 0.0) -> None:
        """`path` as in `load_meter`. Within a shot frames are measured once in `interval` seconds, and between two
        measurements the exposure goes on towards the last one."""
        self._path, self._interval = path, interval
        self._stops = self._white = self._latest = self._measured_at = 0.0
        self._target = (0.0, 0.0)
        self._histogram: Floats | None = None

    def __call__(self, points: Floats, seconds: float) -> Exposure:
        """The exposure of the frame with these point samples (h, w, 3), shown at ``seconds``, which never decrease."""
        luma = linear(points) @ np.array([0.2126, 0.7152, 0.0722], np.float32)
        bins = np.clip((np.log2(np.maximum(luma, BLACK)) + 14) * 2, 0, 27).astype(np.intp)
        histogram = (np.bincount(bins.ravel(), minlength=28) / max(bins.size, 1)).astype(np.float32)
        cut = self._histogram is None or float(np.minimum(histogram, self._histogram).sum()) < SAME_SHOT
        if cut or seconds - self._measured_at >= self._interval:
            gains, whites = measure(points[None], self._path)
            self._target, self._measured_at = (float(np.log2(gains[0])), float(whites[0])), seconds
        share = 1.0 if cut else 1 - float(np.exp(-max(seconds - self._latest, 0.0) / TIME_CONSTANT))
        self._stops += share * (self._target[0] - self._stops)
        self._white += share * (self._target[1] - self._white)
        self._histogram, self._latest = histogram, seconds
        return Exposure(2.0**self._stops, self._white)
