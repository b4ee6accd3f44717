"""What the tests make for themselves: media, and weights without training.

Frame number N of a clip made here is a flat gray of luma `level(N)`, so that a test can read the order of frames off
their pixels, even after an encoder had them.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from realtime.frame import PixelFormat, Samples
from realtime.media.libav import av, cv2

WIDTH, HEIGHT, COUNT = 64, 48, 8
#: The Enhancer of a test: no measurement, no meter.
QUICK: dict[str, Any] = {"engine": "exact", "precision": "float32", "device": "cpu", "exposure": "off"}


def level(index: int) -> int:
    """The luma of frame number `index`, limited range."""
    return 20 + 6 * index % 216


def index_at(luma: float) -> int:
    """The frame number behind a mean luma; the inverse of `level` up to number 35."""
    return round((luma - 20) / 6)


def clip(
    path: Path,
    width: int = WIDTH,
    height: int = HEIGHT,
    count: int = COUNT,
    *,
    rate: int = 25,
    sound: bool = False,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    times: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    transfer: int | None = None,
) -> Path:
    """Writes a clip of flat gray frames; `times` are timestamps in `time_base` where they are not regular, `transfer`
    is the tag of the transfer characteristic."""
    base = time_base or Fraction(1, rate)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options={"crf": "1"} if codec == "libx264" else {})
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        stream.codec_context.time_base = base
        if transfer is not None:
            stream.codec_context.color_trc = transfer
        audio_stream = container.add_stream("aac", rate=44100) if sound else None
        for index in range(count):
            picture = av.VideoFrame.from_ndarray(np.full((height * 3 // 2, width), 128, np.uint8), "yuv420p")
            plane = picture.planes[0]
            np.frombuffer(plane, np.uint8)[:] = level(index)
            picture = picture.reformat(format=pixels) if pixels != "yuv420p" else picture
            picture.pts, picture.time_base = times[index] if times else index, base
            container.mux(stream.encode(picture))
        if audio_stream is not None:
            wave = np.sin(np.arange(44100 * count // rate) / 44100 * 2 * np.pi * 440).astype(np.float32) / 4
            audio = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
            audio.sample_rate, audio.pts = 44100, 0
            container.mux(audio_stream.encode(audio))
            container.mux(audio_stream.encode(None))
        container.mux(stream.encode(None))
    return path


def voice_only(path: Path) -> Path:
    """A file with sound and no picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        audio = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        audio.sample_rate, audio.pts = 44100, 0
        container.mux(stream.encode(audio))
        container.mux(stream.encode(None))
    return path


def image(path: Path, width: int = WIDTH, height: int = HEIGHT, value: int = 40) -> Path:
    """A picture: a ramp from black to `value`."""
    ramp = np.linspace(0, value, width * height * 3).reshape(height, width, 3).astype(np.uint8)
    assert cv2.imwrite(str(path), ramp)
    return path


def read_image(path: Path) -> Samples:
    """The picture in a file, uint8 RGB (H, W, 3)."""
    picture = cv2.imread(str(path))
    assert picture is not None, f"{path} is no picture"
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def read_clip(path: Path) -> list[tuple[Fraction, int]]:
    """(time in seconds, frame number) of every picture of a clip that was made here, and perhaps enhanced."""
    with av.open(str(path)) as container:
        return [(frame.pts * frame.time_base, index_at(luma(frame))) for frame in container.decode(video=0)]


def luma(frame: av.VideoFrame) -> float:
    """The mean of a decoded frame's first plane, without what pads its lines."""
    lines = np.frombuffer(frame.planes[0], np.uint8).reshape(-1, frame.planes[0].line_size)
    return float(lines[: frame.height, : frame.width].mean())


def regular(count: int = COUNT, rate: int = 25, first: int = 0) -> list[tuple[Fraction, int]]:
    """What `read_clip` returns for an untouched regular clip."""
    return [(Fraction(index - first, rate), index) for index in range(first, first + count)]


def noise(width: int, height: int, count: int = 1, top: int = 60, seed: int = 0) -> Samples:
    """Dark random pictures, uint8 RGB (N, H, W, 3)."""
    return np.random.default_rng(seed).integers(0, top, (count, height, width, 3), dtype=np.uint8)


def random_planes(format: PixelFormat, width: int, height: int, seed: int = 0) -> tuple[Samples, ...]:
    """Planes of any sample values at all."""
    random = np.random.default_rng(seed)
    return tuple(random.integers(0, 1 << format.bits, s, dtype=format.dtype) for s in format.shapes(width, height))


def random_model(seed: int = 7) -> Any:
    """MBLLEN with seeded weights whose outputs for dark pictures spread over 0..1."""
    from realtime.enhance.mbllen import build
    from realtime.enhance.tensorflow_loader import tf  # noqa: F401  (first, so that it loads quietly)

    # The legacy generator: NumPy promises that its numbers never change, and goldens depend on them.
    random = np.random.RandomState(seed)
    model = build()
    for layer in model.layers:
        if not layer.get_weights():
            continue
        kernel, bias = layer.get_weights()
        transposed = "Transpose" in type(layer).__name__
        inputs = kernel.shape[0] * kernel.shape[1] * kernel.shape[3 if transposed else 2]
        drawn = random.normal(0, (2 / inputs) ** 0.5, kernel.shape)
        if layer.name == "fusion":
            drawn = np.abs(drawn)
        layer.set_weights([drawn, random.uniform(0, 0.05, bias.shape)])
    return model


def left_over(before: set[threading.Thread]) -> list[str]:
    """Names of the threads that live now and did not `before`."""
    for thread in threading.enumerate():
        if type(thread).__module__.startswith("rich."):
            thread.join(1.0)  # rich asks its thread to end and does not wait for it
    return [thread.name for thread in threading.enumerate() if thread not in before]
