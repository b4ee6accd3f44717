"""A source of your own: a lamp that moves through the dark, enhanced into a video file.

python examples/own_source.py [OUTPUT.mp4]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from fractions import Fraction

import numpy as np

import realtime

WIDTH, HEIGHT, RATE = 320, 180, 25


class MovingLamp(realtime.Source):
    """`count` RGB frames of a dim lamp that crosses the picture. A source needs `info` and `frames`."""

    def __init__(self, count: int = 50) -> None:
        self.info = realtime.StreamInfo(
            WIDTH, HEIGHT, time_base=Fraction(1, RATE), rate=Fraction(RATE), frames=count, name="moving lamp"
        )
        self._count = count

    def frames(self) -> Iterator[realtime.Frame]:
        y, x = np.mgrid[:HEIGHT, :WIDTH]
        noise = np.random.default_rng(0)
        for index in range(self._count):
            distance = np.hypot(x - WIDTH * index / self._count, y - HEIGHT / 2)
            light = 4 + 40 * np.exp(-distance / 30)  # levels of 255: hardly visible
            picture = light[..., None] * (1.0, 0.9, 0.7) + noise.normal(0, 1.5, (HEIGHT, WIDTH, 3))
            yield realtime.Frame((picture.clip(0, 255).astype(np.uint8),), pts=index, time_base=self.info.time_base)


if __name__ == "__main__":
    output = sys.argv[1] if len(sys.argv) > 1 else "moving_lamp.mp4"
    report = realtime.run(MovingLamp(), realtime.Enhancer(engine="fast"), realtime.open_sink(output, overwrite=True))
    print(f"{output}: {report.frames} frames by the engine {report.engine}")
