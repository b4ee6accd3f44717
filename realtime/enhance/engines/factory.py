"""Makes an engine by its name."""

from __future__ import annotations

import importlib

from realtime.enhance.device import choose_device, choose_precision
from realtime.enhance.engines.base import Engine
from realtime.enhance.engines.registry import abilities
from realtime.enhance.weights import Weights


def create_engine(name: str, weights: Weights, device: str, precision: str) -> Engine:
    """Loads the engine of that name. `device` and `precision` as in `EnhanceOptions`. Raises SettingError for another
    name, DeviceError for a device that is not there, WeightsError for weights that it cannot use."""
    traits = abilities(name)
    module, _, factory = traits.factory.partition(":")
    device = choose_device(device)
    if precision == "auto" and device == "cpu" and traits.cpu_precision is not None:
        precision = traits.cpu_precision
    make = getattr(importlib.import_module(module), factory)
    engine: Engine = make(weights, device, choose_precision(precision, device))
    return engine
