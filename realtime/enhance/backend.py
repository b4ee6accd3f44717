"""Loads TensorFlow once, without its half dozen lines on stderr, which would tear every progress bar.

Everything in this folder that computes says ``from realtime.enhance.backend import tf``. TF_CPP_MIN_LOG_LEVEL alone
does not help: part of the lines are written before it is read. Set REALTIME_TF_LOG to see them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _silence() -> Iterator[None]:
    """Points the process's stderr to nowhere: the lines come from C++ and know nothing of ``sys.stderr``."""
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


if "REALTIME_TF_LOG" in os.environ:
    import tensorflow as tf
else:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _silence():
        import tensorflow as tf

        tf.config.list_physical_devices()  # the search for CUDA has something to say too

# Python's side of it: warns of "retracing" when a folder holds pictures of five sizes.
tf.get_logger().setLevel("ERROR")

__all__ = ["tf"]
