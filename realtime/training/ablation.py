"""Which student for the fast engine: ``python -m realtime.training.ablation DATA... -o OUT --weights night``.

Every design learns the same steps from the same answers of the exact network, with the same loss, and is judged on
the same held-out scenes. The table is Markdown; `docs/fast.md` keeps one.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from realtime.enhance.engines.fast import student
from realtime.enhance.keras_loader import keras, layers, ops
from realtime.enhance.tensorflow_loader import tf
from realtime.enhance.weights import find
from realtime.training import distil
from realtime.training.distil import Distillation, reconstruct, up

Picture = tuple[Any, Any]


class Design(NamedTuple):
    """A student (without weights yet) and what it sees of a batch and how its answer becomes luma and chroma."""

    name: str
    build: Callable[[], keras.Model]
    sees: Callable[[dict[str, Any]], Any]
    picture: Callable[[dict[str, Any], Any], Picture]


def _network(inputs: int, outputs: int, stride: int, channels: int = student.CHANNELS) -> keras.Model:
    """As deep and wide as the engine's student; it starts by answering zeros."""
    seen = layers.Input((None, None, inputs))
    x = layers.Conv2D(channels, 3, strides=stride, padding="same", activation="relu")(seen)
    for _ in range(student.HIDDEN):
        x = layers.Conv2D(channels, 3, padding="same", activation="relu")(x)
    return keras.Model(seen, layers.Conv2D(outputs, 3, padding="same", kernel_initializer="zeros")(x))


def affine(batch: dict[str, Any], answer: Any) -> Picture:
    """Local affine maps of color, 3x4 at every eighth, as in HDRNet (Gharbi et al. 2017); here of Y, Cb and Cr."""
    full, half = up(answer, 8), up(answer, 4)
    colors = up(batch["seen"][..., 2:4], 2)
    luma, blue_red = batch["luma"], up(colors, 2)
    made = luma + full[..., 0:1] * luma + ops.sum(full[..., 1:3] * blue_red, axis=-1, keepdims=True) + full[..., 3:4]
    small = ops.average_pool(luma, 2, 2)
    chroma = [
        colors[..., i : i + 1]
        + half[..., at : at + 1] * small
        + ops.sum(half[..., at + 1 : at + 3] * colors, axis=-1, keepdims=True)
        + half[..., at + 3 : at + 4]
        for i, at in ((0, 4), (1, 8))
    ]
    return made, ops.concatenate(chroma, axis=-1)


def pixels(batch: dict[str, Any], answer: Any) -> Picture:
    """What to add to each pixel: sixteen of luma and two of chroma for every 4x4 block."""
    added = answer[..., :16]
    height, width = added.shape[1:3]
    added = ops.reshape(added, (-1, height, width, 4, 4))
    added = ops.reshape(ops.transpose(added, (0, 1, 3, 2, 4)), (-1, 4 * height, 4 * width, 1))
    return batch["luma"] + added, up(batch["seen"][..., 2:4] + answer[..., 16:], 2)


def _blocks(batch: dict[str, Any]) -> Any:
    luma = batch["luma"]
    height, width = luma.shape[1] // 4, luma.shape[2] // 4
    blocks = ops.transpose(ops.reshape(luma, (-1, height, 4, width, 4)), (0, 1, 3, 2, 4))
    return ops.concatenate([ops.reshape(blocks, (-1, height, width, 16)), batch["seen"]], axis=-1)


DESIGNS = (
    Design("gains of a pyramid (in use)", student.build, lambda batch: batch["seen"], reconstruct),
    Design("affine color maps", lambda: _network(student.INPUTS, 12, 2), lambda batch: batch["seen"], affine),
    Design("pixels of 4x4 blocks", lambda: _network(16 + student.INPUTS, 18, 1), _blocks, pixels),
)


def lesson(design: Design) -> Distillation:
    """The design's student in the place of the engine's, not compiled."""

    class Lesson(Distillation):
        def call(self, batch: dict[str, Any]) -> Any:
            return self.network(design.sees(batch))

        def picture(self, batch: dict[str, Any], answer: Any) -> Picture:
            return design.picture(batch, answer)

    return Lesson(design.build())


def multiply_adds(network: keras.Model, scale: float) -> float:
    """Of the network alone, for each pixel of the picture; its input has ``scale`` of the picture's places."""
    strides = [layer.strides[0] for layer in network.layers if hasattr(layer, "strides")]
    kernels = [w for w in network.get_weights() if w.ndim == 4]
    return float(sum(k.size for k in kernels)) * scale / strides[0] ** 2


def milliseconds(network: keras.Model, inputs: int, turns: int = 9) -> float:
    """Median wall time of the network alone for a frame of 1920x1080, float32."""
    call = tf.function(network)
    seen = tf.constant(np.random.default_rng(0).random((1, 270, 480, inputs), np.float32))
    call(seen)
    spans = []
    for _ in range(turns):
        began = perf_counter()
        call(seen).numpy()
        spans.append(perf_counter() - began)
    return float(np.median(spans)) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--weights", default="night")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--hold-out", action="append", default=[])
    chosen = parser.parse_args()
    print("| design | PSNR to exact, dB | weights | multiply-adds a pixel | ms at 1080p, network alone |")
    print("| --- | --- | --- | --- | --- |")
    for design in DESIGNS:
        own = chosen.output / design.name.split()[0]
        own.mkdir(parents=True, exist_ok=True)
        for shared in ("scenes", "answers", "held-out", "held-out-answers"):
            (chosen.output / shared).mkdir(exist_ok=True)
            if not (own / shared).is_symlink():
                (own / shared).symlink_to(chosen.output.resolve() / shared)
        found = distil.distil(
            chosen.data,
            find(chosen.weights),
            own,
            steps=chosen.steps,
            hold_out=chosen.hold_out,
            lesson=partial(lesson, design),
        )
        network = design.build()
        cells = [design.name, f"{found.psnr:.2f}", str(network.count_params())]
        cells += [f"{multiply_adds(network, 1 / 16):.0f}", f"{milliseconds(network, network.input_shape[-1]):.1f}"]
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
