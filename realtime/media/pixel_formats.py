"""Decoded pictures as planes, without touching a sample where the decoder's format allows it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from realtime.frame import RGB, Matrix, Model, PixelFormat, Samples
from realtime.media.libav import av

#: How chroma is shared, by the name that libav gives it.
SHARED = {"410": (4, 4), "411": (4, 1), "420": (2, 2), "422": (2, 1), "440": (1, 2), "444": (1, 1)}
DEEP = (9, 10, 12, 14, 16)
#: Decoder formats that are taken as they are: model, bits and chroma sharing.
PLANAR: dict[str, tuple[Model, int, tuple[int, int]]] = {
    "gray": ("gray", 8, (1, 1)),
    **{f"gray{bits}le": ("gray", bits, (1, 1)) for bits in DEEP},
    **{f"yuv{j}{name}p": ("yuv", 8, chroma) for j in ("", "j") for name, chroma in SHARED.items()},
    **{f"yuv{name}p{bits}le": ("yuv", bits, chroma) for name, chroma in SHARED.items() for bits in DEEP},
}
#: Formats that differ from a planar one only in where the samples lie, so that a conversion changes none.
REORDERED = {
    **{"nv12": "yuv420p", "nv21": "yuv420p", "nv16": "yuv422p", "nv24": "yuv444p", "nv42": "yuv444p"},
    **{"yuyv422": "yuv422p", "uyvy422": "yuv422p", "yvyu422": "yuv422p"},
    **{"p010le": "yuv420p10le", "p210le": "yuv422p10le", "y210le": "yuv422p10le", "gray8a": "gray", "ya8": "gray"},
    **{f"yuva{name}p": f"yuv{name}p" for name in ("420", "422", "444")},
    **{f"{name[:-2]}be": name for name in PLANAR if name.endswith("le")},
}
#: ISO/IEC 23091-2 matrix coefficients. 2 is unspecified; anything else goes through RGB.
MATRICES: dict[int, Matrix] = {1: "bt709", 4: "bt601", 5: "bt601", 6: "bt601", 9: "bt2020", 10: "bt2020"}
UNSPECIFIED = 2
FULL_RANGE = 2
#: swscale flags BICUBIC | ACCURATE_RND | FULL_CHR_H_INT | FULL_CHR_H_INP: its default is a level low in the dark.
ACCURATE = 0x46004


@dataclass(frozen=True)
class InputOverrides:
    """What the user says about an input against its tags: `matrix`, `full_range` (None: as tagged, or guessed), and
    `hdr`: True takes PQ and HLG as they are, without tone mapping."""

    matrix: Matrix | None = None
    full_range: bool | None = None
    hdr: bool = False


def pixel_format(
    name: str, matrix: int, color_range: int, width: int, height: int, reading: InputOverrides | None = None
) -> PixelFormat:
    """What the planes of a decoded frame with these tags mean, after `planes` has had them.

    Untagged material is read as players do: BT.709 from 720 lines or 1280 columns, below that BT.601; limited range.
    """
    reading = reading or InputOverrides()
    kind = PLANAR.get(REORDERED.get(name, name))
    if kind is None or (matrix not in MATRICES and matrix != UNSPECIFIED and reading.matrix is None):
        return RGB
    guess: Matrix = "bt709" if height >= 720 or width >= 1280 else "bt601"
    model, bits, chroma = kind
    full = color_range == FULL_RANGE or name.startswith("yuvj")
    return PixelFormat(
        model,
        bits,
        chroma,
        reading.matrix or MATRICES.get(matrix, guess),
        full if reading.full_range is None else reading.full_range,
    )


def planes(frame: av.VideoFrame, format: PixelFormat) -> tuple[Samples, ...]:
    """The samples of a decoded frame as `format` lays them out; views of the decoder's memory where possible."""
    if format == RGB:
        rgb = frame.reformat(format="rgb24", interpolation=ACCURATE)
        return (_view(rgb.planes[0], (frame.height, frame.width * 3), format).reshape(frame.height, frame.width, 3),)
    if frame.format.name in REORDERED:
        frame = frame.reformat(format=REORDERED[frame.format.name])
    shapes = format.shapes(frame.width, frame.height)
    return tuple(_view(plane, shape, format) for plane, shape in zip(frame.planes, shapes))


def resized(frame: av.VideoFrame, width: int, height: int) -> av.VideoFrame:
    """The picture's samples at another size, in the same format."""
    return frame.reformat(width=width, height=height, interpolation=ACCURATE)


def _view(plane: av.video.plane.VideoPlane, shape: tuple[int, ...], format: PixelFormat) -> Samples:
    samples = np.frombuffer(plane, format.dtype)
    stride = plane.line_size // samples.itemsize
    return samples[: stride * shape[0]].reshape(shape[0], stride)[:, : shape[1]]
