"""TensorFlow, loaded in one place, and OpenCV before it. What computes with it imports it from here."""

from __future__ import annotations

import cv2

from realtime.enhance.host import configure_tensorflow, is_quiet, silenced

with silenced():
    import tensorflow as tf

    if is_quiet():
        tf.config.list_physical_devices()  # the search for CUDA writes lines too
        # Python's side of it warns of "retracing" when a folder holds pictures of five sizes.
        tf.get_logger().setLevel("ERROR")
    configure_tensorflow(tf)

__all__ = ["cv2", "tf"]
