"""What the tests make for themselves: media, weights without training, and pipeline parts that do as they are told.

Frame number N of a clip made here is a flat gray of luma `level(N)`, so that a test can read the order of frames off
their pixels, even after an encoder had them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from realtime.frame import RGB, Frame, PixelFormat, Samples, StreamInfo
from realtime.media.libav import av, cv2
from realtime.sinks.base import Sink
from realtime.sources.base import Source

if TYPE_CHECKING:
    from realtime.enhance.enhancer import Enhancer

WIDTH, HEIGHT, COUNT = 64, 48, 8
#: The Enhancer of a test: no measurement, no meter.
QUICK: dict[str, Any] = {"engine": "exact", "precision": "float32", "device": "cpu", "exposure": "off"}


def level(place: int) -> int:
    """The luma of frame number `place`, limited range."""
    return 20 + 6 * place % 216


def place_of(luma: float) -> int:
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
) -> Path:
    """Writes a clip of flat gray frames; `times` are timestamps in `time_base` where they are not regular."""
    base = time_base or Fraction(1, rate)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options={"crf": "1"} if codec == "libx264" else {})
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        stream.codec_context.time_base = base
        voice = container.add_stream("aac", rate=44100) if sound else None
        for place in range(count):
            picture = av.VideoFrame.from_ndarray(np.full((height * 3 // 2, width), 128, np.uint8), "yuv420p")
            plane = picture.planes[0]
            np.frombuffer(plane, np.uint8)[:] = level(place)
            picture = picture.reformat(format=pixels) if pixels != "yuv420p" else picture
            picture.pts, picture.time_base = times[place] if times else place, base
            container.mux(stream.encode(picture))
        if voice is not None:
            wave = np.sin(np.arange(44100 * count // rate) / 44100 * 2 * np.pi * 440).astype(np.float32) / 4
            audio = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
            audio.sample_rate, audio.pts = 44100, 0
            container.mux(voice.encode(audio))
            container.mux(voice.encode(None))
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
        return [(frame.pts * frame.time_base, place_of(luma(frame))) for frame in container.decode(video=0)]


def luma(frame: av.VideoFrame) -> float:
    """The mean of a decoded frame's first plane, without what pads its lines."""
    lines = np.frombuffer(frame.planes[0], np.uint8).reshape(-1, frame.planes[0].line_size)
    return float(lines[: frame.height, : frame.width].mean())


def regular(count: int = COUNT, rate: int = 25, first: int = 0) -> list[tuple[Fraction, int]]:
    """What `read_clip` answers for an untouched regular clip."""
    return [(Fraction(place - first, rate), place) for place in range(first, first + count)]


def noise(width: int, height: int, count: int = 1, top: int = 60, seed: int = 0) -> Samples:
    """Dark random pictures, uint8 RGB (N, H, W, 3)."""
    return np.random.default_rng(seed).integers(0, top, (count, height, width, 3), dtype=np.uint8)


def random_planes(format: PixelFormat, width: int, height: int, seed: int = 0) -> tuple[Samples, ...]:
    """Planes of any sample values at all."""
    random = np.random.default_rng(seed)
    return tuple(random.integers(0, 1 << format.bits, s, dtype=format.dtype) for s in format.shapes(width, height))


def random_model(seed: int = 7) -> Any:
    """MBLLEN with seeded weights whose answers to dark pictures spread over 0..1."""
    from realtime.enhance.mbllen import build
    from realtime.enhance.tensorflow_loader import tf  # noqa: F401  (first, so that it loads quietly)

    # The old generator: its numbers are promised never to change, and goldens hang on them.
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
    return [thread.name for thread in threading.enumerate() if thread not in before]


def gray(place: int, arrived: float = 0.0) -> Frame:
    """Frame number `place` of a stream of tiny RGB pictures, one every 1/25 s."""
    picture = np.full((4, 6, 3), level(place), np.uint8)
    return Frame((picture,), pts=place, time_base=Fraction(1, 25), captured_at=arrived)


class Script(Source):
    """Delivers `count` frames; `between` is called after each of them, with its number, in the capture thread."""

    def __init__(self, count: int, live: bool = False, between: Callable[[int], None] | None = None) -> None:
        self.info = StreamInfo(6, 4, RGB, Fraction(1, 25), Fraction(25), count, live=live, name="script")
        self._count, self._between = count, between
        self.stopped = threading.Event()
        self.made = self.closed = 0

    def frames(self) -> Iterator[Frame]:
        for place in range(self._count):
            if self.stopped.is_set():
                return
            self.made += 1
            yield gray(place)
            if self._between is not None:
                self._between(place)

    def stop(self) -> None:
        self.stopped.set()

    def close(self) -> None:
        self.closed += 1


class Keep(Sink):
    """Remembers what it was given and how it ended; `each` is called with the number of every frame first."""

    def __init__(self, each: Callable[[int], None] | None = None) -> None:
        self._each = each
        self.places: list[int] = []
        self.pts: list[int] = []
        self.calls: list[str] = []
        self.threads: set[threading.Thread] = set()

    def open(self, info: StreamInfo) -> None:
        self.calls.append("open")

    def write(self, frame: Frame) -> None:
        place = place_of(float(frame.planes[0].mean()))
        if self._each is not None:
            self._each(place)
        self.places.append(place)
        self.pts.append(frame.pts)
        self.threads.add(threading.current_thread())

    def close(self) -> None:
        self.calls.append("close")

    def abort(self) -> None:
        self.calls.append("abort")


class Echo:
    """In the place of an Enhancer: answers what it is given. `each` is called with the number of every frame."""

    def __init__(self, batch: int = 2, each: Callable[[int], None] | None = None) -> None:
        self.batch = batch
        self._each = each

    def prepare(self, info: StreamInfo, rgb: bool) -> StreamInfo:
        return info

    def enhance(self, frames: Sequence[Frame]) -> list[Frame]:
        assert 1 <= len(frames) <= self.batch
        for frame in frames:
            if self._each is not None:
                self._each(place_of(float(frame.planes[0].mean())))
        return list(frames)

    def describe(self) -> dict[str, Any]:
        return {"engine": "echo", "device": "none", "precision": "exact"}


def echo(batch: int = 2, each: Callable[[int], None] | None = None) -> Enhancer:
    return cast("Enhancer", Echo(batch, each))
