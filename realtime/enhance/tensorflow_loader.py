"""TensorFlow, loaded once and quietly: what computes with it says ``from realtime.enhance.tensorflow_loader import tf``."""

from __future__ import annotations

import os

from realtime.enhance.keras_loader import silence
from realtime.enhance.weights import cache

# Compiling for a GPU takes up to a minute a shape: XLA keeps what it compiled for the next run.
os.environ.setdefault("TF_XLA_FLAGS", f"--tf_xla_persistent_cache_directory={cache() / 'xla'}")

with silence():
    import tensorflow as tf

    tf.config.list_physical_devices()  # the search for CUDA has something to say too

# Python's side of it: warns of "retracing" when a folder holds pictures of five sizes.
tf.get_logger().setLevel("ERROR")

__all__ = ["tf"]
