"""TensorFlow, loaded once and quietly: what computes with it says ``from realtime.enhance.backend import tf``."""

from __future__ import annotations

from realtime.enhance.quiet import silence

with silence():
    import tensorflow as tf

    tf.config.list_physical_devices()  # the search for CUDA has something to say too

# Python's side of it: warns of "retracing" when a folder holds pictures of five sizes.
tf.get_logger().setLevel("ERROR")

__all__ = ["tf"]
