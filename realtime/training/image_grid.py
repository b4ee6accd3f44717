"""What training shows for itself: the curve of the loss and strips of held-out pictures."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[Any]


def strips(path: Path, rows: Sequence[Sequence[Floats]]) -> None:
    """Write rows of equally large pictures (H, W, 3), RGB 0..1, as one PNG."""
    sheet = np.concatenate([np.concatenate(list(row), axis=1) for row in rows], axis=0)
    cv2.imwrite(str(path), np.rint(np.clip(sheet, 0, 1) * 255).astype(np.uint8)[..., ::-1])


def curve(table: Path, path: Path) -> None:
    """Draw the loss and the held-out PSNR of ``table`` (the CSV of `train`) over steps; nothing without it."""
    if not table.exists():
        return
    # Imported here: drawing is rare, and matplotlib takes a second to load.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    steps = [int(row["step"]) for row in rows]
    figure = Figure((8, 4), layout="tight")
    FigureCanvasAgg(figure)
    left = figure.add_subplot()
    right = left.twinx()
    left.plot(steps, [float(row["loss"]) for row in rows], label="loss")
    right.plot(steps, [float(row["psnr"]) for row in rows], "C1", label="held-out PSNR, dB")
    left.set_xlabel("step")
    left.set_ylabel("loss")
    right.set_ylabel("held-out PSNR, dB")
    figure.legend(loc="upper center", ncol=2)
    figure.savefig(path, dpi=90)
