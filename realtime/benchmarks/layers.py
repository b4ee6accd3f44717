"""Where the exact network's time goes: each kind of layer of the inference graph on its own, beside the whole.

Layers are timed as `realtime.enhance.engines.exact.graph` computes them, the narrow ones on 2x2 blocks, in turns within
one run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from realtime.benchmarks.engines import set_precision, time_in_turns
from realtime.enhance import mbllen
from realtime.enhance.device import MULTIPLY_ADDS, choose_device
from realtime.enhance.engines.exact.graph import REACH, compile_network
from realtime.enhance.mbllen import BRANCHES
from realtime.enhance.tensorflow_loader import tf
from realtime.enhance.weights import Weights
from realtime.errors import DeviceError


class LayerKind(NamedTuple):
    """A layer that occurs `times` times.

    - `kernel`: its side. `inputs`, `outputs`: channels.
    - `padding`: pixels added around the input beforehand; -1 where the convolution pads.
    - `blocks`: computed on 2x2 blocks of pixels.
    """

    name: str
    times: int
    kernel: int
    inputs: int
    outputs: int
    padding: int
    blocks: bool = False


LAYER_KINDS = (
    LayerKind("feature 3x3, 3 to 32", 1, 3, 3, 32, -1),
    LayerKind("feature 3x3, 32 to 32", BRANCHES - 1, 3, 32, 32, -1),
    LayerKind("branch 3x3, 32 to 8", BRANCHES, 3, 32, 8, -1),
    LayerKind("branch 5x5, 8 to 8", BRANCHES, 5, 8, 8, 0),
    LayerKind("branch 5x5, 8 to 16", BRANCHES, 5, 8, 16, 0),
    LayerKind("branch 5x5, 16 to 32", BRANCHES, 5, 16, 32, 0),
    LayerKind("branch 5x5, 32 to 16, transposed", BRANCHES, 5, 32, 16, REACH),
    LayerKind("branch 5x5, 16 to 8, on blocks", BRANCHES, 5, 16, 8, REACH, blocks=True),
    LayerKind("branch 5x5, 8 to 3, on blocks", BRANCHES, 5, 8, 3, REACH, blocks=True),
    LayerKind("fusion 1x1, 3 to 3, on blocks", BRANCHES, 1, 3, 3, 0, blocks=True),
)


def layers(
    weights: Weights, device: str, precision: str, width: int, height: int, rounds: int = 7
) -> list[dict[str, Any]]:
    """Rows for the whole network and for each of `LAYER_KINDS`. `width` and `height` are even.

    - `ms`: of all layers of the kind. `of_work`: share of the network's multiply-adds. `teraflops`: speed.
    - `of_whole`: `ms` relative to the whole network. All kinds together may need less or more than it, as layers in a
      graph share caches and threads.

    Raises SettingError for tf32 on a CPU, and DeviceError where memory does not suffice.
    """
    device = choose_device(device)
    dtype, on_gpu = tf.as_dtype(set_precision(precision, device)), device != "cpu"
    with tf.device(f"/{device}"):
        picture = tf.random.uniform((1, height, width, 3))
        network = tf.function(compile_network(mbllen.load(weights), dtype), jit_compile=on_gpu)
        tasks: dict[str, Callable[[], object]] = {"whole network": lambda: network(picture).numpy()}
        for kind in LAYER_KINDS:
            tasks[kind.name] = _task(kind, dtype, width, height, on_gpu)
        times = time_in_turns(tasks, rounds)
    if not all(times.values()):
        raise DeviceError(f"no memory for the layers of {width}x{height}; use a smaller size")
    whole = float(np.median(times["whole network"]))
    rows = [_row("whole network", 1, whole, MULTIPLY_ADDS, whole)]
    for kind in LAYER_KINDS:
        work = kind.times * kind.kernel**2 * kind.inputs * kind.outputs
        rows.append(_row(kind.name, kind.times, float(np.median(times[kind.name])) * kind.times, work, whole))
    for row in rows:
        row["teraflops"] = round(2 * row.pop("work") * width * height / row["ms"] / 1e9, 3)
    return rows


def _row(name: str, times: int, seconds: float, work: int, whole: float) -> dict[str, Any]:
    row = {"layer": name, "times": times, "ms": round(seconds * 1e3, 2), "of_work": round(work / MULTIPLY_ADDS, 3)}
    return row | {"of_whole": round(seconds / whole, 3), "work": work}


def _task(kind: LayerKind, dtype: Any, width: int, height: int, on_gpu: bool) -> Callable[[], object]:
    side, pixels, pad = kind.kernel, 1, kind.padding
    if kind.blocks:
        side, pixels, pad = (side + 1) // 2, 4, pad // 2
        width, height = width // 2, height // 2
    x = tf.cast(tf.random.uniform((1, height, width, kind.inputs * pixels)), dtype)
    kernel = tf.cast(tf.random.normal((side, side, kind.inputs * pixels, kind.outputs * pixels), stddev=0.1), dtype)
    bias = tf.zeros((kind.outputs * pixels,), dtype)

    @tf.function(jit_compile=on_gpu, autograph=False)
    def layer() -> Any:
        padded = tf.pad(x, [[0, 0], [pad, pad], [pad, pad], [0, 0]]) if pad > 0 else x
        convolved = tf.nn.conv2d(padded, kernel, 1, "SAME" if pad < 0 else "VALID")
        # One number comes back, so that no copy is timed.
        return tf.nn.relu(tf.nn.bias_add(convolved, bias))[0, 0, 0, 0]

    return lambda: layer().numpy()
