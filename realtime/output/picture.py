"""Frames as pictures that an encoder takes."""

from __future__ import annotations

import numpy as np

from realtime.frame import RGB, Frame
from realtime.media import av

#: swscale flags BILINEAR | ACCURATE_RND | FULL_CHR_H_INT | FULL_CHR_H_INP: its default is a level low in the dark.
ACCURATE = 0x46002


def encodable(frame: Frame, matrix: int, color_range: int) -> av.VideoFrame:
    """The frame as yuv420p of even size in that matrix and range (numeric tags), with its time."""
    if frame.format == RGB:
        even = np.pad(frame.planes[0], ((0, frame.height % 2), (0, frame.width % 2), (0, 0)), mode="edge")
        source = av.VideoFrame.from_ndarray(even, "rgb24")
        picture = source.reformat(
            format="yuv420p", dst_colorspace=matrix, dst_color_range=color_range, interpolation=ACCURATE
        )
    else:
        picture = av.VideoFrame(frame.width + frame.width % 2, frame.height + frame.height % 2, "yuv420p")
        for plane, samples in zip(picture.planes, frame.planes):
            room = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
            height, width = samples.shape
            room[:height, :width] = samples
            room[height : plane.height, :width] = samples[-1:]
            room[: plane.height, width : plane.width] = room[: plane.height, width - 1 : width]
    picture.pts, picture.time_base = frame.pts, frame.time_base
    return picture
