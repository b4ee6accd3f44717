"""The state of one stream: its exposure, the engine's memory of earlier frames, the governor, the user's settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

from realtime.control import Control, ControlState
from realtime.enhance.autoselect import ASSUMED_RATE, choose_batch
from realtime.enhance.engines.base import FrameBatch, Program, ProgramSpec
from realtime.enhance.engines.registry import abilities
from realtime.enhance.exposure.stream import StreamExposure
from realtime.enhance.governor import Governor
from realtime.errors import RealtimeError
from realtime.frame import Frame, PixelFormat, StreamInfo
from realtime.media.pixel_formats import convert
from realtime.processor import EngineInfo

if TYPE_CHECKING:
    from realtime.enhance.enhancer import Enhancer

#: A frame that is earlier than the one before it, or later by more seconds than this, begins a new scene.
LARGEST_GAP = 3.0


class EnhanceSession:
    """Enhances the frames of one stream, in order. Made by `Enhancer.session`; one thread at a time.

    How frames are grouped into calls changes nothing in the output of the fast engine, and at most one level in that of
    the exact engine, whose sums may take another order. Padding never advances the state.
    """

    def __init__(
        self,
        enhancer: Enhancer,
        info: StreamInfo,
        format: PixelFormat,
        engine: str,
        control: Control,
        exposes: bool,
    ) -> None:
        """`exposes`: whether frames are denoised over time and lifted before the engine restores them."""
        self._enhancer, self._info, self._format, self._control = enhancer, info, format, control
        self._settings: ControlState = control.state
        self._exposes = exposes
        self._exposure: StreamExposure | None = None
        self._exposed_format: PixelFormat | None = None
        self._latest: float | None = None
        self._computing = _Computing(enhancer, engine, info, self._spec_of(info, 1))

    @property
    def format(self) -> PixelFormat:
        """The pixel format of the frames that come out."""
        return self._format

    @property
    def batch(self) -> int:
        """The most frames that are computed at a time."""
        return self._computing.batch

    def process(self, frames: Sequence[Frame]) -> list[Frame]:
        """The next frames of the stream, enhanced. Those of a live stream hold their original.

        Raises DeviceError when memory does not suffice for a single frame.
        """
        began = perf_counter()
        self._read_control()
        if self._settings.enhanced:
            outputs = [output for run in self._runs(frames) for output in self._enhanced(run)]
        else:
            outputs = [convert(frame, self._format) for frame in frames]
        if self._info.live:
            outputs = [replace(output, original=frame) for output, frame in zip(outputs, frames)]
        if frames:
            waited = began - (frames[-1].captured_at or began)
            self._computing.note_speed(waited, (perf_counter() - began) / len(frames))
        return outputs

    def skip(self, frames: Sequence[Frame]) -> None:
        """Advances exposure and memory as `process` does, without output."""
        self._read_control()
        for run in self._runs(frames):
            self._computing.skip(self._exposed(run), self._spec(run[0]))

    def restart(self) -> None:
        """Forgets the frames so far: the next one follows a seek or a lost connection."""
        if self._exposure is not None:
            self._exposure.restart()
        self._computing.forget()

    def describe(self) -> EngineInfo:
        """What computes now."""
        return self._computing.describe()

    def close(self) -> None:
        """Releases the buffers of the stream."""
        self._exposure = None
        self._computing.forget()

    def _runs(self, frames: Sequence[Frame]) -> Iterator[list[Frame]]:
        """Frames that are computed at a time: of one size and format, each following the one before in time. Between
        runs of two scenes the stream restarts."""
        run: list[Frame] = []
        for frame in frames:
            follows = self._latest is None or 0 <= frame.seconds - self._latest <= LARGEST_GAP
            if run and not (follows and len(run) < self.batch and self._spec(frame) == self._spec(run[0])):
                yield run
                run = []
            if not follows:
                self.restart()
            self._latest = frame.seconds
            run.append(frame)
        if run:
            yield run

    def _enhanced(self, run: list[Frame]) -> list[Frame]:
        output = self._computing.process(self._exposed(run), self._spec(run[0]), self._settings.strength)
        return [
            frame.with_planes(tuple(plane[index] for plane in output), self._format) for index, frame in enumerate(run)
        ]

    def _exposed(self, run: list[Frame]) -> FrameBatch:
        if not self._exposes:
            return FrameBatch.of(run)
        format = self._spec(run[0]).working_format
        if self._exposure is None or format != self._exposed_format:  # the first frame, or one of another format
            self._exposure = StreamExposure(format, self._enhancer.exposure, self._enhancer.denoise)
            self._exposed_format = format
            self._apply(self._settings)
        return FrameBatch.of(run, [self._exposure.next(frame) for frame in run])

    def _spec(self, frame: Frame) -> ProgramSpec:
        return self._spec_of(frame, self.batch)

    def _spec_of(self, like: Frame | StreamInfo, batch: int) -> ProgramSpec:
        return ProgramSpec(like.width, like.height, batch, like.format, self._format, self._exposes)

    def _read_control(self) -> None:
        """Takes up what the user changed since the last call."""
        before, settings = self._settings, self._control.state
        if settings is before:
            return
        self._apply(settings)
        if settings.engine != before.engine:
            self._change_engine(settings.engine)

    def _apply(self, settings: ControlState) -> None:
        self._settings = settings
        asked = self._enhancer.exposure if settings.exposure is None else settings.exposure
        if self._exposure is not None:
            self._exposure.set(asked, settings.exposure_bias)

    def _change_engine(self, asked: str) -> None:
        """Computes with another engine from now on; one that cannot be used leaves the present one at work."""
        present = self.describe().engine
        try:
            name = self._enhancer.choose_engine(self._info, asked)
            if name == present:
                return
            self._computing = _Computing(self._enhancer, name, self._info, self._spec_of(self._info, 1))
        except RealtimeError as error:
            self._info.diagnostics.warn(f"the engine stays {present}: {error}")
            return
        self._info.events.publish("engine_changed", engine=name)


class _Computing:
    """An engine at work for one stream: its program and memory for frames of one kind, level and governor."""

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

    def process(self, frames: FrameBatch, spec: ProgramSpec, strength: float) -> tuple[Any, ...]:
        self._select(spec)
        # A last, smaller batch is filled up: another batch size would compile again.
        given = frames.padded(spec.batch) if self._abilities.fixed_batch else frames
        return self._program(given, strength, self._state, self._level)

    def skip(self, frames: FrameBatch, spec: ProgramSpec) -> None:
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
        governor = self._governor.describe() if self._governor else None
        return EngineInfo(self._abilities.name, self._engine.device, self._engine.precision, self.batch, governor)

    def _select(self, spec: ProgramSpec) -> None:
        """Frames of another kind than before, as a stream that changes its size has, start without memory."""
        if spec == self._spec:
            return
        self._program = self._enhancer.program(self._abilities.name, spec)
        self._spec, self._state = spec, self._program.new_state()

    def _choose_batch(self, info: StreamInfo, spec: ProgramSpec) -> int:
        """Frames at a time: a live one waits for no other, and on a CPU one or a pair fills the cores already."""
        asked = self._enhancer.options.batch
        if isinstance(asked, int):
            return asked
        if info.live:
            return 1
        if self._engine.device == "cpu" or not self._abilities.fixed_batch:
            return self._abilities.cpu_batch
        name = self._abilities.name
        return choose_batch(self._engine, lambda s: self._enhancer.program(name, s), spec, info.frames)
