"""Decoded pictures as planes, without touching a sample where the decoder's format allows it."""

from __future__ import annotations

import numpy as np

from realtime.frame import RGB, Matrix, PixelFormat, Samples
from realtime.media import av

#: Decoder formats that are taken as they are: model, bits and chroma sharing.
PLANAR: dict[str, tuple[str, int, tuple[int, int]]] = {
    "gray": ("grey", 8, (1, 1)),
    "gray10le": ("grey", 10, (1, 1)),
    **{f"yuv{j}420p": ("yuv", 8, (2, 2)) for j in ("", "j")},
    **{f"yuv{j}422p": ("yuv", 8, (2, 1)) for j in ("", "j")},
    **{f"yuv{j}444p": ("yuv", 8, (1, 1)) for j in ("", "j")},
    "yuv420p10le": ("yuv", 10, (2, 2)),
    "yuv422p10le": ("yuv", 10, (2, 1)),
    "yuv444p10le": ("yuv", 10, (1, 1)),
    "yuv420p12le": ("yuv", 12, (2, 2)),
}
#: Formats that differ from a planar one only in where the samples lie, so that a conversion changes none.
REORDERED = {"nv12": "yuv420p", "nv21": "yuv420p", "yuyv422": "yuv422p", "uyvy422": "yuv422p"}
#: ISO/IEC 23091-2 matrix coefficients. 2 is unspecified; anything else goes through RGB.
MATRICES: dict[int, Matrix] = {1: "bt709", 4: "bt601", 5: "bt601", 6: "bt601", 9: "bt2020", 10: "bt2020"}
UNSPECIFIED = 2
FULL_RANGE = 2


def pixel_format(name: str, matrix: int, color_range: int, width: int, height: int) -> PixelFormat:
    """What the planes of a decoded frame with these tags mean, after `planes` has had them.

    Untagged material is read as players do: BT.709 from 720 lines or 1280 columns, below that BT.601; limited range.
    """
    kind = PLANAR.get(REORDERED.get(name, name))
    if kind is None or (matrix not in MATRICES and matrix != UNSPECIFIED):
        return RGB
    guess: Matrix = "bt709" if height >= 720 or width >= 1280 else "bt601"
    model, bits, chroma = kind
    full = color_range == FULL_RANGE or name.startswith("yuvj")
    return PixelFormat(model, bits, chroma, MATRICES.get(matrix, guess), full)  # type: ignore[arg-type]


def planes(frame: av.VideoFrame, format: PixelFormat) -> tuple[Samples, ...]:
    """The samples of a decoded frame as `format` lays them out; views of the decoder's memory where possible."""
    if format == RGB:
        return (frame.to_ndarray(format="rgb24"),)
    if frame.format.name in REORDERED:
        frame = frame.reformat(format=REORDERED[frame.format.name])
    shapes = format.shapes(frame.width, frame.height)
    return tuple(_view(plane, shape, format) for plane, shape in zip(frame.planes, shapes))


def _view(plane: av.video.plane.VideoPlane, shape: tuple[int, ...], format: PixelFormat) -> Samples:
    samples = np.frombuffer(plane, format.dtype)
    stride = plane.line_size // samples.itemsize
    return samples[: stride * shape[0]].reshape(shape[0], stride)[:, : shape[1]]
