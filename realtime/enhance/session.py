"""The state of one stream: its exposure, the engine's memory of earlier frames, the governor, the user's settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from realtime.control import Control, ControlState
from realtime.enhance.computing import Computing
from realtime.enhance.engines.base import FrameBatch, ProgramSpec
from realtime.enhance.exposure.stream import StreamExposure
from realtime.enhance.loading import EngineLoader, Loaded
from realtime.enhance.still import Still
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
        state: ControlState | None = None,
    ) -> None:
        """`exposes`: whether frames are denoised over time and lifted before the engine restores them. `state` is what
        `control` said when `engine` was chosen."""
        self._enhancer, self._info, self._format, self._control = enhancer, info, format, control
        self._settings: ControlState = state or control.state
        self._exposes = exposes
        self._exposure: StreamExposure | None = None
        self._exposed_format: PixelFormat | None = None
        self._latest: float | None = None
        self._computing = Computing(enhancer, engine, info, self._spec_of(info, 1))
        self._loader = EngineLoader(self._load, control.wake)
        self._still = Still()
        self._wake: Callable[[], None] | None = None

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
            for frame, output in zip(frames, outputs):
                self._still.note(frame, output, self._made_with(), self._exposure if self._settings.enhanced else None)
        if frames:
            waited = began - (frames[-1].captured_at or began)
            self._computing.note_speed(waited, (perf_counter() - began) / len(frames))
        return outputs

    def skip(self, frames: Sequence[Frame]) -> None:
        """Advances exposure and memory as `process` does, without output."""
        self._read_control()
        for run in self._runs(frames):
            self._computing.skip(self._exposed(run), self._spec(run[0]))

    def watch(self, wake: Callable[[], None]) -> None:
        """Calls `wake` whenever the user changes something or an engine has been loaded."""
        self._wake = wake
        self._control.subscribe(wake)

    def refresh(self) -> Frame | None:
        """The picture that viewers stand still at, where what the user changed makes it another one."""
        self._read_control()
        return self._still.refresh(self._control.standing, self._made_with(), self._made_again)

    def restart(self) -> None:
        """Forgets the frames so far: the next one follows a seek or a lost connection."""
        if self._exposure is not None:
            self._exposure.restart()
        self._computing.forget()

    def describe(self) -> EngineInfo:
        """What computes now."""
        return self._computing.describe()

    def close(self) -> None:
        """Releases the buffers of the stream. An engine that is being loaded is not waited for."""
        if self._wake is not None:
            self._control.unsubscribe(self._wake)
        self._loader.forget()
        self._exposure, self._still = None, Still()
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
            self._exposure = self._new_exposure(format)
            self._exposed_format = format
        return FrameBatch.of(run, [self._exposure.next(frame) for frame in run])

    def _new_exposure(self, format: PixelFormat) -> StreamExposure:
        exposure = StreamExposure(format, self._enhancer.exposure, self._enhancer.denoise)
        self._set(exposure)
        return exposure

    def _set(self, exposure: StreamExposure) -> None:
        asked = self._enhancer.exposure if self._settings.exposure is None else self._settings.exposure
        exposure.set(asked, self._settings.exposure_bias)

    def _made_with(self) -> object:
        return replace(self._settings, engine=""), self._computing

    def _made_again(self, frame: Frame, exposure: StreamExposure | None) -> Frame:
        """The frame with the settings now, beside the stream. `exposure` knows it, unless it was passed through."""
        if not self._settings.enhanced:
            return replace(convert(frame, self._format), original=frame)
        spec = self._spec(frame)
        if self._exposes and exposure is None:
            exposure = self._new_exposure(spec.working_format)
            exposure.next(frame)
        if exposure is not None:
            self._set(exposure)
        given = FrameBatch.of([frame], None if exposure is None else [exposure.again()])
        planes = self._computing.alone(given, spec, self._settings.strength)
        return replace(frame.with_planes(tuple(plane[0] for plane in planes), self._format), original=frame)

    def _spec(self, frame: Frame) -> ProgramSpec:
        return self._spec_of(frame, self.batch)

    def _spec_of(self, like: Frame | StreamInfo, batch: int) -> ProgramSpec:
        return ProgramSpec(like.width, like.height, batch, like.format, self._format, self._exposes)

    def _read_control(self) -> None:
        """Takes up what the user changed since the last call, and an engine that has been loaded."""
        before, self._settings = self._settings, self._control.state
        if self._settings is not before:
            if self._exposure is not None:
                self._set(self._exposure)
            if self._settings.engine != before.engine:
                self._change_engine(self._settings.engine)
        loaded = self._loader.take()
        if loaded is not None:
            self._take_over(loaded)

    def _change_engine(self, asked: str) -> None:
        """Computes with another engine: from now on if that is no work, or nobody waits for the frames of a file."""
        was_loading = self._loader.asked is not None
        at_once = asked == self.describe().engine or self._enhancer.has_program(asked, self._spec_of(self._info, 1))
        if at_once or not self._info.live:
            self._loader.forget()
            self._take_over(self._loader.load(asked), tell=was_loading)
        else:
            self._info.events.publish("engine_loading", engine=asked)
            self._loader.ask(asked)

    def _load(self, asked: str) -> Computing | None:
        """The engine that was asked for at work; None if that is so already."""
        name = self._enhancer.choose_engine(self._info, asked)
        if name == self.describe().engine:
            return None
        return Computing(self._enhancer, name, self._info, self._spec_of(self._info, 1))

    def _take_over(self, loaded: Loaded, tell: bool = True) -> None:
        """Lets another engine compute; one that cannot be used leaves the present one at work. `tell` publishes an
        event also where nothing has changed, for those who heard that it loads."""
        present = self.describe().engine
        if loaded.failure is not None:
            reason = (str(loaded.failure).strip().splitlines() or [type(loaded.failure).__name__])[0]
            self._info.diagnostics.warn(f"the engine stays {present}: {reason}")
            self._info.events.publish("engine_failed", engine=loaded.asked, stays=present, reason=reason)
            if self._control.state.engine == loaded.asked:
                self._control.update(engine=present)
            return
        if loaded.computing is not None:
            self._computing = loaded.computing
        if loaded.computing is not None or tell:
            self._info.events.publish("engine_changed", engine=self.describe().engine)
