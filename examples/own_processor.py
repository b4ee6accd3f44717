"""A processor of your own: a gamma curve on luma in place of the network. TensorFlow is not loaded.

python examples/own_processor.py [INPUT] [OUTPUT]
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

import realtime

SAMPLE = Path(__file__).resolve().parents[1] / "samples" / "night_drive.mp4"
GAMMA = 0.45
BLACK, WHITE = 16, 235  # limited range of 8-bit luma, ITU-R BT.601 and BT.709
CURVE = (BLACK + (WHITE - BLACK) * ((np.arange(256) - BLACK) / (WHITE - BLACK)).clip(0, 1) ** GAMMA).astype(np.uint8)


def brighten(frame: realtime.Frame) -> realtime.Frame:
    """The frame with its luma plane (H, W) brightened; its time, format and chroma planes stay."""
    luma, *chroma = frame.planes
    return frame.with_planes((cv2.LUT(luma, CURVE), *chroma), frame.format)


if __name__ == "__main__":
    source = sys.argv[1] if len(sys.argv) > 1 else SAMPLE
    output = sys.argv[2] if len(sys.argv) > 2 else "night_drive_gamma.mp4"
    report = realtime.run(
        realtime.open_source(source), realtime.PerFrame(brighten, "gamma"), realtime.open_sink(output, overwrite=True)
    )
    print(f"{output}: {report.frames} frames, {report.fps:.0f} a second")
