"""What an engine is: something that makes a compiled program for frames of one kind.

Engines and programs are shared between streams and hold none of their state. What a program remembers from frame to
frame of a stream, and the buffers it works in, are in a state object that the stream's session owns.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from realtime.frame import PixelFormat, Samples

#: The planes of one frame.
Planes = tuple[Samples, ...]
#: The planes of N frames: for each plane one array per frame, or all of them as (N, ...). Joining them is a copy.
Batch = tuple[Sequence[Samples] | Samples, ...]


@dataclass(frozen=True)
class ProgramSpec:
    """The frames a program is made for: all of one size and format, at most `batch` at a time."""

    width: int
    height: int
    batch: int
    source: PixelFormat
    target: PixelFormat

    def blank(self) -> tuple[Batch, float, Samples]:
        """Arguments to warm up or time a program with: frames of zeros, strength 1, exposed as they are."""
        planes = tuple(
            np.zeros((self.batch, *s), self.source.dtype) for s in self.source.shapes(self.width, self.height)
        )
        return planes, 1.0, np.ones((self.batch, 2), np.float32)


class Program(Protocol):
    """A compiled function for frames of one `ProgramSpec`. Safe between threads that use different states."""

    def new_state(self, independent: bool = False) -> Any:
        """The state of a new stream. `independent`: each frame is a scene of its own."""

    def __call__(self, planes: Batch, strength: float, exposure: Samples, state: Any, level: int = 0) -> Batch:
        """Enhanced planes. `strength` 0..1; `exposure` float32 (N, 2), gain and white as `meter.apply_exposure` takes
        them; `level` 0..levels-1, how much to give up for speed."""

    def skip(self, planes: Batch, exposure: Samples, state: Any, level: int = 0) -> None:
        """Changes `state` as a call would, without computing the output."""


class Engine(ABC):
    """A way to compute the enhanced picture. One required method."""

    #: ``cpu`` or ``gpu:N``.
    device: str
    #: ``float32``, ``bfloat16`` or ``float16``.
    precision: str

    @abstractmethod
    def program(self, spec: ProgramSpec) -> Program:
        """A program for frames of that kind, compiled and warm."""
