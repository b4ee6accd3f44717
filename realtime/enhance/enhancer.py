"""The enhancer: arrays or frames in, brighter ones out, whichever engine does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from realtime.enhance import autoselect as choice
from realtime.enhance.device import limit_threads
from realtime.enhance.engines.base import Engine, Program, ProgramSpec
from realtime.enhance.engines.registry import create
from realtime.enhance.exposure.controller import ExposureController
from realtime.enhance.governor import Governor
from realtime.enhance.weights import find
from realtime.errors import SettingError
from realtime.frame import RGB, Frame, PixelFormat, Samples, StreamInfo


class Enhancer:
    """Makes dark pictures visible.

    `weights` is a name from the index or a path, None the bundled default; `engine` is ``auto``, ``exact`` or
    ``fast``; `precision` is ``auto``, ``float32``, ``bfloat16`` or ``float16``; `device` is ``auto``, ``cpu`` or
    ``gpu[:N]``; `strength` 0..1 blends linearly with the input; `exposure` is ``auto`` (the meter), ``off``
    (the plain network) or stops as a number, None what the weights were trained for; `batch` is a number of frames
    or ``auto``. Raises SettingError, WeightsError or DeviceError.
    """

    def __init__(
        self,
        weights: str | Path | None = None,
        engine: str = "auto",
        precision: str = "auto",
        device: str = "auto",
        strength: float = 1.0,
        *,
        exposure: str | float | None = None,
        batch: int | str = "auto",
    ) -> None:
        if not 0.0 <= strength <= 1.0:
            raise SettingError(f"strength {strength} is outside 0..1")
        if batch != "auto" and not (isinstance(batch, int) and batch >= 1):
            raise SettingError(f"batch {batch!r} is neither 'auto' nor a number from 1")
        self.strength = strength
        self.weights = find(weights)
        self._exposer = ExposureController(exposure, self.weights)
        self.exposure = self._exposer.wish
        self._auto = engine == "auto"
        self._options = (device, precision, self._exposer.metered)
        self._engines: dict[str, Engine] = {}
        if engine != "exact":
            limit_threads(tensorflow=engine == "fast")
        self.engine = self._engine(choice.first(self.weights) if self._auto else engine)
        self._governor: Governor | None = None
        self._wish = batch
        self.batch = self._batch(None)
        self._target = RGB
        self._programs: dict[tuple[str, ProgramSpec], Program] = {}

    def __call__(self, pictures: Samples) -> Samples:
        """Enhances (N, H, W, 3) uint8 RGB; answers an array like it. Each picture is a scene of its own.

        Raises ValueError for another shape or type.
        """
        if pictures.ndim != 4 or pictures.shape[3] != 3 or pictures.dtype != np.uint8:
            raise ValueError(f"wanted uint8 RGB of shape (N, H, W, 3), not {pictures.dtype} {pictures.shape}")
        if self._auto:
            self.engine = self._engine("exact")  # a still waits for the best
        self.engine.still = True
        answer = np.empty_like(pictures)
        size = min(self.batch, len(pictures)) if len(pictures) else 1
        for first in range(0, len(pictures), size):
            frames = [Frame((np.ascontiguousarray(p),)) for p in pictures[first : first + size]]
            exposures = [self._exposer.still(frame) for frame in frames]
            for offset, frame in enumerate(self._run(frames, exposures, RGB, size)):
                answer[first + offset] = frame.planes[0]
        return answer

    def prepare(self, info: StreamInfo, rgb: bool) -> StreamInfo:
        """Compiles for a stream and forgets the one before; answers what comes out. `rgb` asks for interleaved RGB."""
        self._target = RGB if rgb else _encodable(info)
        self._exposer.restart()
        if self._auto:
            self._choose(info)
        self.engine.restart()
        self.engine.still, self.engine.level = False, 0
        self.batch = self._batch(info)
        governed = info.live and self.engine.levels > 1
        self._governor = Governor(1 / float(info.rate or choice.USUAL_RATE), self.engine.levels) if governed else None
        self._program(ProgramSpec(info.width, info.height, self.batch, info.format, self._target))
        return replace(info, format=self._target)

    def enhance(self, frames: Sequence[Frame]) -> list[Frame]:
        """Enhances frames of a prepared stream, in order, at most `batch` at a time."""
        made: list[Frame] = []
        began = perf_counter()
        for _, group in groupby(frames, key=lambda frame: (frame.width, frame.height, frame.format)):
            alike = list(group)
            exposures = [self._exposer.next(frame) for frame in alike]
            made += self._run(alike, exposures, self._target, self.batch)
        if self._governor is not None and frames:
            took = (perf_counter() - began) / len(frames)
            self.engine.level = self._governor.note(began - (frames[-1].captured_at or began), took)
        return made

    def look(self, frame: Frame) -> None:
        """Lets the meter see the next frame of a prepared stream, which an earlier run has enhanced."""
        self._exposer.next(frame)

    def describe(self) -> dict[str, Any]:
        """Engine, device and precision by name, and frames at a time."""
        about: dict[str, Any] = {"engine": self.engine.name, "device": self.engine.device}
        about |= {"precision": self.engine.precision, "batch": self.batch}
        return about | {"governor": self._governor.describe() if self._governor else None}

    def _batch(self, info: StreamInfo | None) -> int:
        """Frames at a time: a live one waits for no other, and on a CPU one or a pair fills the cores already."""
        if isinstance(self._wish, int):
            return self._wish
        if info is not None and info.live:
            return 1
        if self.engine.device == "cpu":
            return self.engine.together
        if info is None or not self.engine.fills:
            return choice.USUAL_BATCH
        job = ProgramSpec(info.width, info.height, 1, info.format, self._target)
        return choice.batch(self.engine, self._program, job, info.frames)

    def _engine(self, name: str) -> Engine:
        if name not in self._engines:
            self._engines[name] = create(name, self.weights, *self._options)
        return self._engines[name]

    def _choose(self, info: StreamInfo) -> None:
        """What ``auto`` means here: exact where it keeps up, or for a single picture; else fast, which says so."""
        if "fast" not in self._engines:
            return
        self.engine = self._engine("fast")
        if info.frames != 1:
            make = partial(self._engine, "exact")
            seconds = choice.seconds_a_frame(make, self.weights, self.engine, info)
            if not choice.sustains(seconds, info):
                info.diagnostics.note(choice.sentence(seconds, info))
                return
        self.engine = self._engine("exact")

    def _run(
        self, frames: list[Frame], exposures: list[tuple[float, float]], target: PixelFormat, size: int
    ) -> list[Frame]:
        program = self._program(ProgramSpec(frames[0].width, frames[0].height, size, frames[0].format, target))
        # A last, smaller batch is filled up with its own last frame: another shape would compile again.
        missing = size - len(frames) if self.engine.fills else 0
        filled = frames + frames[-1:] * missing
        planes = tuple(zip(*(frame.planes for frame in filled)))
        metered = np.array(exposures + exposures[-1:] * missing, np.float32)
        made = program(planes, self.strength, metered)
        return [frame.with_planes(tuple(p[i] for p in made), target) for i, frame in enumerate(frames)]

    def _program(self, job: ProgramSpec) -> Program:
        key = (self.engine.name, job)
        if key not in self._programs:
            self._programs[key] = self.engine.program(job)
        return self._programs[key]


def _encodable(info: StreamInfo) -> PixelFormat:
    """What the sink wishes, or 8-bit 4:2:0 in the source's matrix and range: what every player takes."""
    if info.wish is not None:
        return info.wish
    if info.format.model == "rgb":
        return PixelFormat("yuv", 8, (2, 2), "bt709" if info.height >= 720 else "bt601", full_range=False)
    return replace(info.format, model="yuv", bits=8, chroma=(2, 2))
