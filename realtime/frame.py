"""Values that travel: a `Frame` is pixels *and* time; a `StreamInfo` says what all frames of a stream share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from realtime.color import Matrix
from realtime.diagnostics import Diagnostics
from realtime.events import EventBus, Link
from realtime.sound import SoundRelay

Samples = NDArray[Any]
Model = Literal["rgb", "yuv", "gray"]


@dataclass(frozen=True)
class PixelFormat:
    """How samples lie in planes and what they mean.

    ``rgb`` is one interleaved plane (H, W, 3), always full range; ``yuv`` three planes, the chroma ones smaller by
    `chroma` (horizontally, vertically), rounded up; ``gray`` one plane (H, W). Samples are uint8 up to 8 bits, else
    uint16 in their low bits. `matrix` and `full_range` follow ITU-R BT.601, BT.709 and BT.2020.
    """

    model: Model = "rgb"
    bits: int = 8
    chroma: tuple[int, int] = (1, 1)
    matrix: Matrix = "bt709"
    full_range: bool = True

    @property
    def dtype(self) -> type[np.uint8] | type[np.uint16]:
        return np.uint8 if self.bits <= 8 else np.uint16

    def shapes(self, width: int, height: int) -> tuple[tuple[int, ...], ...]:
        """The shape of each plane of a picture of that size."""
        if self.model == "rgb":
            return ((height, width, 3),)
        if self.model == "gray":
            return ((height, width),)
        small = (-(-height // self.chroma[1]), -(-width // self.chroma[0]))
        return ((height, width), small, small)


RGB = PixelFormat()


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture and its place in time.

    `planes` as `PixelFormat` lays them out; `pts` counts `time_base` seconds; `captured_at` is when capture had it, in
    seconds of ``time.perf_counter`` (0 if unknown). Raises ValueError when planes and format disagree.
    """

    planes: tuple[Samples, ...]
    format: PixelFormat = RGB
    pts: int = 0
    time_base: Fraction = Fraction(1, 1000)
    captured_at: float = 0.0
    #: How long the picture stays, in `time_base`; 0 when the stream does not say.
    duration: int = 0
    #: What the frame was before it was processed, for before/after views; live streams only.
    original: Frame | None = None
    #: The same frame as before with other settings, for whoever stands still at it. What keeps frames does not get it.
    repeated: bool = False

    def __post_init__(self) -> None:
        if not self.planes or self.planes[0].ndim < 2:
            raise ValueError("a frame needs a first plane of shape (H, W) or (H, W, 3)")
        shapes = tuple(plane.shape for plane in self.planes)
        wanted = self.format.shapes(self.width, self.height)
        if shapes != wanted or any(plane.dtype != self.format.dtype for plane in self.planes) or 0 in shapes[0]:
            raise ValueError(f"{self.format} wants planes {wanted} of {self.format.dtype.__name__}, not {shapes}")

    @property
    def width(self) -> int:
        return int(self.planes[0].shape[1])

    @property
    def height(self) -> int:
        return int(self.planes[0].shape[0])

    @property
    def seconds(self) -> float:
        """Presentation time."""
        return float(self.pts * self.time_base)

    def with_planes(self, planes: tuple[Samples, ...], format: PixelFormat) -> Frame:
        """The same moment, another picture."""
        return replace(self, planes=planes, format=format)

    def __repr__(self) -> str:
        kind = f"{self.format.model}{self.format.bits}"
        return f"Frame({self.width}x{self.height} {kind}, t={self.seconds:.3f}s)"


@dataclass(frozen=True)
class StreamInfo:
    """What all frames of a stream share, as far as it is known before the first one.

    - `width`, `height`: pixels. `format`: how the frames' planes lie. `time_base`: seconds per tick of `Frame.pts`.
    - `rate` (frames a second), `frames` and `seconds`: estimates, or None.
    - `live`: nobody waits for the stream; frames that are not taken in time are dropped.
    - `name`: what messages call it, without a password.
    - `path`, `stream_index`: the file and its video stream, so that a sink can copy the other streams; None if live.
    - `time_span`: start and end in seconds of the file's time; None is open.
    - `color_tags`: color primaries and transfer, ISO/IEC 23091-2; 2 is unspecified.
    - `sample_aspect_ratio`: width / height of a pixel, None for unknown.
    - `display_matrix`: nine numbers by which a player turns the picture (ISO/IEC 14496-12), or None.
    - `diagnostics`: grows while the stream is read, enhanced and written. `events`: what happens to a live stream.
    - `link`: whether a live source delivers frames now. `sound`: a live source's sound, for recordings; None without.
    """

    width: int
    height: int
    format: PixelFormat = RGB
    time_base: Fraction = Fraction(1, 1000)
    rate: Fraction | None = None
    frames: int | None = None
    seconds: float | None = None
    live: bool = False
    name: str = "input"
    path: Path | None = None
    stream_index: int = 0
    time_span: tuple[float | None, float | None] = (None, None)
    color_tags: tuple[int, int] = (2, 2)
    sample_aspect_ratio: Fraction | None = None
    display_matrix: tuple[int, ...] | None = None
    diagnostics: Diagnostics = field(default_factory=Diagnostics, compare=False, repr=False)
    events: EventBus = field(default_factory=EventBus, compare=False, repr=False)
    link: Link = field(default_factory=Link, compare=False, repr=False)
    sound: SoundRelay | None = field(default=None, compare=False, repr=False)
