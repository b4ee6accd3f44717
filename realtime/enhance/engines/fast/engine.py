"""The fast engine: MBLLEN's restoration by a distilled student, planes to planes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from realtime.enhance.engines.base import Engine, FrameBatch, PlaneBatch, Planes, Program, ProgramSpec
from realtime.enhance.engines.fast.planes import Reader, Writer
from realtime.enhance.engines.fast.pyramid import Pyramid, unrestored
from realtime.enhance.exposure.fine import Fine, to_fine
from realtime.enhance.native import library
from realtime.enhance.weights import Weights

Floats = npt.NDArray[np.float32]

#: What may be given up, in order: seconds between two computations of the maps, and how much smaller they are. Old maps
#: still fit: they carry gains, noises and small offsets, while the base and the roughness they act on are the frame's.
LEVELS = ((0.2, 1), (0.4, 1), (0.4, 2))
#: Maps may be computed so many seconds early, so that rounded timestamps do not delay them by a frame.
TOLERANCE = 0.01
#: Of new maps, this share enters those in use where the picture stands still: less noise, hence less flicker.
BLEND_SHARE = 0.4
#: A change of the base by so many levels replaces the maps there at once; of the whole frame on average, is a cut.
MOVED_LEVELS, CUT_LEVELS = 8.0, 16.0


class FastEngine(Engine):
    """The student of the given weights, for frames of any size. Raises WeightsError when they have none.

    Loads TensorFlow for a GPU and for 16-bit numbers only.
    """

    def __init__(self, weights: Weights, device: str, precision: str) -> None:
        self.device, self.precision = device, precision
        self._student: Callable[[Floats], Floats]
        if device == "cpu" and precision == "float32":
            from realtime.enhance.engines.fast.native_student import NativeStudent
            from realtime.enhance.engines.fast.opencv_student import OpenCVStudent

            self._student = NativeStudent(weights) if library.available() else OpenCVStudent(weights)
        else:
            from realtime.enhance.engines.fast.student import TensorFlowStudent

            self._student = TensorFlowStudent(weights, device, precision)

    def program(self, spec: ProgramSpec) -> Program:
        program = _FastProgram(self, spec)
        program(spec.blank(), 1.0, program.new_state())
        return program

    def maps(self, features: Floats) -> Floats:
        """The student's maps (H/2, W/2, `MAPS`) for features (H, W, `INPUTS`), H and W even; see `student_file`."""
        return self._student(features)


class _FrameBuffers:
    """The memory that the frames of one size are computed in."""

    def __init__(self, spec: ProgramSpec) -> None:
        self._spec, self._reader = spec, Reader(spec)
        self._writer = Writer(spec, self._reader.workspace.buffers)

    def decompose(self, fine: Fine) -> Pyramid:
        return self._reader.workspace.decompose(*self._reader(fine))

    def reconstruct(self, frame: Planes, pyramid: Pyramid, maps: Floats, strength: float) -> Planes:
        enhanced = self._writer(self._reader.workspace.restore(pyramid, maps))
        if strength == 1.0:
            return enhanced
        plain = frame
        if self._spec.source != self._spec.target:
            plain = self._writer(unrestored(*self._reader(to_fine(frame, self._spec.working_format))))
        return tuple(cv2.addWeighted(p, 1 - strength, e, strength, 0) for p, e in zip(plain, enhanced))


@dataclass
class _FastState:
    """What is remembered of one stream, and the buffers it is computed in.

    - `maps`, `base`, `computed_at`: the maps in use, the base they were computed for, and their time in seconds.
    """

    buffers: _FrameBuffers
    independent: bool
    maps: Floats | None = None
    base: Any = None
    computed_at: float = 0.0


class _FastProgram:
    """The program for frames of one `ProgramSpec`."""

    def __init__(self, engine: FastEngine, spec: ProgramSpec) -> None:
        self._engine, self._spec = engine, spec

    def new_state(self, independent: bool = False) -> _FastState:
        return _FastState(_FrameBuffers(self._spec), independent)

    def __call__(self, frames: FrameBatch, strength: float, state: _FastState, level: int = 0) -> PlaneBatch:
        pictures = list(zip(*frames.planes))
        outputs = [
            state.buffers.reconstruct(picture, *analysed, strength)
            for picture, analysed in zip(pictures, self._analysed(pictures, frames, state, level))
        ]
        return tuple(zip(*outputs))

    def skip(self, frames: FrameBatch, state: _FastState, level: int = 0) -> None:
        for _ in self._analysed(list(zip(*frames.planes)), frames, state, level):
            pass

    def _analysed(
        self, pictures: list[Planes], frames: FrameBatch, state: _FastState, level: int
    ) -> Iterator[tuple[Pyramid, Floats]]:
        """The pyramid and the maps of one frame after the other."""
        fine = frames.exposed
        if fine is None:
            fine = [to_fine(picture, self._spec.working_format) for picture in pictures]
        for planes, now in zip(fine, frames.seconds.tolist()):
            pyramid = state.buffers.decompose(planes)
            yield pyramid, self._update_maps(pyramid, now, state, level)

    def _update_maps(self, pyramid: Pyramid, now: float, state: _FastState, level: int) -> Floats:
        """The maps for the frame at `now` seconds: those of the frames before, computed as often as the level says."""
        interval, smaller = LEVELS[level]
        change = None
        if state.maps is not None and not state.independent:
            change = cv2.absdiff(pyramid.eighth, state.base)
            if cv2.mean(change)[0] > CUT_LEVELS / 255:
                change = None  # a cut: what was there before does not count
            elif 0 < now - state.computed_at < interval - TOLERANCE:
                return state.maps
        maps = self._engine.maps(_reduced(pyramid.features, smaller))
        size = pyramid.eighth.shape[::-1]
        if maps.shape[1::-1] != size:
            maps = np.asarray(cv2.resize(maps, size))
        if state.maps is not None and change is not None:
            share = np.minimum(change * np.float32(255 / MOVED_LEVELS) + np.float32(BLEND_SHARE), 1)[..., None]
            maps = state.maps + share * (maps - state.maps)
        state.maps, state.base, state.computed_at = maps, pyramid.eighth, now
        return maps


def _reduced(features: Floats, smaller: int) -> Floats:
    if smaller == 1:
        return features
    height, width = (max(2, round(side / smaller / 2) * 2) for side in features.shape[:2])
    # One after the other: OpenCV resizes at most four channels by area.
    return np.dstack([cv2.resize(c, (width, height), interpolation=cv2.INTER_AREA) for c in cv2.split(features)])
