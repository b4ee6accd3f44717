"""The enhancer: sessions for streams, and arrays in, brighter arrays out, whichever engine computes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace
from typing import Any

import numpy as np

from realtime.config import EnhanceOptions
from realtime.control import Control, ControlState
from realtime.enhance import autoselect
from realtime.enhance.engines.base import Engine, Program, ProgramSpec
from realtime.enhance.engines.registry import AUTO, abilities, create_engine
from realtime.enhance.exposure.controller import ExposureController
from realtime.enhance.session import EnhanceSession
from realtime.enhance.weights import find
from realtime.frame import RGB, Frame, PixelFormat, Samples, StreamInfo
from realtime.processor import EngineInfo, Processor

#: Compiled programs that are kept. Each holds up to some 250 MB at 12 megapixels; a folder of photos has many sizes.
LARGEST_CACHE = 4


class Enhancer:
    """Makes dark pictures visible. A `Processor`: it makes a session for each stream and holds no stream itself, so
    several threads may share it.

    `options` are `EnhanceOptions`; `fields` replace some of them, as in ``Enhancer(strength=0.8)``. Loads TensorFlow.
    Raises SettingError, WeightsError or DeviceError.
    """

    def __init__(self, options: EnhanceOptions | None = None, **fields: Any) -> None:
        self.options = replace(options or EnhanceOptions(), **fields)
        self.weights = find(self.options.weights)
        #: ``auto``, ``off`` or stops: what was asked for, or what the weights were trained for.
        self.exposure = (
            self.options.exposure if self.options.exposure is not None else _trained_for(self.weights.metered)
        )
        self._lock = threading.RLock()
        self._engines: dict[str, Engine] = {}
        self._programs: OrderedDict[tuple[str, ProgramSpec], Program] = OrderedDict()
        self._control = Control(ControlState(strength=self.options.strength, exposure=self.options.exposure))
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
        name = self._best_engine_name()
        asked = self.options.batch if isinstance(self.options.batch, int) else abilities(name).cpu_batch
        batch = min(asked, len(pictures))
        exposure = ExposureController(self.exposure, self.weights.meter_path)
        program = self.program(name, ProgramSpec(pictures.shape[2], pictures.shape[1], batch, RGB, RGB))
        state = program.new_state(independent=True)
        for first in range(0, len(pictures), batch):
            some = [np.ascontiguousarray(picture) for picture in pictures[first : first + batch]]
            exposures = [exposure.independent(Frame((picture,))) for picture in some]
            missing = batch - len(some) if abilities(name).fixed_batch else 0
            planes = (some + some[-1:] * missing,)
            exposed = np.array(exposures + exposures[-1:] * missing, np.float32)
            result = program(planes, self.options.strength, exposed, state)
            for index in range(len(some)):
                output[first + index] = result[0][index]
        return output

    def session(self, info: StreamInfo, format: PixelFormat) -> EnhanceSession:
        """A session for a stream, whose frames come out in `format`. Compiles, which may take seconds."""
        return self._session(info, format, self._control)

    def with_control(self, control: Control) -> Processor:
        """The same enhancer, with sessions that read the user's settings from `control` between frames."""
        return _Controlled(self, control)

    def plan(self, info: StreamInfo) -> EngineInfo:
        """What a session for this stream will compute with."""
        engine = self.engine(name := self._choose(info))
        return EngineInfo(name, engine.device, engine.precision)

    def engine(self, name: str) -> Engine:
        """The engine of that name, loaded once."""
        with self._lock:
            if name not in self._engines:
                metered = self.exposure != "off"
                options = self.options
                self._engines[name] = create_engine(name, self.weights, options.device, options.precision, metered)
            return self._engines[name]

    def program(self, engine: str, spec: ProgramSpec) -> Program:
        """A compiled program. The latest `LARGEST_CACHE` are kept."""
        key = (engine, spec)
        with self._lock:
            if key not in self._programs:
                self._programs[key] = self.engine(engine).program(spec)
            self._programs.move_to_end(key)
            while len(self._programs) > LARGEST_CACHE:
                self._programs.popitem(last=False)
            return self._programs[key]

    def _session(self, info: StreamInfo, format: PixelFormat, control: Control) -> EnhanceSession:
        name = control.state.engine
        return EnhanceSession(self, info, format, self._choose(info, tell=True) if name == AUTO else name, control)

    def _best_engine_name(self) -> str:
        return self.options.engine if self.options.engine != AUTO else autoselect.best_engine().name

    def _choose(self, info: StreamInfo, tell: bool = False) -> str:
        """What ``auto`` means here: the best engine where it keeps up, or for a single picture; else one that does.
        `tell` adds the reason to the stream's diagnostics."""
        name = self._best_engine_name()
        fallback = autoselect.realtime_engine(self.weights)
        if self.options.engine != AUTO or fallback is None or info.frames == 1:
            return name
        quick = self.engine(fallback.name)
        seconds = autoselect.frame_seconds(lambda: self.engine(name), self.weights, quick.device, quick.precision, info)
        if autoselect.keeps_up(seconds, info):
            return name
        if tell:
            info.diagnostics.info(autoselect.explain(fallback.name, seconds, info))
        return fallback.name


class _Controlled:
    """An enhancer whose sessions share one control."""

    def __init__(self, enhancer: Enhancer, control: Control) -> None:
        self._enhancer, self._control = enhancer, control

    def session(self, info: StreamInfo, format: PixelFormat) -> EnhanceSession:
        return self._enhancer._session(info, format, self._control)


def _trained_for(metered: bool) -> str:
    return "auto" if metered else "off"
