"""An engine at work for one stream. Making one loads the engine and compiles, which may take seconds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from realtime.enhance.autoselect import ASSUMED_RATE, choose_batch
from realtime.enhance.engines.base import FrameBatch, PlaneBatch, Program, ProgramSpec
from realtime.enhance.engines.registry import abilities
from realtime.enhance.governor import Governor
from realtime.frame import StreamInfo
from realtime.processor import EngineInfo

if TYPE_CHECKING:
    from realtime.enhance.enhancer import Enhancer


class Computing:
    """An engine's program and memory for frames of one kind, its level and governor."""

    def __init__(self, enhancer: Enhancer, name: str, info: StreamInfo, spec: ProgramSpec) -> None:
        """Compiles for frames as in `spec`, whose batch is chosen here."""
        self._enhancer, self._engine, self._abilities = enhancer, enhancer.engine(name), abilities(name)
        self._level = 0
        self._governor: Governor | None = None
        if info.live and self._abilities.levels > 1:
            self._governor = Governor(1 / float(info.rate or ASSUMED_RATE), self._abilities.levels)
        self.batch = self._choose_batch(info, spec)
        self._spec: ProgramSpec | None = None
        self._program: Program
        self._state: Any = None
        self._select(replace(spec, batch=self.batch))

    def process(self, frames: FrameBatch, spec: ProgramSpec, strength: float) -> PlaneBatch:
        """The next frames of the stream, enhanced; those of padding are left in."""
        self._select(spec)
        return self._program(self._padded(frames, spec), strength, self._state, self._level)

    def alone(self, frames: FrameBatch, spec: ProgramSpec, strength: float) -> PlaneBatch:
        """Frames enhanced beside the stream, whose memory stays as it is."""
        program = self._enhancer.program(self._abilities.name, spec)
        return program(self._padded(frames, spec), strength, program.new_state())

    def skip(self, frames: FrameBatch, spec: ProgramSpec) -> None:
        """Advances the memory as `process` does."""
        self._select(spec)
        self._program.skip(frames, self._state, self._level)

    def forget(self) -> None:
        """Drops memory and buffers."""
        self._spec = self._state = None

    def note_speed(self, waited: float, seconds: float) -> None:
        """Lets the governor choose the level after a call whose newest frame had `waited`."""
        if self._governor is not None:
            self._level = self._governor.note(waited, seconds)

    def describe(self) -> EngineInfo:
        """What computes."""
        governor = self._governor.describe() if self._governor else None
        return EngineInfo(self._abilities.name, self._engine.device, self._engine.precision, self.batch, governor)

    def _padded(self, frames: FrameBatch, spec: ProgramSpec) -> FrameBatch:
        # A last, smaller batch is filled up: another batch size would compile again.
        return frames.padded(spec.batch) if self._abilities.fixed_batch else frames

    def _select(self, spec: ProgramSpec) -> None:
        """Frames of another kind than before, as a stream that changes its size has, start without memory."""
        if spec == self._spec:
            return
        self._program = self._enhancer.program(self._abilities.name, spec)
        self._spec, self._state = spec, self._program.new_state()

    def _choose_batch(self, info: StreamInfo, spec: ProgramSpec) -> int:
        """Frames at a time: a live one waits for no other, and on a CPU one fills the caches already."""
        asked = self._enhancer.options.batch
        if isinstance(asked, int):
            return asked
        if info.live:
            return 1
        if self._engine.device == "cpu" or not self._abilities.fixed_batch:
            return 1
        name = self._abilities.name
        return choose_batch(self._engine, lambda s: self._enhancer.program(name, s), spec, info.frames)
