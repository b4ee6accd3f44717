"""Frames as pictures that an encoder takes."""

from __future__ import annotations

import numpy as np

from realtime.frame import RGB, Frame, PixelFormat
from realtime.media.encode import name_of
from realtime.media.libav import av

#: swscale flags BILINEAR | ACCURATE_RND | FULL_CHR_H_INT | FULL_CHR_H_INP: its default is a level low in the dark.
ACCURATE = 0x46002
#: Numeric tags, ISO/IEC 23091-2, and libav's for range.
MATRIX_TAGS = {"bt601": 6, "bt709": 1, "bt2020": 9}
LIMITED, FULL = 1, 2


def tags_of(format: PixelFormat) -> tuple[int, int]:
    """Matrix and range as numbers."""
    return MATRIX_TAGS[format.matrix], FULL if format.full_range else LIMITED


def padded(length: int, shared: int) -> int:
    """`length` made divisible by the number of samples that share one of chroma."""
    return length + -length % shared


def encodable(frame: Frame, format: PixelFormat) -> av.VideoFrame:
    """The frame as a picture of `format` with its time; its sides are made divisible as chroma demands."""
    across, down = format.chroma
    width, height = padded(frame.width, across), padded(frame.height, down)
    matrix, color_range = tags_of(format)
    if frame.format == RGB:
        missing = ((0, height - frame.height), (0, width - frame.width), (0, 0))
        source = av.VideoFrame.from_ndarray(np.pad(frame.planes[0], missing, mode="edge"), "rgb24")
        picture = source.reformat(
            format=name_of(format), dst_colorspace=matrix, dst_color_range=color_range, interpolation=ACCURATE
        )
    else:
        picture = av.VideoFrame(width, height, name_of(format))
        for plane, samples in zip(picture.planes, frame.planes):
            room = np.frombuffer(plane, format.dtype).reshape(plane.height, -1)
            tall, wide = samples.shape
            room[:tall, :wide] = samples
            room[tall:, :wide] = samples[-1:]
            room[:, wide : plane.width] = room[:, wide - 1 : wide]
        picture.colorspace, picture.color_range = matrix, color_range
    picture.pts, picture.time_base = frame.pts, frame.time_base
    return picture
