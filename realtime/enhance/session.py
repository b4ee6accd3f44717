"""The state of one stream: its exposure, the engine's memory of earlier frames, the governor, the user's settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from realtime.control import Control, ControlState
from realtime.enhance.autoselect import DEFAULT_RATE, choose_batch
from realtime.enhance.engines.base import Engine, Program, ProgramSpec
from realtime.enhance.engines.registry import AUTO, EngineAbilities, abilities
from realtime.enhance.exposure.controller import ExposureController
from realtime.enhance.governor import Governor
from realtime.frame import Frame, PixelFormat, Samples, StreamInfo
from realtime.media.pixel_formats import convert
from realtime.processor import EngineInfo

if TYPE_CHECKING:
    from realtime.enhance.enhancer import Enhancer


@dataclass
class _Stream:
    """What one engine remembers of frames of one size."""

    program: Program
    state: Any


class EnhanceSession:
    """Enhances the frames of one stream, in order. Made by `Enhancer.session`; one thread at a time.

    How frames are grouped into `process` calls does not change what comes out, nor do padded batches.
    """

    def __init__(
        self, enhancer: Enhancer, info: StreamInfo, format: PixelFormat, engine: str, control: Control
    ) -> None:
        self._enhancer, self._info, self._format, self._control = enhancer, info, format, control
        self._state = control.state
        self._exposure = ExposureController(self._state.exposure or enhancer.exposure, enhancer.weights.meter_path)
        self._apply(self._state)
        self._use(engine)
        self._stream(ProgramSpec(info.width, info.height, self.batch, info.format, format))  # compiles

    @property
    def format(self) -> PixelFormat:
        """The pixel format of the frames that come out."""
        return self._format

    @property
    def batch(self) -> int:
        """The most frames that one `process` call takes."""
        return self._batch

    def process(self, frames: Sequence[Frame]) -> list[Frame]:
        """The next frames of the stream, enhanced."""
        began = perf_counter()
        self._read_control()
        if not self._state.enhanced:
            return [self._finished(frame, convert(frame, self._format)) for frame in frames]
        outputs: list[Frame] = []
        for alike, spec, exposure in self._groups(frames):
            stream = self._stream(spec)
            planes = _padded(alike, spec.batch if self._abilities.fixed_batch else len(alike))
            padded = np.concatenate([exposure, np.repeat(exposure[-1:], len(planes[0]) - len(alike), axis=0)])
            result = stream.program(planes, self._state.strength, padded, stream.state, self._level)
            outputs += [
                self._finished(frame, frame.with_planes(tuple(plane[i] for plane in result), self._format))
                for i, frame in enumerate(alike)
            ]
        if self._governor is not None and frames:
            seconds = (perf_counter() - began) / len(frames)
            self._level = self._governor.note(began - (frames[-1].captured_at or began), seconds)
        return outputs

    def skip(self, frames: Sequence[Frame]) -> None:
        """Advances exposure and memory as `process` does, without output."""
        self._read_control()
        for alike, spec, exposure in self._groups(frames):
            stream = self._stream(spec)
            stream.program.skip(_padded(alike, len(alike)), exposure, stream.state, self._level)

    def restart(self) -> None:
        """Forgets the frames so far: the next one follows a seek or a lost connection."""
        self._exposure.restart()
        self._streams.clear()

    def describe(self) -> EngineInfo:
        """What computes now."""
        governor = self._governor.describe() if self._governor else None
        return EngineInfo(self._abilities.name, self._engine.device, self._engine.precision, self._batch, governor)

    def close(self) -> None:
        """Releases the buffers of the stream."""
        self._streams.clear()

    def _groups(self, frames: Sequence[Frame]) -> list[tuple[list[Frame], ProgramSpec, Samples]]:
        """Runs of frames of one size and format, what program they need, and their exposures (N, 2)."""
        groups = []
        for (width, height, format), group in groupby(frames, key=lambda f: (f.width, f.height, f.format)):
            alike = list(group)
            exposure = np.array([self._exposure.next(frame) for frame in alike], np.float32)
            groups.append((alike, ProgramSpec(width, height, self._batch, format, self._format), exposure))
        return groups

    def _finished(self, source: Frame, output: Frame) -> Frame:
        return replace(output, original=source) if self._info.live else output

    def _read_control(self) -> None:
        """Takes up what the user changed since the last frame."""
        state = self._control.state
        if state is self._state:
            return
        if state.engine not in (AUTO, self._abilities.name):
            self._use(state.engine)
            self._info.events.publish("engine_changed", engine=state.engine)
        self._apply(state)

    def _apply(self, state: ControlState) -> None:
        self._state = state
        self._exposure.set(state.exposure or self._enhancer.exposure, state.exposure_bias)

    def _use(self, name: str) -> None:
        """Makes an engine the one that computes, from its best level on."""
        self._engine: Engine = self._enhancer.engine(name)
        self._abilities: EngineAbilities = abilities(name)
        self._streams: dict[ProgramSpec, _Stream] = {}
        self._level = 0
        self._batch = self._choose_batch()
        governed = self._info.live and self._abilities.levels > 1
        interval = 1 / float(self._info.rate or DEFAULT_RATE)
        self._governor = Governor(interval, self._abilities.levels) if governed else None

    def _choose_batch(self) -> int:
        """Frames at a time: a live one waits for no other, and on a CPU one or a pair fills the cores already."""
        asked, info = self._enhancer.options.batch, self._info
        if isinstance(asked, int):
            return asked
        if info.live:
            return 1
        if self._engine.device == "cpu" or not self._abilities.fixed_batch:
            return self._abilities.cpu_batch
        spec = ProgramSpec(info.width, info.height, 1, info.format, self._format)
        name = self._abilities.name
        return choose_batch(self._engine, lambda s: self._enhancer.program(name, s), spec, info.frames)

    def _stream(self, spec: ProgramSpec) -> _Stream:
        """Program and memory for frames of one kind. A stream whose frames change size keeps only the latest."""
        stream = self._streams.get(spec)
        if stream is None:
            program = self._enhancer.program(self._abilities.name, spec)
            stream = _Stream(program, program.new_state())
            self._streams = {spec: stream}
        return stream


def _padded(frames: list[Frame], count: int) -> tuple[list[Samples], ...]:
    """Planes of the frames; the last one is repeated up to `count`, since another batch size would compile again."""
    filled = frames + frames[-1:] * (count - len(frames))
    return tuple([frame.planes[i] for frame in filled] for i in range(len(frames[0].planes)))
