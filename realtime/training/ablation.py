"""Which student for the fast engine: ``python -m realtime.training.ablation DATA... -o OUT --weights night``.

Every design trains for the same steps on the same targets of the exact network with the same loss, and is validated on
the same held-out scenes. Prints a Markdown table; `docs/fast.md` keeps one.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from realtime.enhance.engines.fast import student, student_file
from realtime.enhance.keras_loader import keras, layers, ops
from realtime.enhance.tensorflow_loader import tf
from realtime.enhance.weights import find
from realtime.training.distil import DistillationModel, distil, reconstruct, upsample
from realtime.training.settings import DISTIL_DEFAULTS

#: Luma and chroma, as `distil.reconstruct` returns them.
Picture = tuple[Any, Any]
#: Folders in a distillation's output that all designs share.
SHARED_FOLDERS = ("scenes", "targets", "held-out", "held-out-targets")


class Design(NamedTuple):
    """A student without weights, its input from a batch, and how its output becomes a picture."""

    name: str
    build: Callable[[], keras.Model]
    inputs: Callable[[dict[str, Any]], Any]
    picture: Callable[[dict[str, Any], Any], Picture]


def _network(inputs: int, outputs: int, stride: int, channels: int = student_file.CHANNELS) -> keras.Model:
    """As deep and wide as the engine's student. Its first output is zeros."""
    features = layers.Input((None, None, inputs))
    x = layers.Conv2D(channels, 3, strides=stride, padding="same", activation="relu")(features)
    for _ in range(student_file.HIDDEN_LAYERS):
        x = layers.Conv2D(channels, 3, padding="same", activation="relu")(x)
    return keras.Model(features, layers.Conv2D(outputs, 3, padding="same", kernel_initializer="zeros")(x))


def affine(batch: dict[str, Any], output: Any) -> Picture:
    """Local affine maps of Y, Cb and Cr, 3x4 at every eighth pixel, as in HDRNet (Gharbi et al. 2017)."""
    full, half = upsample(output, 8), upsample(output, 4)
    colors = upsample(batch["features"][..., 2:4], 2)
    luma, chroma_full = batch["luma"], upsample(colors, 2)
    result = luma + full[..., 0:1] * luma + ops.sum(full[..., 1:3] * chroma_full, axis=-1, keepdims=True)
    small = ops.average_pool(luma, 2, 2)
    chroma = [
        colors[..., i : i + 1]
        + half[..., j : j + 1] * small
        + ops.sum(half[..., j + 1 : j + 3] * colors, axis=-1, keepdims=True)
        + half[..., j + 3 : j + 4]
        for i, j in ((0, 4), (1, 8))
    ]
    return result + full[..., 3:4], ops.concatenate(chroma, axis=-1)


def pixels(batch: dict[str, Any], output: Any) -> Picture:
    """Offsets of pixels: sixteen of luma and two of chroma for every 4x4 block."""
    offsets = output[..., :16]
    height, width = offsets.shape[1:3]
    offsets = ops.reshape(offsets, (-1, height, width, 4, 4))
    offsets = ops.reshape(ops.transpose(offsets, (0, 1, 3, 2, 4)), (-1, 4 * height, 4 * width, 1))
    return batch["luma"] + offsets, upsample(batch["features"][..., 2:4] + output[..., 16:], 2)


def _blocks(batch: dict[str, Any]) -> Any:
    luma = batch["luma"]
    height, width = luma.shape[1] // 4, luma.shape[2] // 4
    blocks = ops.transpose(ops.reshape(luma, (-1, height, 4, width, 4)), (0, 1, 3, 2, 4))
    return ops.concatenate([ops.reshape(blocks, (-1, height, width, 16)), batch["features"]], axis=-1)


def _features(batch: dict[str, Any]) -> Any:
    return batch["features"]


DESIGNS = (
    Design("gains of a pyramid (in use)", student.build, _features, reconstruct),
    Design("affine color maps", lambda: _network(student_file.INPUTS, 12, 2), _features, affine),
    Design("pixels of 4x4 blocks", lambda: _network(16 + student_file.INPUTS, 18, 1), _blocks, pixels),
)


def distillation_model(design: Design) -> DistillationModel:
    """The design's student in the place of the engine's, not compiled."""

    class DesignModel(DistillationModel):
        def call(self, batch: dict[str, Any]) -> Any:
            return self.network(design.inputs(batch))

        def picture(self, batch: dict[str, Any], output: Any) -> Picture:
            return design.picture(batch, output)

    return DesignModel(design.build())


def multiply_adds(network: keras.Model, scale: float) -> float:
    """Multiply-adds of the network alone per pixel of the picture; its input has `scale` of the picture's pixels."""
    strides = [layer.strides[0] for layer in network.layers if hasattr(layer, "strides")]
    kernels = [w for w in network.get_weights() if w.ndim == 4]
    return float(sum(k.size for k in kernels)) * scale / strides[0] ** 2


def milliseconds(network: keras.Model, inputs: int, repeats: int = 9) -> float:
    """Median wall time of the network alone for a frame of 1920x1080, float32."""
    call = tf.function(network)
    features = tf.constant(np.random.default_rng(0).random((1, 270, 480, inputs), np.float32))
    call(features)
    seconds = []
    for _ in range(repeats):
        began = perf_counter()
        call(features).numpy()
        seconds.append(perf_counter() - began)
    return float(np.median(seconds)) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--weights", default="night")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--hold-out", action="append", default=[])
    args = parser.parse_args()
    settings = replace(DISTIL_DEFAULTS, steps=args.steps, hold_out=args.hold_out)
    print("| design | PSNR to exact, dB | weights | multiply-adds a pixel | ms at 1080p, network alone |")
    print("| --- | --- | --- | --- | --- |")
    for design in DESIGNS:
        out = args.output / design.name.split()[0]
        out.mkdir(parents=True, exist_ok=True)
        for name in SHARED_FOLDERS:
            (args.output / name).mkdir(exist_ok=True)
            if not (out / name).is_symlink():
                (out / name).symlink_to(args.output.resolve() / name)
        make_model = partial(distillation_model, design)
        result = distil(args.data, find(args.weights), out, settings, make_model=make_model)
        network = design.build()
        cells = [design.name, f"{result.psnr:.2f}", str(network.count_params())]
        cells += [f"{multiply_adds(network, 1 / 16):.0f}", f"{milliseconds(network, network.input_shape[-1]):.1f}"]
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
