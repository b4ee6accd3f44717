"""Loads Keras, and with it its backend, without the dozen lines that TensorFlow writes to stderr while it loads.

They would tear every progress bar, and TF_CPP_MIN_LOG_LEVEL alone does not help: part of them are written before it is
read. Set REALTIME_TF_LOG to see them. What is to run on any Keras backend says ``from realtime.enhance.keras_loader import
keras``; what needs TensorFlow itself, ``from realtime.enhance.tensorflow_loader import tf``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silence() -> Iterator[None]:
    """Points the process's stderr to nowhere: the lines come from C++ and know nothing of ``sys.stderr``."""
    if "REALTIME_TF_LOG" in os.environ:
        yield
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


with silence():
    import keras
    from keras import layers, ops

__all__ = ["keras", "layers", "ops", "silence"]
