"""The engines by name. A new one is a file of its own and a line here."""

from __future__ import annotations

from collections.abc import Callable

from realtime.enhance.device import choose_device, choose_precision
from realtime.enhance.engines.base import Engine
from realtime.enhance.engines.exact.engine import ExactEngine
from realtime.enhance.engines.fast.engine import FastEngine
from realtime.enhance.weights import Weights
from realtime.errors import SettingError

ENGINES: dict[str, Callable[[Weights, str, str, bool], Engine]] = {"exact": ExactEngine, "fast": FastEngine}


def create(name: str, weights: Weights, device: str, precision: str, metered: bool) -> Engine:
    """The engine of that name. Raises SettingError for another name."""
    kind = ENGINES.get(name)
    if kind is None:
        raise SettingError(f"engine {name!r} is not one of auto, {', '.join(ENGINES)}")
    chosen = choose_device(device)
    return kind(weights, chosen, choose_precision(precision, chosen), metered)
