"""What a program, not a library, may change in its process: environment, TensorFlow's log lines, threads.

Importing `realtime` and making an `Enhancer` change none of these; the command line calls the functions here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

#: Set by `quieten_tensorflow` and read when TensorFlow loads.
_quiet = False


def quieten_tensorflow() -> None:
    """Loads TensorFlow without the dozen lines that it writes to stderr, and keeps compiled GPU programs on disk.

    To be called before TensorFlow is loaded. They come from C++ and would tear every progress bar;
    TF_CPP_MIN_LOG_LEVEL alone does not help, as part of them are written before it is read. Does nothing where
    REALTIME_TF_LOG is set.
    """
    global _quiet
    from realtime.enhance.weights import cache_folder

    # Compiling for a GPU takes up to a minute per shape.
    os.environ.setdefault("TF_XLA_FLAGS", f"--tf_xla_persistent_cache_directory={cache_folder() / 'xla'}")
    if "REALTIME_TF_LOG" not in os.environ:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        _quiet = True


def is_quiet() -> bool:
    """Whether `quieten_tensorflow` was called."""
    return _quiet


@contextmanager
def loading() -> Iterator[None]:
    """Around the import of TensorFlow or Keras: points the process's stderr to nowhere if it is to be quiet. The lines
    know nothing of ``sys.stderr``."""
    if not _quiet:
        yield
        return
    sys.stderr.flush()
    stderr = os.dup(2)
    devnull = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(devnull, 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(devnull)


def limit_threads(engine: str) -> None:
    """For an engine that computes in many short steps: OpenCV in one thread, and TensorFlow too if `engine` is fixed.

    Nearly all that the fast engine does takes less than a millisecond, and decoder and encoder want the other core at
    the same time: thread pools that divide such steps spend more on waking and waiting than they win. CPU ms a frame,
    1080p from file to file on two cores, ultrafast, two runs each:

    | TensorFlow's threads | OpenCV's | ms |
    | --- | --- | --- |
    | 1 | 1 | 36, 40 |
    | 1 | 2 | 40, 39 |
    | 2 | 1 | 39, 41 |
    | 2 | 2 | 45, 46 |

    The exact engine is one long computation, for which TensorFlow's own choice, all cores, is right. TensorFlow's
    threads can only be set before it first computes and hold for the whole process, so with ``auto``, which may still
    choose exact, they stay as they are.
    """
    from realtime.enhance.engines.registry import AUTO, abilities

    if engine != AUTO and not abilities(engine).realtime:
        return
    from realtime.enhance.tensorflow_loader import cv2, tf

    cv2.setNumThreads(1)
    if engine != AUTO:
        try:
            tf.config.threading.set_intra_op_parallelism_threads(1)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        except RuntimeError:
            pass  # it has computed in this process already
