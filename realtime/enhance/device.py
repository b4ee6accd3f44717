"""Which processor computes, and in which precision. Loads TensorFlow only to look for a GPU, and to measure."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

from realtime.config import PRECISIONS, check_device
from realtime.errors import DeviceError, SettingError

#: Multiply-adds of MBLLEN for each pixel, the unit of every speed figure.
MULTIPLY_ADDS = 448_938
#: What Linux shows where a driver for NVIDIA's or AMD's cards is loaded, and in WSL.
GPU_NODES = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
#: Measurements of each precision.
REPEATS = 8
#: Multiply-adds of the convolution that is measured.
WORK = 240 * 160 * 3 * 3 * 32 * 32
#: How many times as fast a 16-bit type must be to be chosen.
LEAST_GAIN = 1.25


def choose_device(requested: str) -> str:
    """``auto``, ``cpu``, ``gpu`` or ``gpu:N`` as ``cpu`` or ``gpu:N``.

    Raises SettingError for another word and DeviceError for a GPU that is not there.
    """
    check_device(requested)
    if requested == "cpu" or (requested == "auto" and not may_have_gpu()):
        return "cpu"
    from realtime.enhance.tensorflow_loader import tf

    gpus = tf.config.list_physical_devices("GPU")
    if requested == "auto":
        return "gpu:0" if gpus else "cpu"
    index = int(requested.partition(":")[2] or 0)
    if index >= len(gpus):
        raise DeviceError(
            f"device {requested!r} is not there: TensorFlow sees {len(gpus)} GPUs; install the extra 'gpu'",
            remedies={"device=cpu": "or compute with {}"},
        )
    return f"gpu:{index}"


def may_have_gpu() -> bool:
    """Whether it is worth the seconds that TensorFlow takes to load to ask it for GPUs."""
    return platform.system() != "Linux" or any(Path(node).exists() for node in GPU_NODES)


def device_label(device: str) -> str:
    """`device`, and of a GPU the name of its model: what was measured on one holds for no other."""
    if device == "cpu":
        return device
    from realtime.enhance.tensorflow_loader import tf

    card = tf.config.list_physical_devices("GPU")[int(device.partition(":")[2])]
    return f"{device} {tf.config.experimental.get_device_details(card).get('device_name', '')}".strip()


def choose_precision(requested: str, device: str) -> str:
    """`requested`, or for ``auto`` the faster of float32 and the device's 16-bit type, by a short measurement."""
    if requested not in PRECISIONS:
        raise SettingError(f"precision {requested!r} is not one of {', '.join(PRECISIONS)}")
    if requested != "auto":
        return requested
    small = "bfloat16" if device == "cpu" else "float16"
    best = speeds((small, "float32"), device)
    # Only a clear gain is worth the coarser numbers.
    return small if best[small] > LEAST_GAIN * best["float32"] else "float32"


def speeds(precisions: Sequence[str], device: str) -> dict[str, float]:
    """Multiply-adds a second in a convolution like the network's own, by precision: the best of `REPEATS`.

    Precisions take turns, so that other programs disturb them alike; the best measurement was disturbed least.
    """
    from realtime.enhance.tensorflow_loader import tf

    with tf.device(f"/{device}"):
        measure = {precision: _stopwatch(precision) for precision in precisions}
        rounds = [{precision: seconds() for precision, seconds in measure.items()} for _ in range(REPEATS)]
    return {precision: WORK / min(seconds[precision] for seconds in rounds) for precision in precisions}


def _stopwatch(precision: str) -> Callable[[], float]:
    """A function that computes `WORK` and returns the seconds it took."""
    from realtime.enhance.tensorflow_loader import tf

    picture, kernel = tf.zeros((1, 160, 240, 32), precision), tf.zeros((3, 3, 32, 32), precision)
    convolve = tf.function(lambda x: tf.nn.conv2d(x, kernel, 1, "SAME"), autograph=False)
    convolve(picture)

    def seconds() -> float:
        began = perf_counter()
        convolve(picture).numpy()
        return perf_counter() - began

    return seconds
