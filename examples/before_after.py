"""Before and after with matplotlib, cell by cell as in a notebook.

python examples/before_after.py [INPUT] [OUTPUT.png]    # needs the extra 'train', which brings matplotlib
"""

# %% A sink that keeps the frames
from __future__ import annotations

import sys
from pathlib import Path

import matplotlib
import numpy as np

import realtime

matplotlib.use("Agg")  # leave this line out in a notebook
from matplotlib import pyplot as plt


class Keep(realtime.Sink):
    """Keeps every `step`-th frame as RGB (H, W, 3) uint8."""

    def __init__(self, step: int) -> None:
        self._step, self._seen = step, 0
        self.pictures: list[np.ndarray] = []

    def write(self, frame: realtime.Frame) -> None:
        if self._seen % self._step == 0:
            self.pictures.append(frame.planes[0])
        self._seen += 1


def pictures(path: str | Path, processor: realtime.Processor) -> list[np.ndarray]:
    sink = Keep(step=20)
    realtime.run(realtime.open_source(path), processor, sink)
    return sink.pictures


# %% The clip as it is, and enhanced
SAMPLE = Path(__file__).resolve().parents[1] / "samples" / "night_drive.mp4"
clip = sys.argv[1] if len(sys.argv) > 1 else SAMPLE
output = sys.argv[2] if len(sys.argv) > 2 else "before_after.png"
before = pictures(clip, realtime.PerFrame(lambda frame: frame, "none"))
after = pictures(clip, realtime.Enhancer(engine="fast"))

# %% Side by side, with the share of pixels at each level
figure, axes = plt.subplots(len(before), 3, figsize=(12, 2.4 * len(before)), squeeze=False)
for row, (dark, bright) in zip(axes, zip(before, after)):
    for axis, title, picture in zip(row, ("original", "enhanced"), (dark, bright)):
        axis.imshow(picture)
        axis.set_title(title)
        axis.axis("off")
    for picture, label in ((dark, "original"), (bright, "enhanced")):
        row[2].hist(
            picture.ravel(), bins=64, range=(0, 255), density=True, histtype="stepfilled", alpha=0.6, label=label
        )
    row[2].set(xlabel="level", yticks=[])
    row[2].legend()
figure.tight_layout()
figure.savefig(output)
print(f"{output}: {len(before)} frames before and after")
