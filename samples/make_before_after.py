"""Makes ``before_after.jpg``, the README's picture: a frame of the sample as it is, and as the bundled weights show it.

Run it from the project's root, with the package installed: ``python samples/make_before_after.py``.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

import realtime

FOLDER = Path(__file__).parent
#: Where the oncoming car, the pedestrian and the crossing are in sight, in seconds of the clip.
SECONDS = 2.4
#: Seconds before that, in which exposure and memory settle.
SETTLING = 1.2
#: White between the two pictures, in pixels.
GAP = 6


class LastFrame(realtime.Sink):
    """Remembers the picture of the last frame, uint8 RGB (H, W, 3)."""

    def __init__(self) -> None:
        self.picture = np.empty((0, 0, 3), np.uint8)

    def write(self, frame: realtime.Frame) -> None:
        self.picture = frame.planes[0]


def last_picture(processor: realtime.Processor) -> np.ndarray:
    """The frame at `SECONDS`, uint8 RGB (H, W, 3)."""
    overrides = realtime.InputOverrides(start=SECONDS - SETTLING, duration=SETTLING + 0.1)
    sink = LastFrame()
    realtime.run(realtime.open_source(str(FOLDER / "night_drive.mp4"), overrides), processor, sink)
    return sink.picture


def main() -> None:
    before = last_picture(realtime.PerFrame(lambda frame: frame))
    after = last_picture(realtime.Enhancer(engine="exact"))
    gap = np.full((before.shape[0], GAP, 3), 255, np.uint8)
    both = cv2.cvtColor(np.hstack([before, gap, after]), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(FOLDER / "before_after.jpg"), both, [cv2.IMWRITE_JPEG_QUALITY, 92])


if __name__ == "__main__":
    main()
