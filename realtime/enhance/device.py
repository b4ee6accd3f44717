"""Which processor computes, in which precision, and in how many threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter

import cv2

from realtime.enhance.tensorflow_loader import tf
from realtime.errors import DeviceError, SettingError

PRECISIONS = ("auto", "float32", "bfloat16", "float16")
#: Turns that each precision gets.
REPEATS = 8
#: Multiply-adds of a turn.
WORK = 240 * 160 * 3 * 3 * 32 * 32


def choose_device(wish: str) -> str:
    """``auto``, ``cpu``, ``gpu`` or ``gpu:N`` as ``cpu`` or ``gpu:N``.

    Raises SettingError for another word and DeviceError for a GPU that is not there.
    """
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        # Take memory as it is needed: by default TensorFlow takes nearly all of it at the first operation.
        if not tf.config.experimental.get_memory_growth(gpu):
            tf.config.experimental.set_memory_growth(gpu, True)
    if wish == "cpu" or (wish == "auto" and not gpus):
        return "cpu"
    kind, _, number = wish.partition(":")
    if wish == "auto":
        return "gpu:0"
    if kind != "gpu" or not (number.isdigit() or wish == "gpu"):
        raise SettingError(f"device {wish!r} is not one of auto, cpu, gpu, gpu:N")
    index = int(number or 0)
    if index >= len(gpus):
        raise DeviceError(
            f"device {wish!r} is not there, TensorFlow sees {len(gpus)} GPUs; install the extra 'gpu' or use cpu"
        )
    return f"gpu:{index}"


def named(device: str) -> str:
    """`device` with the name of the card, where it is one: what was measured on one holds for no other."""
    if device == "cpu":
        return device
    card = tf.config.list_physical_devices("GPU")[int(device.partition(":")[2])]
    return f"{device} {tf.config.experimental.get_device_details(card).get('device_name', '')}".strip()


def choose_precision(wish: str, device: str) -> str:
    """`wish`, or for ``auto`` the faster of float32 and the device's 16-bit type, by a short measurement."""
    if wish not in PRECISIONS:
        raise SettingError(f"precision {wish!r} is not one of {', '.join(PRECISIONS)}")
    if wish != "auto":
        return wish
    small = "bfloat16" if device == "cpu" else "float16"
    best = speeds((small, "float32"), device)
    # Only a clear gain is worth the coarser numbers.
    return small if best[small] > 1.25 * best["float32"] else "float32"


def speeds(precisions: Sequence[str], device: str) -> dict[str, float]:
    """Multiply-adds a second in a convolution like the network's own, by precision: the best of several short turns.

    The rest of the machine disturbs turns in alternation alike, and the best of each least.
    """
    with tf.device(f"/{device}"):
        turns = {precision: _turn(precision) for precision in precisions}
        taken = [{precision: turn() for precision, turn in turns.items()} for _ in range(REPEATS)]
    return {precision: WORK / min(turn[precision] for turn in taken) for precision in precisions}


def _turn(precision: str) -> Callable[[], float]:
    """`WORK` ready to go; answers how many seconds it took."""
    picture, kernel = tf.zeros((1, 160, 240, 32), precision), tf.zeros((3, 3, 32, 32), precision)
    convolve = tf.function(lambda x: tf.nn.conv2d(x, kernel, 1, "SAME"))
    convolve(picture)

    def turn() -> float:
        began = perf_counter()
        convolve(picture).numpy()
        return perf_counter() - began

    return turn


def limit_threads(tensorflow: bool) -> None:
    """For the fast engine: OpenCV computes in one thread from now on, and TensorFlow too if so wished.

    Nearly all that engine does takes less than a millisecond, and decoder and encoder want the other core at the same
    time: pools that divide such steps spend more on waking and waiting than they win. CPU ms a frame, 1080p from file
    to file on two cores, ultrafast, two runs each, TensorFlow's threads first: 1 and 1 36 and 40, 1 and 2 40 and 39,
    2 and 1 39 and 41, 2 and 2 45 and 46. The exact engine is one long computation, for which TensorFlow's own choice,
    all cores, is right. Its threads can only be set before it first computes and hold for the whole process: where the
    exact engine may still be wanted, as under ``auto``, they stay as they are.
    """
    cv2.setNumThreads(1)
    if tensorflow:
        try:
            tf.config.threading.set_intra_op_parallelism_threads(1)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        except RuntimeError:
            pass  # it has computed in this process already
