"""Timings as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from realtime.errors import SettingError


def plot(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Draws frames a second by size, a bar for each kind. Raises SettingError without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise SettingError("--plot needs matplotlib: install the extra 'train'") from error
    shown = [row for row in rows if row["what"] != "peak"]
    sizes = list(dict.fromkeys((row["width"], row["height"]) for row in shown))
    kinds = list(dict.fromkeys((row["what"], row["precision"], row["batch"]) for row in shown))
    figure = Figure(figsize=(1.5 + 0.35 * len(sizes) * (len(kinds) + 1), 4.5), layout="constrained")
    axes = figure.subplots()
    for place, kind in enumerate(kinds):
        found = {
            (row["width"], row["height"]): row["fps"]
            for row in shown
            if (row["what"], row["precision"], row["batch"]) == kind
        }
        at = [number * (len(kinds) + 1) + place for number in range(len(sizes))]
        label = f"{kind[0]} {kind[1]}" + (f" x{kind[2]}" if kind[2] > 1 else "")
        bars = axes.bar(at, [found.get(size, 0) for size in sizes], width=0.9, label=label)
        axes.bar_label(bars, fmt="%.3g", fontsize=7)
    axes.set_xticks([n * (len(kinds) + 1) + (len(kinds) - 1) / 2 for n in range(len(sizes))])
    axes.set_xticklabels([f"{width}x{height}" for width, height in sizes])
    axes.set_ylabel("frames a second")
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=130)
