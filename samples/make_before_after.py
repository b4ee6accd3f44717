"""Makes ``before_after.jpg``, the README's picture: a frame of the sample as it is, and as the bundled weights show it.

Run it from the project's root, with the package installed: ``python samples/make_before_after.py``.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

import realtime

HERE = Path(__file__).parent
#: Where the oncoming car, the pedestrian and the crossing are in sight, in seconds.
MOMENT = 2.4
GAP = 6


class Last(realtime.Sink):
    """Keeps the last frame."""

    def write(self, frame: realtime.Frame) -> None:
        self.picture = frame.planes[0]


def shown(strength: float) -> np.ndarray:  # uint8 RGB (H, W, 3)
    """The frame at `MOMENT`, after the meter has seen a few before it."""
    source = realtime.open_source(HERE / "night_drive.mp4", start=MOMENT - 0.3, duration=0.4)
    sink = Last()
    realtime.run(source, realtime.Enhancer(engine="exact", strength=strength), sink)
    return sink.picture


if __name__ == "__main__":
    before, after = shown(0.0), shown(1.0)
    gap = np.full((before.shape[0], GAP, 3), 255, np.uint8)
    both = np.hstack([before, gap, after])
    cv2.imwrite(str(HERE / "before_after.jpg"), cv2.cvtColor(both, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])
