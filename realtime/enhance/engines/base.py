"""What an engine is: something that makes a compiled program for frames of one kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from realtime.frame import PixelFormat, Samples

#: The planes of one frame.
Planes = tuple[Samples, ...]
#: Those of N frames: for each plane one array a frame, or all of them as (N, …). To put them into one array is a copy.
Batch = tuple[Sequence[Samples] | Samples, ...]
#: Planes, strength 0..1 and exposure (N, 2), float32 gain and white, to planes.
Program = Callable[[Batch, float, Samples], Batch]


@dataclass(frozen=True)
class ProgramSpec:
    """The frames a program is made for: all of one size and format, `batch` at a time."""

    width: int
    height: int
    batch: int
    source: PixelFormat
    target: PixelFormat

    def blank(self) -> tuple[Batch, float, Samples]:
        """What a program of this job may be called with to warm it or to time it: frames of zeros, exposed as is."""
        planes = tuple(
            np.zeros((self.batch, *s), self.source.dtype) for s in self.source.shapes(self.width, self.height)
        )
        return planes, 1.0, np.ones((self.batch, 2), np.float32)


class Engine(ABC):
    """A way to compute the enhanced picture. One required method."""

    name: str
    #: "cpu" or "gpu:N".
    device: str
    #: "float32", "bfloat16" or "float16".
    precision: str
    #: How many ways there are to do less, and which is in use: 0 is the best picture.
    levels: int = 1
    level: int = 0
    #: Whether each frame is a picture of its own; else frames come in order and may be helped by those before.
    still: bool = False
    #: Frames of a file at a time on a CPU, and whether a program wants exactly its job's batch, or at most that.
    together: int = 1
    fills: bool = True

    @abstractmethod
    def program(self, job: ProgramSpec) -> Program:
        """A function for exactly that job, compiled and warm when it is handed out."""

    def restart(self) -> None:
        """Forgets the frames seen so far: another stream begins."""
