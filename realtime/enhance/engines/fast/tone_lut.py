"""The exposure curve as look-up tables, one set per exposure.

`meter.apply_exposure` is the definition. It follows the largest channel in linear light, which takes powers of every
sample; tables do the same at a fraction of the cost. Luma at full size is exposed as if it were gray; how colour
changes the result is computed where the picture is small.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from realtime.color import LUMA_WEIGHTS, Matrix, sample_scale
from realtime.enhance.exposure.meter import CORED, DARK, LIT, TRUSTED, apply_exposure, encoded, linear
from realtime.enhance.tensorflow_loader import tf
from realtime.frame import PixelFormat

Shorts = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float32]

#: Fixed point: 32 steps to a level of 255, so that a developed shadow keeps what its curve gave it.
STEPS = 32
TOP = 255 * STEPS
#: Entries less one of the tables over 0..1.
FINE = 4095
#: The square root of light, along which the encoding is nearly straight, and back.
_ROOT = np.sqrt(linear(np.linspace(0, 1, FINE + 1, dtype=np.float32)))
_ENCODED = encoded(np.linspace(0, 1, FINE + 1, dtype=np.float32) ** 2)


class ToneLut(NamedTuple):
    """Tables. By sample value: developed luma (0..`TOP`) and chroma about 0, int16. By developed luma (0..`TOP`): what
    it was before, float32 0..1. By the largest channel (0..`FINE`): square root of light after over light before,
    float32. `gain` as it was asked for."""

    luma: Shorts
    chroma: Shorts
    before: Floats
    lift: Floats
    gain: float


@lru_cache(maxsize=8)
def tone_luts(source: PixelFormat) -> Callable[[float, float], ToneLut]:
    """A function from gain and white, as `meter.apply_exposure` takes them, to tables for luma and chroma of `source`.

    Exposures drift from frame to frame and the tables follow: a call costs less than a millisecond. The function is
    kept, since tracing it costs a thousand times that and frames of another size may use it too.
    """
    offset, span, middle, reach = sample_scale(source.bits, source.full_range)
    values = np.arange(1 << source.bits, dtype=np.float32)
    chroma = np.rint((values - middle) / reach * TOP).clip(-32768, 32767).astype(np.int16)
    gray = np.clip((values - offset) / span, 0, 1)
    # Cubes lie closest where shadows are lifted most. `apply_exposure` follows the largest channel and clips each at the
    # end: a second channel with an eighth of its light shows how far the first would be lifted without clipping.
    fine = np.linspace(0, 1, 1024, dtype=np.float32) ** 3
    dim = encoded(linear(fine) / 8)
    probe = tf.constant(np.stack([np.concatenate([gray, fine]), np.concatenate([gray, dim])], -1)[None, None])
    steps, places = np.arange(TOP + 1, dtype=np.float32) / TOP, np.linspace(0, 1, FINE + 1, dtype=np.float32)

    @tf.function(input_signature=[tf.TensorSpec((1,), tf.float32)] * 2, autograph=False)
    def lifted(gain: Any, white: Any) -> Any:
        return apply_exposure(probe, gain, white)[0, 0]

    def tone_lut(gain: float, white: float) -> ToneLut:
        output = lifted(tf.constant([gain], tf.float32), tf.constant([white], tf.float32)).numpy()
        luma = np.rint(output[: len(values), 0] * TOP).astype(np.int16)
        after, dimmed = output[len(values) :].T
        before = np.interp(steps, after, fine).astype(np.float32)
        ratio = linear(dimmed) / np.maximum(linear(dim), 1e-12)
        ratio[0] = gain
        return ToneLut(luma, chroma, before, np.sqrt(np.interp(places, fine, ratio)).astype(np.float32), gain)

    return tone_lut


class ChromaDeveloper:
    """`meter.suppress_false_chroma`, then `meter.apply_exposure`, on planes of one size, to within one level of them.

    Memory is taken once: fresh pages for every step would cost more than the steps.
    """

    def __init__(self, height: int, width: int, matrix: Matrix) -> None:
        self._kr, self._kb = LUMA_WEIGHTS[matrix]
        self._rgb, self._work = np.empty((2, 3, height, width), np.float32)
        self._places = np.empty((3, height, width), np.intp)
        self._peak, self._lift = np.empty((2, height, width), np.float32)

    def __call__(self, luma: Floats, blue: Floats, red: Floats, lut: ToneLut) -> list[Floats]:
        """Y in 0..1, Cb and Cr about 0, float32 (H, W) each; answers the same."""
        kr, kb, rgb = self._kr, self._kb, self._rgb
        kg = 1 - kr - kb
        np.multiply(red, np.float32(2 - 2 * kr), out=rgb[0])
        np.multiply(blue, np.float32(2 - 2 * kb), out=rgb[2])
        np.multiply(rgb[0], np.float32(-kr / kg), out=rgb[1])
        rgb[1] -= np.multiply(rgb[2], np.float32(kb / kg), out=self._peak)
        if lut.gain > 1:
            rgb *= self._trust(luma, lut.gain)
        rgb += luma
        roots = self._look_up(_ROOT, rgb)
        roots *= np.take(lut.lift, self._places.max(axis=0), out=self._lift, mode="clip")
        r, g, b = self._look_up(_ENCODED, roots)
        output = np.float32(kr) * r + np.float32(kg) * g + np.float32(kb) * b
        return [output, (b - output) * np.float32(1 / (2 - 2 * kb)), (r - output) * np.float32(1 / (2 - 2 * kr))]

    def _look_up(self, table: Floats, values: Floats) -> Floats:
        """The entries of a table over 0..1, which may overwrite `values`."""
        np.multiply(values, np.float32(FINE), out=values)
        np.copyto(self._places, np.add(values, np.float32(0.5), out=values), casting="unsafe")
        return np.take(table, self._places, out=self._work, mode="clip")

    def _trust(self, luma: Floats, gain: float) -> Floats:
        """How much `meter.suppress_false_chroma` leaves of the differences of R, G and B from luma."""
        doubt, dark = self._peak, self._lift
        np.abs(self._rgb, out=self._work).max(axis=0, out=doubt)
        for values, limit, zero in ((doubt, CORED, TRUSTED), (dark, DARK, LIT)):
            np.multiply(values if values is doubt else luma, np.float32(-255 / (zero - limit)), out=values)
            values += np.float32(zero / (zero - limit))
            np.clip(values, 0, 1, out=values)
        doubt *= dark
        doubt *= np.float32(1 / gain - 1)
        doubt += 1
        return doubt
