"""Between decoded pictures, planes of frames and pictures for an encoder, without touching a sample where possible."""

from __future__ import annotations

import numpy as np

from realtime.color import (
    ACCURATE_BICUBIC,
    ACCURATE_BILINEAR,
    CHROMA_SUBSAMPLING,
    FULL_RANGE,
    LIMITED_RANGE,
    MATRIX_OF_TAG,
    TAG_OF_MATRIX,
    UNSPECIFIED,
    guess_matrix,
)
from realtime.config import InputOverrides
from realtime.frame import RGB, Frame, Model, PixelFormat, Samples, StreamInfo
from realtime.media.libav import av

HIGH_BIT_DEPTHS = (9, 10, 12, 14, 16)
#: Decoder formats that are taken as they are: model, bits and chroma subsampling.
PLANAR: dict[str, tuple[Model, int, tuple[int, int]]] = {
    "gray": ("gray", 8, (1, 1)),
    **{f"gray{bits}le": ("gray", bits, (1, 1)) for bits in HIGH_BIT_DEPTHS},
    **{f"yuv{j}{name}p": ("yuv", 8, chroma) for j in ("", "j") for name, chroma in CHROMA_SUBSAMPLING.items()},
    **{
        f"yuv{name}p{bits}le": ("yuv", bits, chroma)
        for name, chroma in CHROMA_SUBSAMPLING.items()
        for bits in HIGH_BIT_DEPTHS
    },
}
#: Formats that differ from a planar one only in where the samples lie, so that a conversion changes none.
REORDERED = {
    **{"nv12": "yuv420p", "nv21": "yuv420p", "nv16": "yuv422p", "nv24": "yuv444p", "nv42": "yuv444p"},
    **{"yuyv422": "yuv422p", "uyvy422": "yuv422p", "yvyu422": "yuv422p"},
    **{"p010le": "yuv420p10le", "p210le": "yuv422p10le", "y210le": "yuv422p10le", "gray8a": "gray", "ya8": "gray"},
    **{f"yuva{name}p": f"yuv{name}p" for name in ("420", "422", "444")},
    **{f"{name[:-2]}be": name for name in PLANAR if name.endswith("le")},
}
SUBSAMPLING_NAMES = {chroma: name for name, chroma in CHROMA_SUBSAMPLING.items()}
#: swscale's numbers of matrices (SWS_CS_*), which are not all those of the tags.
SWSCALE_MATRIX = {"bt601": 5, "bt709": 1, "bt2020": 9}


def pixel_format(
    name: str, matrix: int, color_range: int, width: int, height: int, overrides: InputOverrides | None = None
) -> PixelFormat:
    """What the `planes` of a decoded picture with these tags mean.

    `name` is libav's pixel format, `matrix` and `color_range` its numbers. Untagged material gets `guess_matrix` and
    limited range, as in players.
    """
    overrides = overrides or InputOverrides()
    traits = PLANAR.get(REORDERED.get(name, name))
    known = matrix in MATRIX_OF_TAG or matrix == UNSPECIFIED or overrides.matrix is not None
    if traits is None or not known:
        return RGB
    full = color_range == FULL_RANGE or name.startswith("yuvj")
    return PixelFormat(
        *traits,
        matrix=overrides.matrix or MATRIX_OF_TAG.get(matrix) or guess_matrix(width, height),
        full_range=full if overrides.full_range is None else overrides.full_range,
    )


def pix_fmt_name(format: PixelFormat) -> str:
    """libav's name for planes of that format."""
    if format.model == "rgb":
        return "rgb24"
    depth = f"{format.bits}le" if format.bits > 8 else ""
    return f"gray{depth}" if format.model == "gray" else f"yuv{SUBSAMPLING_NAMES[format.chroma]}p{depth}"


def color_tags(format: PixelFormat) -> tuple[int, int]:
    """The numeric tags of matrix and range."""
    return TAG_OF_MATRIX[format.matrix], FULL_RANGE if format.full_range else LIMITED_RANGE


def planes(picture: av.VideoFrame, format: PixelFormat) -> tuple[Samples, ...]:
    """The samples of a decoded picture in the layout of `format`; views of the decoder's memory where possible."""
    if format == RGB:
        picture = picture.reformat(format="rgb24", interpolation=ACCURATE_BICUBIC)
    elif picture.format.name in REORDERED:
        picture = picture.reformat(format=REORDERED[picture.format.name])
    return _views(picture, format)


def resized(picture: av.VideoFrame, width: int, height: int) -> av.VideoFrame:
    """The decoded picture at another size, in the same pixel format."""
    return picture.reformat(width=width, height=height, interpolation=ACCURATE_BICUBIC)


def convert(frame: Frame, format: PixelFormat) -> Frame:
    """The frame in another pixel format; itself when it has that one."""
    return frame if frame.format == format else _reformatted(frame, format, frame.width, frame.height)


def fit(frame: Frame, info: StreamInfo) -> Frame:
    """The frame at the size and in the pixel format of `info`; itself when it has those."""
    if (frame.width, frame.height) == (info.width, info.height):
        return convert(frame, info.format)
    return _reformatted(frame, info.format, info.width, info.height)


def to_video_frame(frame: Frame, format: PixelFormat) -> av.VideoFrame:
    """The frame as a picture of `format` for an encoder, with its time. Its sides are made divisible as chroma demands,
    by repeating the last row or column."""
    across, down = format.chroma
    width, height = padded(frame.width, across), padded(frame.height, down)
    if frame.format == RGB and format != RGB:
        frame = _with_edge(frame, width, height)  # before chroma is computed, so that the edge has its own
    picture = _picture(convert(frame, format), width, height)
    picture.pts, picture.time_base = frame.pts, frame.time_base
    return picture


def padded(length: int, subsampling: int) -> int:
    """`length` made divisible by the number of samples that share one of chroma."""
    return length + -length % subsampling


def _reformatted(frame: Frame, format: PixelFormat, width: int, height: int) -> Frame:
    through = _with_chroma(format)
    matrix, color_range = SWSCALE_MATRIX[format.matrix], color_tags(format)[1]
    same_size = (width, height) == (frame.width, frame.height)
    picture = _picture(_with_neutral_chroma(frame), frame.width, frame.height).reformat(
        width=width,
        height=height,
        format=pix_fmt_name(through),
        dst_colorspace=matrix if through.model == "yuv" else None,
        dst_color_range=color_range,
        interpolation=ACCURATE_BILINEAR if same_size else ACCURATE_BICUBIC,
    )
    views = _views(picture, through)
    return frame.with_planes(views[:1] if format.model == "gray" else views, format)


def _picture(frame: Frame, width: int, height: int) -> av.VideoFrame:
    """The frame as a libav picture of at least its size; what is more repeats the last row and column."""
    picture = av.VideoFrame(width, height, pix_fmt_name(frame.format))
    for plane, samples in zip(picture.planes, frame.planes):
        rows, columns = samples.shape[:2]
        target = np.frombuffer(plane, frame.format.dtype).reshape(plane.height, -1)
        if samples.ndim == 3:
            target[:rows, : columns * 3] = samples.reshape(rows, -1)
            continue
        target[:rows, :columns] = samples
        target[rows:, :columns] = samples[-1:]
        target[:, columns : plane.width] = target[:, columns - 1 : columns]
    if frame.format.model != "rgb":
        picture.colorspace, picture.color_range = color_tags(frame.format)
    return picture


def _with_edge(frame: Frame, width: int, height: int) -> Frame:
    missing = ((0, height - frame.height), (0, width - frame.width), (0, 0))
    return frame.with_planes((np.pad(frame.planes[0], missing, mode="edge"),), frame.format)


def _with_chroma(format: PixelFormat) -> PixelFormat:
    """`format`, or for gray one with chroma beside it: swscale takes every gray for full range."""
    return (
        PixelFormat("yuv", format.bits, (1, 1), format.matrix, format.full_range) if format.model == "gray" else format
    )


def _with_neutral_chroma(frame: Frame) -> Frame:
    if frame.format.model != "gray":
        return frame
    neutral = np.full_like(frame.planes[0], 1 << (frame.format.bits - 1))
    return frame.with_planes((*frame.planes, neutral, neutral), _with_chroma(frame.format))


def _views(picture: av.VideoFrame, format: PixelFormat) -> tuple[Samples, ...]:
    return tuple(_view(p, s, format) for p, s in zip(picture.planes, format.shapes(picture.width, picture.height)))


def _view(plane: av.video.plane.VideoPlane, shape: tuple[int, ...], format: PixelFormat) -> Samples:
    samples = np.frombuffer(plane, format.dtype)
    rows, line = shape[0], plane.line_size // samples.itemsize
    columns = shape[1] * (shape[2] if len(shape) == 3 else 1)
    return samples[: line * rows].reshape(rows, line)[:, :columns].reshape(shape)
