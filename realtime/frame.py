"""Values that travel: a `Frame` is pixels *and* time; a `StreamInfo` says what all frames of a stream share."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[Any]
Model = Literal["rgb", "yuv", "grey"]
Matrix = Literal["bt601", "bt709", "bt2020"]


@dataclass(frozen=True)
class PixelFormat:
    """How samples lie in planes and what they mean.

    ``rgb`` is one interleaved plane (H, W, 3), always full range; ``yuv`` three planes, the chroma ones smaller by
    `chroma` (horizontally, vertically), rounded up; ``grey`` one plane (H, W). Samples are uint8 up to 8 bits, else
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
        if self.model == "grey":
            return ((height, width),)
        small = (-(-height // self.chroma[1]), -(-width // self.chroma[0]))
        return ((height, width), small, small)


RGB = PixelFormat()


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture and its place in time.

    `planes` as `PixelFormat` lays them out; `pts` counts `time_base` seconds; `arrived` is when capture had it, in
    seconds of ``time.perf_counter`` (0 when nobody cares). Raises ValueError when planes and format disagree.
    """

    planes: tuple[Samples, ...]
    format: PixelFormat = RGB
    pts: int = 0
    time_base: Fraction = Fraction(1, 1000)
    arrived: float = 0.0
    #: How long the picture stays, in `time_base`; 0 when the stream does not say.
    duration: int = 0

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


#: What `Findings` count, each with the sentence that tells it.
FINDINGS = {
    "repaired_timestamps": "timestamps repaired, being missing, repeated or out of order: {}",
    "skipped_packets": "damaged places skipped: {}",
    "concealed_frames": "frames that the decoder could only patch up: {}",
    "resized_frames": "frames of another size brought to that of the first: {}",
    "missing_seconds": "seconds missing at the end, the file was cut off: {}",
    "left_out_streams": "",
}
#: Those that say that the input was damaged.
DAMAGE = ("skipped_packets", "concealed_frames", "missing_seconds")


class Findings:
    """What had to be repaired, skipped or left out; reading and writing each add as they go."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._notes: list[str] = []

    def note(self, sentence: str) -> None:
        """Keeps a sentence for the user, once."""
        if sentence not in self._notes:
            self._notes.append(sentence)

    @property
    def sentences(self) -> tuple[str, ...]:
        """All of it for the user."""
        counted = [text.format(self.counts[name]) for name, text in FINDINGS.items() if text and self.counts[name]]
        return (*self._notes, *counted)

    @property
    def damaged(self) -> bool:
        """Whether pictures or sound were lost."""
        return any(self.counts[name] for name in DAMAGE)


@dataclass(frozen=True)
class StreamInfo:
    """What all frames of a stream share, as far as it is known before the first one.

    `rate` in frames a second, `frames` and `seconds` may be estimates or None. `live` streams do not wait: what is
    not taken in time is dropped. `path` and `span` (start and end in seconds, None for open) let a sink copy sound
    from the file that the pictures come from. `tags` are the numeric colour tags of ISO/IEC 23091-2: primaries
    and transfer; 2 means unspecified. `notes` are sentences for the user about how the input was read; `findings`
    grow while it is read and written. `track` is the index of the video stream in `path`. `aspect` is the shape of
    a pixel (None for unknown), `display` the nine numbers by which a player turns the picture, or None.
    `wish` is the format that a sink asks an enhancer for; None leaves it the choice.
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
    span: tuple[float | None, float | None] = (None, None)
    tags: tuple[int, int] = (2, 2)
    notes: tuple[str, ...] = field(default=())
    findings: Findings = field(default_factory=Findings, compare=False, repr=False)
    track: int = 0
    aspect: Fraction | None = None
    display: tuple[int, ...] | None = None
    wish: PixelFormat | None = None
