"""Makes ``night_drive.webp``, the README's animation: the sample as it is on the left of a moving line, enhanced on the
right. Run it from anywhere, with the package installed: ``python samples/make_animation.py``.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

import realtime

HERE = Path(__file__).parent
QUALITY = 80  # keeps the file well below 3 MB
LINE = 2  # pixels on either side


class Frames(realtime.Sink):
    """Keeps all frames as BGR (H, W, 3) uint8."""

    def __init__(self) -> None:
        self.pictures: list[np.ndarray] = []
        self.times: list[float] = []

    def write(self, frame: realtime.Frame) -> None:
        self.pictures.append(cv2.cvtColor(frame.planes[0], cv2.COLOR_RGB2BGR))
        self.times.append(frame.seconds)


def frames(processor: realtime.Processor) -> Frames:
    sink = Frames()
    realtime.run(realtime.open_source(HERE / "night_drive.mp4"), processor, sink)
    return sink


def main() -> None:
    before = frames(realtime.PerFrame(lambda frame: frame))
    after = frames(realtime.Enhancer(engine="exact"))
    width = before.pictures[0].shape[1]
    animation = cv2.Animation()
    pictures = []
    for index, (dark, bright) in enumerate(zip(before.pictures, after.pictures)):
        # From the right edge to the left and back, once in the clip, so that the loop has no jump.
        x = round(width * (0.5 + 0.42 * np.cos(2 * np.pi * index / len(before.pictures))))
        picture = np.hstack([dark[:, :x], bright[:, x:]])
        picture[:, x - LINE : x + LINE] = 255
        pictures.append(picture)
    animation.frames = pictures
    animation.durations = [round(1000 * (before.times[-1] - before.times[0]) / (len(pictures) - 1))] * len(pictures)
    cv2.imwriteanimation(str(HERE / "night_drive.webp"), animation, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])


if __name__ == "__main__":
    main()
