"""A camera and its codec: light, sensor noise, 8-bit YUV 4:2:0, and real H.264, HEVC and MJPEG.

Pictures are float32 RGB (H, W, 3), sRGB-encoded 0..1, with even sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from realtime.color import LUMA_WEIGHTS, Matrix, sample_scale
from realtime.frame import PixelFormat, Samples
from realtime.media.libav import av

Floats = npt.NDArray[Any]
Planes = tuple[Samples, ...]
Codec = Literal["h264", "hevc", "mjpeg"]

ENCODERS: dict[Codec, str] = {"h264": "libx264", "hevc": "libx265", "mjpeg": "mjpeg"}
FRAME_RATE = 25


def linear(picture: Floats) -> Floats:
    """sRGB-encoded 0..1 to linear light 0..1 (IEC 61966-2-1)."""
    bright = np.power((np.maximum(picture, 0.04045) + 0.055) / 1.055, 2.4, dtype=np.float32)
    return np.where(picture <= 0.04045, picture / np.float32(12.92), bright).astype(np.float32)


def encoded(light: Floats) -> Floats:
    """Linear light 0..1 to sRGB-encoded 0..1 (IEC 61966-2-1)."""
    bright = 1.055 * np.power(np.maximum(light, 0.0031308), 1 / 2.4, dtype=np.float32) - 0.055
    return np.where(light <= 0.0031308, light * np.float32(12.92), bright).astype(np.float32)


def add_noise(light: Floats, shot: float, read: float, grain: float, random: np.random.Generator) -> Floats:
    """Sensor noise on linear light, of variance ``shot * light + read**2``.

    Foi et al., "Practical Poissonian-Gaussian noise modeling and fitting", TIP 2008. The noise is blurred over `grain`
    pixels, as demosaicking does; its strength stays.
    """
    noise = random.standard_normal(light.shape, np.float32)
    if grain > 0.2:
        noise = cv2.GaussianBlur(noise, (0, 0), grain)
        noise /= noise.std() + 1e-6
    return np.clip(light + noise * np.sqrt(shot * light + read * read), 0, 1).astype(np.float32)


def video_format(codec: Codec, matrix: Matrix) -> PixelFormat:
    """The format of a codec's frames: 8-bit 4:2:0, of full range for MJPEG."""
    return PixelFormat("yuv", 8, (2, 2), matrix, full_range=codec == "mjpeg")


def to_planes(rgb: Floats, format: PixelFormat) -> Planes:
    """A picture as 4:2:0 planes of 8 bits, rounded without bias."""
    red, blue = LUMA_WEIGHTS[format.matrix]
    luma = red * rgb[..., 0] + (1 - red - blue) * rgb[..., 1] + blue * rgb[..., 2]
    half = (rgb.shape[1] // 2, rgb.shape[0] // 2)
    cb, cr = (
        cv2.resize((rgb[..., channel] - luma) / (2 - 2 * weight), half, interpolation=cv2.INTER_AREA)
        for channel, weight in ((2, blue), (0, red))
    )
    black, span, middle, reach = sample_scale(8, format.full_range)
    planes = (black + span * luma, middle + reach * cb, middle + reach * cr)
    return tuple(np.clip(np.rint(plane), 0, 255).astype(np.uint8) for plane in planes)


def to_rgb(planes: Planes, format: PixelFormat) -> Floats:
    """The picture in RGB planes, or in YUV planes with chroma repeated, in float: nothing is lost in the dark."""
    if format.model == "rgb":
        return planes[0].astype(np.float32) / 255
    black, span, middle, reach = sample_scale(8, format.full_range)
    luma = (planes[0].astype(np.float32) - np.float32(black)) / np.float32(span)
    blue, red = ((plane.astype(np.float32) - np.float32(middle)) / np.float32(reach) for plane in planes[1:])
    return yuv_to_rgb(luma, blue, red, format.matrix)


def yuv_to_rgb(luma: Floats, blue: Floats, red: Floats, matrix: Matrix) -> Floats:
    """Luma in 0..1 and chroma about 0 as RGB, clipped to 0..1. Smaller chroma is repeated."""
    kr, kb = LUMA_WEIGHTS[matrix]
    size = luma.shape[::-1]
    cb, cr = (cv2.resize(plane, size, interpolation=cv2.INTER_NEAREST) for plane in (blue, red))
    r, b = luma + (2 - 2 * kr) * cr, luma + (2 - 2 * kb) * cb
    g = (luma - kr * r - kb * b) / (1 - kr - kb)
    return np.clip(np.stack([r, g, b], axis=-1), 0, 1).astype(np.float32)


def simulate_codec(
    pictures: Sequence[Floats],
    codec: Codec = "h264",
    quality: int = 23,
    matrix: Matrix = "bt709",
    preset: str = "veryfast",
) -> list[Planes]:
    """Encodes the pictures as a clip and decodes it again, to planes of `video_format`.

    `quality` is the CRF of H.264 and HEVC (18 fine, 34 coarse), the quantizer of MJPEG (2..31).
    """
    height, width = pictures[0].shape[:2]
    packets = encode(pictures, codec, quality, matrix, preset)
    decoder = av.CodecContext.create(codec, "r")
    decoder.thread_count = 1
    frames = [frame for packet in packets for frame in decoder.decode(packet)] + decoder.decode(None)
    return [_split(frame.to_ndarray(), width, height) for frame in frames]


def encode(
    pictures: Sequence[Floats],
    codec: Codec = "h264",
    quality: int = 23,
    matrix: Matrix = "bt709",
    preset: str = "veryfast",
) -> list[av.Packet]:
    """The pictures as packets of a clip; arguments as for `simulate_codec`."""
    format, pix_fmt = video_format(codec, matrix), "yuvj420p" if codec == "mjpeg" else "yuv420p"
    height, width = pictures[0].shape[:2]
    encoder = av.CodecContext.create(ENCODERS[codec], "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, pix_fmt
    encoder.framerate, encoder.time_base = Fraction(FRAME_RATE), Fraction(1, FRAME_RATE)
    encoder.thread_count = 1
    if codec == "mjpeg":
        encoder.options = {"qmin": str(quality), "qmax": str(quality)}
    else:
        one_thread = {"x265-params": "log-level=none:pools=none:frame-threads=1"} if codec == "hevc" else {}
        encoder.options = {"crf": str(quality), "preset": preset, **one_thread}
    packets: list[av.Packet] = []
    for index, picture in enumerate(pictures):
        samples = np.concatenate([plane.ravel() for plane in to_planes(picture, format)])
        frame = av.VideoFrame.from_ndarray(samples.reshape(-1, width), format=pix_fmt)
        frame.pts = index
        packets += encoder.encode(frame)
    return packets + encoder.encode(None)


def _split(samples: Samples, width: int, height: int) -> Planes:
    """Planes of 4:2:0 that lie one behind the other."""
    flat, size = samples.ravel(), width * height
    blue, red = flat[size:].reshape(2, height // 2, width // 2)
    return flat[:size].reshape(height, width), blue, red
