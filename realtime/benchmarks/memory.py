"""How much memory a task takes at most."""

from __future__ import annotations

import sys

from realtime.enhance.tensorflow_loader import tf

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]


def reset_peak(device: str) -> None:
    """Makes `peak_mb` count from now on, where the system can (a GPU, Linux)."""
    if device != "cpu":
        tf.config.experimental.reset_memory_stats(device.upper())
        return
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass


def peak_mb(device: str) -> int:
    """Peak memory in MB: on a GPU what TensorFlow took of it, else that of the process; 0 where it is not known."""
    if device != "cpu":
        return int(tf.config.experimental.get_memory_info(device.upper())["peak"]) >> 20
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) >> 10
    except (OSError, StopIteration):
        pass
    if resource is None:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak >> 20 if sys.platform == "darwin" else peak >> 10
