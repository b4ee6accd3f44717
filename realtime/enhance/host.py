"""What a program, not a library, may change in its process: environment, TensorFlow's log lines, threads, GPU memory.

Importing `realtime` and making an `Enhancer` change none of these. The command line calls `configure_process`; another
program may do the same.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from realtime.enhance.engines.registry import AUTO, abilities

#: Whether TensorFlow is to load without a word, and the engine that this process was prepared for.
_quiet = False
_engine: str | None = None


def configure_process(engine: str) -> None:
    """Prepares this process to do nothing but enhance, with `engine` as in `EnhanceOptions`.

    To be called before TensorFlow is loaded, which not every engine does. It will be silent (unless REALTIME_TF_LOG is
    set), keep compiled GPU programs on disk, take GPU memory as needed, and compute in as many threads as the engine
    can use. Raises SettingError for another engine.
    """
    global _engine
    if engine != AUTO:
        abilities(engine)
    _engine = engine
    quieten_tensorflow()
    limit_opencv_threads(engine)
    if "tensorflow" in sys.modules:
        configure_tensorflow(sys.modules["tensorflow"])


def configure_tensorflow(tf: Any) -> None:
    """Called when TensorFlow has been loaded: does to it what `configure_process` announced, if that was called."""
    if _engine is None:
        return
    if _engine != AUTO and _computes_in_short_steps(_engine):
        try:
            tf.config.threading.set_intra_op_parallelism_threads(1)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        except RuntimeError:
            pass  # it has computed in this process already
    # By default it takes nearly all of a GPU's memory at the first operation.
    for gpu in tf.config.list_physical_devices("GPU"):
        try:
            tf.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:
            pass  # likewise


def quieten_tensorflow() -> None:
    """Makes TensorFlow load without the dozen lines that it writes to stderr, and keeps compiled GPU programs on disk.

    The lines come from C++ and would tear every progress bar. TF_CPP_MIN_LOG_LEVEL alone does not help, as part of them
    are written before it is read. From now on Python writes to stderr through a descriptor of its own, because other
    threads may have something to say while `silenced` silences descriptor 2. Does not load TensorFlow.
    """
    global _quiet
    from realtime.enhance.weights import cache_folder

    # Compiling for a GPU takes up to a minute per shape.
    os.environ.setdefault("TF_XLA_FLAGS", f"--tf_xla_persistent_cache_directory={cache_folder() / 'xla'}")
    if "REALTIME_TF_LOG" not in os.environ:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        _quiet = True
        stream = sys.__stderr__
        if stream is not None and sys.stderr is stream:
            sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, encoding=stream.encoding, errors=stream.errors)


def is_quiet() -> bool:
    """Whether TensorFlow is to load without a word."""
    return _quiet


@contextmanager
def silenced() -> Iterator[None]:
    """Around calls whose C++ code writes to descriptor 2, past ``sys.stderr``, such as the import of TensorFlow: points
    the descriptor to the null device, if this process is to be quiet."""
    if not _quiet:
        yield
        return
    stderr = os.dup(2)
    devnull = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(devnull, 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(devnull)


def limit_opencv_threads(engine: str) -> None:
    """For an engine that computes in many short steps: OpenCV in one thread, as TensorFlow if `engine` is fixed.

    Nearly all steps of the fast engine take less than a millisecond, and decoder and encoder want the other core at the
    same time: thread pools that divide such steps spend more on waking and waiting than they save. CPU ms a frame,
    1080p from file to file on two cores, preset ultrafast, two runs each:

    | TensorFlow's threads | OpenCV's threads | CPU ms a frame |
    | --- | --- | --- |
    | 1 | 1 | 36, 40 |
    | 1 | 2 | 40, 39 |
    | 2 | 1 | 39, 41 |
    | 2 | 2 | 45, 46 |

    The exact engine is one long computation, for which TensorFlow's default, all cores, is right. TensorFlow's threads
    can only be set before it first computes and hold for the whole process, so with ``auto``, which may still choose
    exact, they stay as they are.
    """
    if _computes_in_short_steps(engine):
        import cv2

        cv2.setNumThreads(1)


def _computes_in_short_steps(engine: str) -> bool:
    return engine == AUTO or abilities(engine).realtime
