"""A camera and its codec: sensor noise, 8-bit YUV 4:2:0, and real H.264, HEVC and MJPEG.

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
from realtime.media.libav import av

Floats = npt.NDArray[Any]
Bytes = npt.NDArray[Any]
Codec = Literal["h264", "hevc", "mjpeg"]
Decoding = Literal["repeated", "smooth", "swscale"]

ENCODERS: dict[Codec, str] = {"h264": "libx264", "hevc": "libx265", "mjpeg": "mjpeg"}


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


def to_yuv(rgb: Floats, matrix: Matrix = "bt709", full_range: bool = False) -> Bytes:
    """RGB to planar YUV 4:2:0, uint8 (H * 3 / 2, W), rounded without bias."""
    red, blue = LUMA_WEIGHTS[matrix]
    luma = red * rgb[..., 0] + (1 - red - blue) * rgb[..., 1] + blue * rgb[..., 2]
    half = (rgb.shape[1] // 2, rgb.shape[0] // 2)
    cb, cr = (
        cv2.resize((rgb[..., channel] - luma) / (2 - 2 * weight), half, interpolation=cv2.INTER_AREA)
        for channel, weight in ((2, blue), (0, red))
    )
    black, span, middle, reach = sample_scale(8, full_range)
    planes = np.concatenate([p.ravel() for p in (black + span * luma, middle + reach * cb, middle + reach * cr)])
    return np.clip(np.rint(planes), 0, 255).astype(np.uint8).reshape(-1, rgb.shape[1])


def to_rgb(yuv: Bytes, matrix: Matrix = "bt709", full_range: bool = False, smooth: bool = False) -> Floats:
    """The inverse of `to_yuv`, in float, so that nothing is lost in the dark. Chroma is repeated, or interpolated."""
    interpolation = cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST
    red, blue = LUMA_WEIGHTS[matrix]
    height, width = yuv.shape[0] * 2 // 3, yuv.shape[1]
    flat, size = yuv.ravel().astype(np.float32), height * width
    black, span, middle, reach = sample_scale(8, full_range)
    luma = (flat[:size].reshape(height, width) - black) / span
    cb, cr = (
        cv2.resize(plane.reshape(height // 2, width // 2), (width, height), interpolation=interpolation)
        for plane in (flat[size:].reshape(2, -1) - middle) / reach
    )
    r, b = luma + (2 - 2 * red) * cr, luma + (2 - 2 * blue) * cb
    g = (luma - red * r - blue * b) / (1 - red - blue)
    return np.clip(np.stack([r, g, b], axis=-1), 0, 1).astype(np.float32)


def simulate_codec(
    pictures: Sequence[Floats],
    codec: Codec = "h264",
    quality: int = 23,
    matrix: Matrix = "bt709",
    preset: str = "veryfast",
    decoding: Decoding = "repeated",
) -> list[Floats]:
    """Encodes the pictures as a clip and decodes it again.

    - `quality`: the CRF of H.264 and HEVC (18 fine, 34 coarse), the quantiser of MJPEG (2..31).
    - `decoding`: how it becomes RGB. ``repeated`` and ``smooth`` say what becomes of chroma, in float; ``swscale`` is
      8 bits by swscale's defaults, as most programs do it, with their bias of about -1 level in the dark.
    """
    height, width = pictures[0].shape[:2]
    full_range = codec == "mjpeg"
    encoder = av.CodecContext.create(ENCODERS[codec], "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p" if full_range else "yuv420p"
    encoder.framerate, encoder.time_base = Fraction(25), Fraction(1, 25)
    encoder.thread_count = 1
    if codec == "mjpeg":
        encoder.options = {"qmin": str(quality), "qmax": str(quality)}
    else:
        one_thread = {"x265-params": "log-level=none:pools=none:frame-threads=1"} if codec == "hevc" else {}
        encoder.options = {"crf": str(quality), "preset": preset, **one_thread}
    decoder = av.CodecContext.create(codec, "r")
    decoder.thread_count = 1
    packets = []
    for index, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(to_yuv(picture, matrix, full_range), format=encoder.pix_fmt)
        frame.pts = index
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    frames = [frame for packet in packets for frame in decoder.decode(packet)] + decoder.decode(None)
    if decoding == "swscale":
        return [frame.to_ndarray(format="rgb24").astype(np.float32) / 255 for frame in frames]
    return [to_rgb(frame.to_ndarray(), matrix, full_range, decoding == "smooth") for frame in frames]
