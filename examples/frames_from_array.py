"""Enhance pictures that are already in memory as a NumPy array.

python examples/frames_from_array.py
"""

from __future__ import annotations

import numpy as np

import realtime


def dark_pictures(count: int, height: int = 120, width: int = 160) -> np.ndarray:
    """(N, H, W, 3) uint8 RGB: colored stripes at a tenth of their light, with noise."""
    colors = np.array([(200, 60, 50), (60, 170, 80), (70, 90, 200), (190, 190, 180)], np.float64)
    stripes = colors[np.arange(width) * len(colors) // width]
    pictures = np.broadcast_to(stripes * 0.1, (count, height, width, 3))
    return (pictures + np.random.default_rng(0).normal(0, 1.0, pictures.shape)).clip(0, 255).astype(np.uint8)


if __name__ == "__main__":
    dark = dark_pictures(3)
    bright = realtime.Enhancer()(dark)  # same shape and dtype; each picture is metered on its own
    for before, after in zip(dark, bright):
        print(f"{before.shape}: mean level {before.mean():.0f} -> {after.mean():.0f}")
