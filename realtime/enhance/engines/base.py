"""What an engine is: something that makes a compiled program for frames of one kind.

Engines and programs are shared between streams and hold none of their state. What a program remembers from frame to
frame of a stream, and the buffers it works in, are in a state object that the stream's session owns.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from realtime.enhance.exposure.fine import Fine, to_fine
from realtime.frame import Frame, PixelFormat, Samples

#: The planes of one frame.
Planes = tuple[Samples, ...]
#: The planes of N frames: for each plane one array per frame, or all of them as (N, ...). Joining them is a copy.
PlaneBatch = tuple[Sequence[Samples] | Samples, ...]


@dataclass(frozen=True)
class FrameBatch:
    """Frames of one size and format, in the order of their stream, as a program gets them.

    - `planes`: see `PlaneBatch`.
    - `seconds`: float64 (N,), presentation times.
    - `exposed`: the same frames calmed over time and lifted, in fixed point; None where they are restored as they are.
    """

    planes: PlaneBatch
    seconds: Samples
    exposed: Sequence[Fine] | None = None

    @classmethod
    def of(cls, frames: Sequence[Frame], exposed: Sequence[Fine] | None = None) -> FrameBatch:
        """Frames of a stream, and what became of each by exposure and memory."""
        planes = tuple([frame.planes[i] for frame in frames] for i in range(len(frames[0].planes)))
        return cls(planes, np.array([frame.seconds for frame in frames]), exposed)

    def __len__(self) -> int:
        return len(self.seconds)

    def part(self, first: int, last: int) -> FrameBatch:
        """Frames `first` to `last`, the latter not included."""
        some = slice(first, last)
        exposed = None if self.exposed is None else self.exposed[some]
        return FrameBatch(tuple(plane[some] for plane in self.planes), self.seconds[some], exposed)

    def padded(self, count: int) -> FrameBatch:
        """At least `count` frames: the last one is repeated."""
        if len(self) >= count:
            return self
        index = np.minimum(np.arange(count), len(self) - 1)
        exposed = None if self.exposed is None else [self.exposed[i] for i in index]
        return FrameBatch(tuple([plane[i] for i in index] for plane in self.planes), self.seconds[index], exposed)


@dataclass(frozen=True)
class ProgramSpec:
    """The frames a program is made for: all of one size and format, at most `batch` at a time.

    `exposed`: they come with ``FrameBatch.exposed``.
    """

    width: int
    height: int
    batch: int
    source: PixelFormat
    target: PixelFormat
    exposed: bool = False

    @property
    def working_format(self) -> PixelFormat:
        """`source`, with the matrix that `Fine` planes are in: its own, or for RGB the output's, which then need not be
        converted."""
        return self.source if self.source.model != "rgb" else replace(self.source, matrix=self.target.matrix)

    def blank(self) -> FrameBatch:
        """`batch` frames of zeros, not lifted, to warm up or time a program with."""
        frame = tuple(np.zeros(s, self.source.dtype) for s in self.source.shapes(self.width, self.height))
        exposed = [to_fine(frame, self.working_format)] * self.batch if self.exposed else None
        return FrameBatch(tuple(np.stack([plane] * self.batch) for plane in frame), np.zeros(self.batch), exposed)


class Program(Protocol):
    """A compiled function for frames of one `ProgramSpec`. Safe between threads that use different states."""

    def new_state(self, independent: bool = False) -> Any:
        """The state of a new stream. `independent`: each frame is a scene of its own."""

    def __call__(self, frames: FrameBatch, strength: float, state: Any, level: int = 0) -> PlaneBatch:
        """The enhanced planes; those of padding are left in. `strength` 0..1; `level` 0..levels-1 says how much to give
        up for speed. An engine with a fixed batch gets exactly ``spec.batch`` frames, any other at most so many."""

    def skip(self, frames: FrameBatch, state: Any, level: int = 0) -> None:
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
