"""Fine planes into the fast engine's workspace, and its result as planes of any pixel format.

Interleaved RGB has 8 bits throughout this package.
"""

from __future__ import annotations

import cv2
import numpy as np

from realtime.color import rgb_to_ycbcr, sample_scale
from realtime.enhance.engines.base import Planes, ProgramSpec
from realtime.enhance.engines.fast.output import Scale, write_chroma, write_luma
from realtime.enhance.engines.fast.pyramid import Restored, Workspace, pad_edge
from realtime.enhance.exposure.buffers import Buffers
from realtime.enhance.exposure.fine import Fine, Shorts
from realtime.frame import PixelFormat, Samples


def _from_rgb(format: PixelFormat) -> Samples:
    """The matrix (3, 4) from RGB to full-range Y, Cb, Cr, all in levels."""
    return np.column_stack([rgb_to_ycbcr(format.matrix), [0, 128, 128]])


class Reader:
    """Fine planes of frames of one size, brought onto the grid of a `Workspace`."""

    def __init__(self, spec: ProgramSpec) -> None:
        self.workspace = Workspace(spec.width, spec.height)

    def __call__(self, fine: Fine) -> tuple[Shorts, Shorts, Shorts]:
        """Luma (H, W) and chroma (H/2, W/2) on the grid: the planes themselves where they fit."""
        return self._full(fine.luma), self._half(fine.blue), self._half(fine.red)

    def _full(self, plane: Shorts) -> Shorts:
        height, width = plane.shape
        if (height, width) == (self.workspace.tall, self.workspace.wide):
            return plane
        out = self.workspace.luma()
        out[:height, :width] = plane
        return pad_edge(out, height, width)

    def _half(self, plane: Shorts | None) -> Shorts:
        """Chroma at half the size of luma; none is 0."""
        out = self.workspace.chroma()
        if plane is not None and plane.shape == out.shape:
            return plane
        if plane is None:
            out[:] = 0
            return out
        rows, columns = -(-self.workspace.height // 2), -(-self.workspace.width // 2)
        if plane.shape == (rows, columns):
            out[:rows, :columns] = plane
        else:
            cv2.resize(plane, (columns, rows), out[:rows, :columns], interpolation=cv2.INTER_AREA)
        return pad_edge(out, rows, columns)


class Writer:
    """A restored frame as planes of `spec.target`."""

    def __init__(self, spec: ProgramSpec, buffers: Buffers) -> None:
        self._target, self._width, self._height = spec.target, spec.width, spec.height
        # RGB is written through YUV of full range, so that nothing is lost.
        rgb = PixelFormat("yuv", 8, (1, 1), spec.working_format.matrix, full_range=True)
        self._format = rgb if spec.target.model == "rgb" else spec.target
        self._buffers = buffers
        from_rgb = _from_rgb(self._format)
        to_rgb = np.linalg.inv(from_rgb[:, :3])
        self._matrix = np.column_stack([to_rgb, -to_rgb @ from_rgb[:, 3]])

    def __call__(self, restored: Restored) -> Planes:
        """The planes of a frame."""
        offset, span, middle, reach = sample_scale(self._format.bits, self._format.full_range)
        bits, shapes = self._format.bits, self._format.shapes(self._width, self._height)
        samples = [self._buffers.take(shape[0], shape[1], self._format.dtype) for shape in shapes]
        lifted, gain, base, blue, red = restored
        write_luma(lifted, gain, base, Scale(offset, span, bits), samples[0], self._buffers)
        for plane, out in zip((blue, red), samples[1:]):
            grid = (lifted.shape[0] // self._format.chroma[1], lifted.shape[1] // self._format.chroma[0])
            write_chroma(plane, grid, Scale(middle, reach, bits), out, self._buffers)
        if self._target.model != "rgb":
            return tuple(samples)
        return (np.asarray(cv2.transform(cv2.merge(samples), self._matrix)),)
