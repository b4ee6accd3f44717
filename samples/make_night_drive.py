#!/usr/bin/env python3
"""Render samples/night_drive.mp4: five seconds of an underexposed night drive with sound, all of it procedural."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from night_light import MEET, ONCOMING, SPEED, exposure
from night_street import SEED, F, H, W
from numpy.typing import NDArray

FPS, SECONDS, RATE = 12, 5, 48000  # frames/s, s, samples/s
CLEAN_GAIN, DARK_GAIN = 1.9, 0.18  # exposure
FULL_WELL, READ_NOISE = 6000.0, 3.0  # electrons
CRF = "22"


def expose(light: F, i: int, clean: bool) -> NDArray[np.uint8]:
    """8-bit R'G'B' of frame i: well exposed and noiseless, or as an underexposed small sensor delivers it."""
    light = np.maximum(light, 0)
    if clean:
        seen = 1 - np.exp(-CLEAN_GAIN * light)
    else:  # noise belongs before the transfer curve, whose steep foot is what makes it show in the shadows
        rng = np.random.default_rng((SEED, 2, i))
        electrons = rng.poisson(np.minimum(DARK_GAIN * light, 1.2) * FULL_WELL) + rng.normal(0, READ_NOISE, light.shape)
        seen = np.clip(electrons / FULL_WELL, 0, 1)
    curve = np.where(seen < 0.018, 4.5 * seen, 1.099 * np.maximum(seen, 0.018) ** 0.45 - 0.099)  # BT.709
    out: NDArray[np.uint8] = np.round(255 * curve).astype(np.uint8)
    return out


def to_yuv420(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """BT.709 limited-range planes stacked as PyAV's yuv420p; chroma sited left, as H.264 assumes."""
    r, g, b = np.moveaxis(rgb / 255.0, 2, 0)
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    planes = [(16 + 219 * y).ravel()]
    for c in ((b - y) / 1.8556, (r - y) / 1.5748):
        pair = np.pad((c[0::2] + c[1::2]) / 2, ((0, 0), (1, 1)), mode="edge")
        planes.append((128 + 224 * (0.25 * pair[:, :-2] + 0.5 * pair[:, 1:-1] + 0.25 * pair[:, 2:])[:, ::2]).ravel())
    out: NDArray[np.uint8] = np.round(np.concatenate(planes)).astype(np.uint8).reshape(H * 3 // 2, W)
    return out


def picture(i: int, clean: bool) -> NDArray[np.uint8]:
    """Frame i, ready for the encoder."""
    return to_yuv420(expose(exposure(i / FPS), i, clean))


def sound() -> F:
    """Stereo samples (2, n) in -1..1: engine with a gear change, tyres and wind, and the oncoming car passing."""
    n, rng = RATE * SECONDS, np.random.default_rng((SEED, 3))
    t = np.arange(n) / RATE
    hz = np.fft.rfftfreq(n, 1 / RATE)

    def rush(low: float, high: float) -> NDArray[np.float64]:
        band = np.fft.rfft(rng.standard_normal(n)) / (1 + (hz / high) ** 2) * (hz / (hz + low))
        wave = np.fft.irfft(band, n)
        out: NDArray[np.float64] = wave / wave.std()
        return out

    revs = np.interp(t, [0, 1.9, 2.15, 2.4, 5], [1700, 2650, 1500, 1800, 2500]) + 12 * rush(0.1, 4)  # per minute
    turn = 2 * np.pi * np.cumsum(revs / 60) / RATE
    pull = np.interp(t, [0, 1.85, 1.95, 2.35, 2.5, 5], [1, 1, 0.45, 0.45, 1, 0.9])
    orders = ((1, 0.25), (2, 1.0), (3, 0.2), (4, 0.5), (6, 0.28), (8, 0.14))  # of the crankshaft
    engine = sum(a * np.sin(k * turn + k * k) for k, a in orders)
    own = [0.07 * pull * engine + 0.05 * rush(60, 500) + 0.006 * rush(500, 3000) for _ in range(2)]
    away = np.hypot((ONCOMING - SPEED) * (t - MEET), 3.3)  # m
    heard = t - away / 343.0  # when the sound arriving now was made: this is the Doppler shift
    hum = sum(a * np.sin(2 * np.pi * 82 * k * heard) for k, a in ((1, 1.0), (2, 0.6), (3, 0.4), (5, 0.2)))
    passing = (0.35 * hum + 0.8 * np.interp(heard, t, rush(150, 1300))) * 0.75 / away
    left = 0.5 + 0.4 * 3.3 / away
    mix = np.stack([own[0] + passing * np.sqrt(left), own[1] + passing * np.sqrt(1 - left)])
    fade = np.clip(np.minimum(t, SECONDS - t) / 0.05, 0, 1)
    out: F = np.tanh(1.4 * mix * fade).astype(np.float32)
    return out


def sound_frames() -> Iterator[av.AudioFrame]:
    """Yield the sound in frames of 1024 samples, the last one shorter so that sound and picture end together."""
    samples = sound()
    for k in range(0, samples.shape[1], 1024):
        block = np.ascontiguousarray(samples[:, k : k + 1024])
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, k, Fraction(1, RATE)
        yield frame


def encode(path: Path, clean: bool) -> None:
    """Render every frame and write the MP4; it appears under its name only once it is complete."""
    part = path.with_name(path.name + ".part")
    with ProcessPoolExecutor() as pool, av.open(str(part), "w", format="mp4", options={"fflags": "+bitexact"}) as out:
        # One encoder thread: x264's choices depend on the number of threads, and that on the machine.
        options = {"crf": CRF, "preset": "slow", "threads": "1", "aq-mode": "3"}
        video = out.add_stream("libx264", rate=FPS, options=options)
        video.width, video.height, video.pix_fmt = W, H, "yuv420p"
        context = video.codec_context
        context.time_base = Fraction(1, FPS)
        context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709
        context.color_range = 1  # limited
        audio = out.add_stream("aac", rate=RATE, layout="stereo", bit_rate=80_000)
        out.mux([p for f in [*sound_frames(), None] for p in audio.encode(f)])
        for i, planes in enumerate(pool.map(picture, range(FPS * SECONDS), [clean] * FPS * SECONDS)):
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts, frame.time_base = i, Fraction(1, FPS)
            frame.colorspace, frame.color_range = 1, 1
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
    os.replace(part, path)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Render the night drive sample.")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("night_drive.mp4"), help="file to write")
    parser.add_argument("--clean", action="store_true", help="well exposed and free of noise instead")
    args = parser.parse_args()
    encode(args.out, args.clean)


if __name__ == "__main__":
    main()
