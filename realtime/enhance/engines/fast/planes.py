"""Any pixel format in and out of the fast engine, whose own form is luma and half-size chroma in 16-bit integers.

Interleaved RGB has 8 bits throughout this package."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from realtime.color import LUMA_WEIGHTS, sample_scale
from realtime.enhance.engines.base import Planes, ProgramSpec
from realtime.enhance.engines.fast.pyramid import Workspace, apply_lut, pad_edge, to_samples
from realtime.enhance.engines.fast.tone_lut import Shorts, ToneLut
from realtime.frame import PixelFormat, Samples


def _working_yuv(spec: ProgramSpec) -> PixelFormat:
    """The YUV that RGB is read as or written from: the other side's colors, full range, so that nothing is lost."""
    yuv = next((f for f in (spec.source, spec.target) if f.model == "yuv"), spec.source)
    return PixelFormat("yuv", 8, (1, 1), yuv.matrix, full_range=True)


def _from_rgb(format: PixelFormat) -> Samples:
    """The matrix (3, 4) from RGB to full-range Y, Cb, Cr, all in levels."""
    kr, kb = LUMA_WEIGHTS[format.matrix]
    luma = np.array([kr, 1 - kr - kb, kb])
    blue = (np.array([0, 0, 1]) - luma) / (2 - 2 * kb)
    red = (np.array([1, 0, 0]) - luma) / (2 - 2 * kr)
    return np.column_stack([np.stack([luma, blue, red]), [0, 128, 128]])


class Reader:
    """Frames of `spec.source` as luma samples and chroma in `apply.STEPS`."""

    def __init__(self, spec: ProgramSpec) -> None:
        self._source = spec.source
        #: What `planes` answers.
        self.format = self.working_format(spec)
        self.workspace = Workspace(spec.width, spec.height, self.format.matrix)
        self._matrix = _from_rgb(self.format)

    @staticmethod
    def working_format(spec: ProgramSpec) -> PixelFormat:
        """What luma and chroma are read as."""
        return _working_yuv(spec) if spec.source.model == "rgb" else spec.source

    def planes(self, frame: Planes) -> Planes:
        """The frame's planes, or those that interleaved RGB makes."""
        if self._source.model != "rgb":
            return frame
        return tuple(cv2.split(cv2.transform(frame[0], self._matrix)))

    def chroma(self, planes: Sequence[Samples], lut: ToneLut) -> tuple[Shorts, Shorts]:
        """Cb and Cr about 0 at half size, on the canvas's grid; none are 0."""
        blue, red = self.workspace.chroma(), self.workspace.chroma()
        for plane, out in zip(planes, (blue, red)):
            if self.format.chroma == (2, 2):
                apply_lut(plane, lut.chroma, out)
            else:
                rows, columns = -(-self.workspace.height // 2), -(-self.workspace.width // 2)
                whole = apply_lut(plane, lut.chroma, np.empty(plane.shape, np.int16))
                cv2.resize(whole, (columns, rows), out[:rows, :columns], interpolation=cv2.INTER_AREA)
                pad_edge(out, rows, columns)
        if not planes:
            blue[:], red[:] = 0, 0
        return blue, red


class Writer:
    """Luma and half-size chroma in `apply.STEPS` as planes of `spec.target`."""

    def __init__(self, spec: ProgramSpec) -> None:
        self._target, self._width, self._height = spec.target, spec.width, spec.height
        self._format = _working_yuv(spec) if spec.target.model == "rgb" else spec.target
        from_rgb = _from_rgb(self._format)
        to_rgb = np.linalg.inv(from_rgb[:, :3])
        self._matrix = np.column_stack([to_rgb, -to_rgb @ from_rgb[:, 3]])

    def __call__(self, luma: Shorts, blue: Shorts, red: Shorts) -> Planes:
        offset, span, middle, reach = sample_scale(self._format.bits, self._format.full_range)
        bits = self._format.bits
        samples = [to_samples(luma[: self._height, : self._width], offset, span, bits)]
        if self._format.model != "gray":
            shape = self._format.shapes(self._width, self._height)[1]
            samples += [to_samples(self._sized(plane, shape), middle, reach, bits) for plane in (blue, red)]
        if self._target.model != "rgb":
            return tuple(samples)
        return (np.asarray(cv2.transform(cv2.merge(samples), self._matrix)),)

    def _sized(self, chroma: Shorts, shape: tuple[int, ...]) -> Shorts:
        half = chroma[: -(-self._height // 2), : -(-self._width // 2)]
        return half if half.shape == shape else np.asarray(cv2.resize(half, (shape[1], shape[0])))
