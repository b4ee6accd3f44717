"""Streams for tests of the enhancer: frames of any format, with noise, movement, changing light and a cut."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Protocol

import numpy as np

from realtime.frame import RGB, Frame, PixelFormat, Samples, StreamInfo

RATE = 30
#: What most cameras record.
VIDEO = PixelFormat("yuv", 8, (2, 2), "bt709", full_range=False)
#: One of each kind: chroma of any size, 8 to 16 bits, both ranges, gray and RGB.
FORMATS = [
    VIDEO,
    PixelFormat("yuv", 8, (1, 1), "bt601", full_range=True),
    PixelFormat("yuv", 8, (2, 1), "bt709", full_range=False),
    PixelFormat("yuv", 8, (4, 1), "bt601", full_range=False),
    PixelFormat("yuv", 10, (2, 2), "bt2020", full_range=False),
    PixelFormat("yuv", 16, (1, 1), "bt709", full_range=True),
    PixelFormat("gray", 8),
    PixelFormat("gray", 12),
    RGB,
]


class Stream(Protocol):
    """What `run` needs of a session."""

    @property
    def batch(self) -> int: ...

    def process(self, frames: Sequence[Frame]) -> list[Frame]: ...


def info(width: int, height: int, format: PixelFormat = VIDEO, **fields: Any) -> StreamInfo:
    """A stream of `RATE` frames a second; `fields` are others of `StreamInfo`."""
    return StreamInfo(width, height, format, **{"rate": Fraction(RATE), "frames": 100} | fields)


def frame(planes: Sequence[Samples], format: PixelFormat = VIDEO, index: int = 0) -> Frame:
    """Frame number `index` of such a stream."""
    return Frame(tuple(planes), format, pts=index, time_base=Fraction(1, RATE))


def flat(width: int, height: int, format: PixelFormat = VIDEO, level: int = 0, index: int = 0) -> Frame:
    """One sample value in all of luma, or in all channels of RGB; chroma is neutral."""
    neutral = 1 << (format.bits - 1)
    shapes = format.shapes(width, height)
    return frame(
        [np.full(shape, neutral if plane else level, format.dtype) for plane, shape in enumerate(shapes)], format, index
    )


def smooth(width: int, height: int, format: PixelFormat = VIDEO, seed: int = 0) -> Frame:
    """Ramps in every plane, so that chroma at a quarter of the size can hold them; RGB is gray."""
    random = np.random.default_rng(seed)
    planes = []
    for plane, shape in enumerate(format.shapes(width, height)):
        low, high = (0.48, 0.53) if plane else (0.3, 0.6)
        ramp = np.linspace(low, high, shape[1])[None, :] + np.zeros(shape[:2]) + random.normal(0, 0.002)
        planes.append((ramp * ((1 << format.bits) - 1)).astype(format.dtype))
    if format.model == "rgb":
        planes = [np.repeat(planes[0][..., None], 3, axis=2)]
    return frame(planes, format)


def night(count: int, width: int = 70, height: int = 50, format: PixelFormat = VIDEO, cut: int = 9) -> list[Frame]:
    """Dark frames: a lit square moves over noisy ground that gets lighter; frame `cut` begins another scene."""
    random = np.random.default_rng(5)
    rows, columns = np.mgrid[:height, :width]
    frames = []
    for index in range(count):
        light = 0.05 + 0.004 * index if index < cut else 0.3
        picture = light * (0.6 + 0.4 * np.sin((rows + columns) / (7 if index < cut else 3)))
        picture[10:25, (5 + 3 * index) % (width - 12) :][:, :12] = 0.7
        picture = np.clip(picture + random.normal(0, 0.01, picture.shape), 0, 1)
        frames.append(frame(_planes(picture, format), format, index))
    return frames


def _planes(picture: Samples, format: PixelFormat) -> list[Samples]:
    top = (1 << format.bits) - 1
    shapes = format.shapes(picture.shape[1], picture.shape[0])
    if format.model == "rgb":
        return [np.rint(picture[..., None] * [top, 0.9 * top, 0.7 * top]).astype(format.dtype)]
    planes = [np.rint((16 / 255 + picture * 219 / 255) * top).astype(format.dtype)]
    for sign, shape in zip((-1, 1), shapes[1:]):
        tint = 0.5 + sign * 0.03 * picture[:: format.chroma[1], :: format.chroma[0]]
        planes.append(np.rint(tint * top).astype(format.dtype).reshape(shape))
    return planes


def run(session: Stream, frames: Sequence[Frame], group: int | None = None) -> list[Frame]:
    """All frames through a session, `group` at a time (default: its batch)."""
    step = group or session.batch
    return [output for at in range(0, len(frames), step) for output in session.process(frames[at : at + step])]


def difference(some: Sequence[Frame], others: Sequence[Frame]) -> int:
    """The largest difference of two samples of two streams, in sample values."""
    assert len(some) == len(others) > 0
    assert [f.pts for f in some] == [f.pts for f in others]
    pairs = [(a, b) for one, other in zip(some, others) for a, b in zip(one.planes, other.planes)]
    return max(int(np.abs(a.astype(int) - b).max()) for a, b in pairs)
