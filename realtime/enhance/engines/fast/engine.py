"""The fast engine: the meter's curve by table, MBLLEN's restoration by a distilled student, planes to planes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from realtime.enhance.engines.base import Batch, Engine, Planes, Program, ProgramSpec
from realtime.enhance.engines.fast.planes import Reader, Writer
from realtime.enhance.engines.fast.pyramid import Pyramid
from realtime.enhance.engines.fast.student import INPUTS, compile_student, load
from realtime.enhance.engines.fast.tone_lut import ToneLut, curves
from realtime.enhance.tensorflow_loader import tf
from realtime.enhance.weights import Weights
from realtime.frame import Samples

Floats = npt.NDArray[np.float32]

#: What may be given up, in order: every how many frames the maps are made anew, and how much smaller. Old maps still
#: fit: they carry gains, noises and small offsets, while the base and the roughness they act on are the frame's own.
LEVELS = ((6, 1), (12, 1), (12, 2))
#: Frames of a file taken apart, and put together, side by side: where the encoder has little to do, one thread of
#: enhancement would be what everything waits for.
TOGETHER = 2
#: A change of gain or white by less than this share moves no sample by half a level: the tables may stay.
SAME = 0.004
#: Of fresh maps, this share enters those in use where the picture stands still: less noise, hence less flicker.
SHARE = 0.4
#: A change of the base by so many levels replaces the map there at once; of the whole frame on average, is a cut.
MOVED, CUT = 8.0, 16.0


class FastEngine(Engine):
    """The student of the given weights, for frames of any size. Raises WeightsError when they have none."""

    name = "fast"
    levels = len(LEVELS)
    together, fills = TOGETHER, False

    def __init__(self, weights: Weights, device: str, precision: str, metered: bool) -> None:
        self.device, self.precision = device, precision
        student = compile_student(load(weights), tf.as_dtype(precision))
        self._student = tf.function(student, input_signature=[tf.TensorSpec((1, None, None, INPUTS), tf.float32)])
        self._programs_made: list[_FastProgram] = []

    def program(self, job: ProgramSpec) -> Program:
        restorer = _FastProgram(self, job)
        self._programs_made.append(restorer)
        restorer(*job.blank())
        restorer.forget()
        return restorer

    def restart(self) -> None:
        for restorer in self._programs_made:
            restorer.forget()

    def maps(self, seen: Floats) -> Floats:
        """The student's maps for (H, W, 4), both even: (H/2, W/2, 6)."""
        with tf.device(f"/{self.device}"):
            answer: Floats = self._student(tf.constant(seen[None]))[0].numpy()
        return answer


class _FrameBuffers:
    """What one of the frames that are worked on side by side needs for itself."""

    def __init__(self, job: ProgramSpec) -> None:
        self._job, self._reader, self._writer = job, Reader(job), Writer(job)
        self._plain = curves(self._reader.format)(1.0, 1.0)

    def decompose(self, frame: Planes, curve: ToneLut) -> Pyramid:
        self._luma, *chroma = self._reader.planes(frame)
        self._blue, self._red = self._reader.chroma(chroma, self._plain)
        return self._reader.canvas.decompose(self._luma, self._blue, self._red, curve)

    def reconstruct(self, frame: Planes, pyramid: Pyramid, maps: Floats, strength: float) -> Planes:
        made = self._writer(*self._reader.canvas.reconstruct(pyramid, maps))
        if strength == 1.0:
            return made
        if self._job.source == self._job.target:
            plain = frame
        else:
            plain = self._writer(self._reader.canvas.develop(self._luma, self._plain), self._blue, self._red)
        return tuple(cv2.addWeighted(p, 1 - strength, m, strength, 0) for p, m in zip(plain, made))


class _FastProgram:
    """The program for one kind of frames; remembers the maps of the frames before."""

    def __init__(self, engine: FastEngine, job: ProgramSpec) -> None:
        self._engine = engine
        self._slots = [_FrameBuffers(job) for _ in range(job.batch)]
        self._curves = curves(Reader.form(job))
        self._tables: tuple[tuple[float, float], ToneLut] = ((1.0, 1.0), self._curves(1.0, 1.0))
        self.forget()

    def forget(self) -> None:
        self._maps: Floats | None = None
        self._base: Any = None
        self._age = 0

    def __call__(self, planes: Batch, strength: float, exposure: Samples) -> Batch:
        frames, made = list(zip(*planes)), []
        for first in range(0, len(frames), len(self._slots)):
            some = slice(first, first + len(self._slots))
            made += self._together(frames[some], strength, exposure[some])
        return tuple(zip(*made))

    def _together(self, frames: list[Planes], strength: float, exposure: Samples) -> list[Planes]:
        slots = self._slots[: len(frames)]
        tables = [self._curve((float(gain), float(white))) for gain, white in exposure]
        pyramids = _side_by_side(_FrameBuffers.decompose, slots, frames, tables)
        maps = [self._fresh(pyramid) for pyramid in pyramids]
        return _side_by_side(_FrameBuffers.reconstruct, slots, frames, pyramids, maps, [strength] * len(frames))

    def _curve(self, exposure: tuple[float, float]) -> ToneLut:
        if any(abs(new / old - 1) > SAME for new, old in zip(exposure, self._tables[0])):
            self._tables = (exposure, self._curves(*exposure))
        return self._tables[1]

    def _fresh(self, pyramid: Pyramid) -> Floats:
        """The maps for this frame: those of the frames before, brought up to date as often as the level says."""
        if self._engine.still:
            self.forget()
        every, smaller = LEVELS[self._engine.level]
        self._age += 1
        change = None
        if self._maps is not None:
            change = cv2.absdiff(pyramid.eighth, self._base)
            if cv2.mean(change)[0] > CUT / 255:
                self.forget()
        if self._maps is not None and self._age < every:
            return self._maps
        maps = self._engine.maps(_reduced(pyramid.seen, smaller))
        size = pyramid.eighth.shape[::-1]
        if maps.shape[1::-1] != size:
            maps = np.asarray(cv2.resize(maps, size))
        if self._maps is not None:
            share = np.minimum(change * np.float32(255 / MOVED) + np.float32(SHARE), 1)[..., None]
            maps = self._maps + share * (maps - self._maps)
        self._maps, self._base, self._age = maps, pyramid.eighth, 0
        return maps


def _side_by_side(work: Callable[..., Any], *values: Sequence[Any]) -> list[Any]:
    """`map` with a thread for each value; threads that end with it cost a fifth of a millisecond, and no one an end."""
    if len(values[0]) == 1:
        return list(map(work, *values))
    with ThreadPoolExecutor(len(values[0])) as workers:
        return list(workers.map(work, *values))


def _reduced(seen: Floats, smaller: int) -> Floats:
    if smaller == 1:
        return seen
    height, width = (max(2, round(side / smaller / 2) * 2) for side in seen.shape[:2])
    return np.asarray(cv2.resize(seen, (width, height), interpolation=cv2.INTER_AREA))
