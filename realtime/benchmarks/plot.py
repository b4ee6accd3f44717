"""Timings as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from realtime.enhance.engines.registry import ENGINES
from realtime.errors import SettingError

#: Drawn in color, the others in gray.
ENGINE_NAMES = tuple(engine.name for engine in ENGINES)


def plot(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Draws frames a second, a panel for each size, a bar for each kind. Raises SettingError without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise SettingError("a plot needs matplotlib; pip install 'mbllen-realtime[train]' brings it") from error
    shown = [row for row in rows if row["what"] != "peak"]
    sizes = list(dict.fromkeys(map(_size, shown)))
    kinds = list(dict.fromkeys(map(_kind, shown)))
    figure = Figure(figsize=(2 + 3 * len(sizes), 1 + 0.25 * len(kinds)), layout="constrained")
    panels = figure.subplots(1, len(sizes), sharey=True, squeeze=False)[0]
    for size, axes in zip(sizes, panels):
        fps = {_kind(row): row["fps"] for row in shown if _size(row) == size}
        widths = [fps.get(kind) or 0.0 for kind in kinds]
        names = [f"{what} {precision}" + (f" x{batch}" if batch > 1 else "") for what, precision, batch in kinds]
        bars = axes.barh(names, widths, color=["tab:blue" if what in ENGINE_NAMES else "0.6" for what, *_ in kinds])
        axes.bar_label(bars, [f"{width:.3g}" if width else "out of memory" for width in widths], fontsize=8, padding=2)
        axes.set_title("{}x{}".format(*size), fontsize=10)
        axes.set_xlabel("frames a second")
        axes.margins(x=0.2)
    panels[0].invert_yaxis()
    figure.savefig(path, dpi=130)


def _size(row: dict[str, Any]) -> tuple[int, int]:
    return row["width"], row["height"]


def _kind(row: dict[str, Any]) -> tuple[str, str, int]:
    return row["what"], row["precision"], row["batch"]
