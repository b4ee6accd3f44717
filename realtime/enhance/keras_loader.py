"""Keras, loaded in one place. What is to run on any Keras backend imports it from here; what needs TensorFlow itself,
from `realtime.enhance.tensorflow_loader`."""

from __future__ import annotations

from realtime.enhance.host import silenced

with silenced():
    import keras
    from keras import layers, ops

__all__ = ["keras", "layers", "ops"]
