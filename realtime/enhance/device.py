"""Which processor computes, and in which precision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter

from realtime.config import PRECISIONS
from realtime.enhance.tensorflow_loader import tf
from realtime.errors import DeviceError, SettingError

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


def device_label(device: str) -> str:
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
    convolve = tf.function(lambda x: tf.nn.conv2d(x, kernel, 1, "SAME"), autograph=False)
    convolve(picture)

    def turn() -> float:
        began = perf_counter()
        convolve(picture).numpy()
        return perf_counter() - began

    return turn
