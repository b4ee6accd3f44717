"""Which processor computes, and in which precision."""

from __future__ import annotations

from time import perf_counter

from realtime.enhance.backend import tf
from realtime.errors import DeviceError, SettingError

PRECISIONS = ("auto", "float32", "bfloat16", "float16")


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


def choose_precision(wish: str, device: str) -> str:
    """`wish`, or for ``auto`` the faster of float32 and the device's 16-bit type, by a short measurement."""
    if wish not in PRECISIONS:
        raise SettingError(f"precision {wish!r} is not one of {', '.join(PRECISIONS)}")
    if wish != "auto":
        return wish
    small = "bfloat16" if device == "cpu" else "float16"
    # A convolution like the network's own. Only a clear gain is worth the coarser numbers.
    return small if _seconds(small, device) < 0.8 * _seconds("float32", device) else "float32"


def _seconds(precision: str, device: str, repeats: int = 5) -> float:
    with tf.device(f"/{device}"):
        picture = tf.zeros((1, 96, 96, 32), precision)
        kernel = tf.zeros((5, 5, 32, 16), precision)
        convolve = tf.function(lambda x: tf.nn.conv2d(x, kernel, 1, "SAME"))
        convolve(picture)
        times = []
        for _ in range(repeats):
            began = perf_counter()
            convolve(picture).numpy()
            times.append(perf_counter() - began)
    return min(times)
