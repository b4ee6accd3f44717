"""What training shows: the curve of the loss, and rows of held-out pictures."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[Any]


def write_image_grid(path: Path, rows: Sequence[Sequence[Floats]]) -> None:
    """Writes rows of pictures (H, W, 3) of one size, RGB 0..1, as one PNG."""
    grid = np.concatenate([np.concatenate(list(row), axis=1) for row in rows], axis=0)
    cv2.imwrite(str(path), np.rint(np.clip(grid, 0, 1) * 255).astype(np.uint8)[..., ::-1])


def plot_curve(table: Path, path: Path) -> None:
    """Draws loss and held-out PSNR over steps from the CSV that `trainer` writes.

    Does nothing before there is a table, and without matplotlib: the table says the same.
    """
    if not table.exists():
        return
    try:
        # Imported here: matplotlib takes a second to load.
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return
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
