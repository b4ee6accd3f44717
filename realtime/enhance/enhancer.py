"""The enhancer: sessions for streams, and arrays in, brighter arrays out, whichever engine computes."""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from dataclasses import replace
from typing import Any

import numpy as np

from realtime.config import EnhanceOptions
from realtime.control import Control, ControlState
from realtime.enhance import autoselect
from realtime.enhance.engines.base import Engine, FrameBatch, Program, ProgramSpec
from realtime.enhance.engines.factory import create_engine
from realtime.enhance.engines.registry import AUTO, abilities
from realtime.enhance.exposure.memory import denoise_frames
from realtime.enhance.exposure.stream import exposed_alone
from realtime.enhance.session import EnhanceSession
from realtime.enhance.weights import find
from realtime.frame import RGB, Frame, PixelFormat, Samples, StreamInfo
from realtime.processor import EngineInfo, Processor

#: Compiled programs that are kept. Each holds some 250 MB at 12 megapixels, and a folder of photos has many sizes.
MAX_PROGRAMS = 4


class Enhancer:
    """Makes dark pictures visible. A `Processor`: it makes a session for each stream and holds no stream itself.

    `options` are `EnhanceOptions`; `fields` replace some of them, as in ``Enhancer(strength=0.8)``. Several threads may
    share it. Loads TensorFlow for an engine that needs it. Raises SettingError, WeightsError or DeviceError.
    """

    def __init__(self, options: EnhanceOptions | None = None, **fields: Any) -> None:
        self.options = replace(options or EnhanceOptions(), **fields)
        #: The weights file that was found.
        self.weights = find(self.options.weights)
        trained_for = "auto" if self.weights.metered else "off"
        #: ``auto``, ``scene``, ``off`` or stops: what was asked for, or what the weights were trained for.
        self.exposure = trained_for if self.options.exposure is None else self.options.exposure
        #: The longest memory over time, in frames; 1 is none.
        self.denoise = denoise_frames(self.options.denoise, self.exposure != "off")
        # The first is held for a moment; one for each engine while that loads or compiles, so that others work on.
        self._lock, self._locks = threading.Lock(), defaultdict[str, Any](threading.RLock)
        self._engines: dict[str, Engine] = {}
        self._programs: OrderedDict[tuple[str, ProgramSpec], Program] = OrderedDict()
        if self.options.engine != AUTO:
            self.engine(self.options.engine)  # an engine that does not work is an error now, not at the first frame

    def __call__(self, pictures: Samples) -> Samples:
        """Enhances (N, H, W, 3) uint8 RGB into an array like it. Each picture is a scene of its own, and ``auto`` takes
        the best engine. Raises ValueError for another shape or type."""
        if pictures.ndim != 4 or pictures.shape[3] != 3 or pictures.dtype != np.uint8:
            raise ValueError(f"wanted uint8 RGB of shape (N, H, W, 3), not {pictures.dtype} {pictures.shape}")
        output = np.empty_like(pictures)
        if not pictures.size:
            return output
        name = self._best_engine()
        asked, traits = self.options.batch, abilities(name)
        usual = 1 if self.engine(name).device == "cpu" else autoselect.DEFAULT_BATCH
        batch = min(asked if isinstance(asked, int) else usual, len(pictures))
        spec = ProgramSpec(pictures.shape[2], pictures.shape[1], batch, RGB, RGB, self.exposure != "off")
        program = self.program(name, spec)
        state = program.new_state(independent=True)
        for first in range(0, len(pictures), batch):
            frames = [Frame((np.ascontiguousarray(picture),)) for picture in pictures[first : first + batch]]
            exposed = [exposed_alone(f, spec.working_format, self.exposure) for f in frames] if spec.exposed else None
            given = FrameBatch.of(frames, exposed)
            result = program(given.padded(batch) if traits.fixed_batch else given, self.options.strength, state)
            for index in range(len(frames)):
                output[first + index] = result[0][index]
        return output

    def session(self, info: StreamInfo, format: PixelFormat) -> EnhanceSession:
        """A session for a stream, whose frames come out in `format`. Compiles, which may take seconds.

        Says in the stream's diagnostics which engine ``auto`` took if that is not the best one.
        """
        name = self.choose_engine(info, tell=True)
        control = Control(ControlState(strength=self.options.strength))
        return EnhanceSession(self, info, format, name, control, self.exposure != "off" or self.denoise > 1)

    def with_control(self, control: Control) -> Processor:
        """The same enhancer, whose sessions read strength, exposure and engine from `control` between frames instead of
        from the options. Exposure None there is the options' exposure.

        Frames are exposed even where that changes nothing, so that no program is compiled when the exposure changes.
        """
        return _Controlled(self, control)

    def plan(self, info: StreamInfo) -> EngineInfo:
        """Engine, device and precision that a session for this stream will compute with. May measure for seconds."""
        engine = self.engine(name := self.choose_engine(info))
        return EngineInfo(name, engine.device, engine.precision)

    def choose_engine(self, info: StreamInfo, asked: str = AUTO, *, tell: bool = False) -> str:
        """The engine for a stream: `asked`, or for ``auto`` that of the options, or if that is ``auto`` too, the best
        engine if it keeps up or there is a single picture, else one that does. `tell` adds why to the diagnostics."""
        if asked != AUTO:
            return abilities(asked).name
        name, fallback = self._best_engine(), autoselect.realtime_engine(self.weights)
        if self.options.engine != AUTO or fallback is None or info.frames == 1:
            return name
        quick = self.engine(fallback.name)
        seconds = autoselect.frame_seconds(
            lambda: self.engine(name), self.weights, quick.device, self.options.precision, info
        )
        if autoselect.keeps_up(seconds, info):
            return name
        if tell:
            info.diagnostics.info(autoselect.explain(fallback.name, seconds, info))
        return fallback.name

    def engine(self, name: str) -> Engine:
        """The engine of that name, loaded once. Raises as `create_engine` does."""
        with self._lock_of(name):
            if name not in self._engines:
                self._engines[name] = create_engine(name, self.weights, self.options.device, self.options.precision)
            return self._engines[name]

    def program(self, engine: str, spec: ProgramSpec) -> Program:
        """A compiled program. The latest `MAX_PROGRAMS` are kept."""
        with self._lock_of(engine):
            program = self._kept(engine, spec) or self.engine(engine).program(spec)
            with self._lock:
                self._programs[engine, spec] = program
                self._programs.move_to_end((engine, spec))
                while len(self._programs) > MAX_PROGRAMS:
                    self._programs.popitem(last=False)
            return program

    def has_program(self, engine: str, spec: ProgramSpec) -> bool:
        """Whether `program` would return at once."""
        return self._kept(engine, spec) is not None

    def _kept(self, engine: str, spec: ProgramSpec) -> Program | None:
        with self._lock:
            return self._programs.get((engine, spec))

    def _lock_of(self, engine: str) -> Any:
        with self._lock:
            return self._locks[engine]

    def _best_engine(self) -> str:
        return autoselect.best_engine().name if self.options.engine == AUTO else self.options.engine


class _Controlled:
    """An enhancer whose sessions share one control."""

    def __init__(self, enhancer: Enhancer, control: Control) -> None:
        self._enhancer, self._control = enhancer, control

    def session(self, info: StreamInfo, format: PixelFormat) -> EnhanceSession:
        if self._control.state.exposure is None:  # what the weights were trained for; keys change it from there
            self._control.update(exposure=self._enhancer.exposure)
        state = self._control.state  # what is changed while this loads is taken up by the session
        name = self._enhancer.choose_engine(info, state.engine, tell=True)
        return EnhanceSession(self._enhancer, info, format, name, self._control, exposes=True, state=state)
