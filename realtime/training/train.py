"""Training the network behind the exposure, for minutes or for days, in as many sessions as it takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from realtime.enhance import mbllen
from realtime.enhance.keras_loader import keras, ops
from realtime.enhance.mbllen import build
from realtime.enhance.weights import Weights
from realtime.errors import TrainingError
from realtime.media.checksum import sha256
from realtime.training import checkpoint, losses
from realtime.training.clip_sampler import SCENE_SIZE, SMALLER_CROP, ClipSampler
from realtime.training.files import training_files
from realtime.training.identity_init import set_identity
from realtime.training.image_grid import plot_curve, write_image_grid
from realtime.training.scene_cache import SceneCache, TrainingBatch, whole_frame
from realtime.training.settings import TRAIN_DEFAULTS, TrainingSettings, check_resumable
from realtime.training.trainer import Progress, Trainer, TrainingResult, stop_on_signal

#: Held-out scenes that validate, and those of them that are shown.
VALIDATION_SCENES, SHOWN_SCENES = 24, 6
WEIGHTS_NAME = "weights.h5"


class TrainingModel(keras.Model):
    """Compares the network's output for lifted recordings with the targets."""

    def __init__(self, network: keras.Model, context_weight: float = losses.CONTEXT_WEIGHT) -> None:
        super().__init__(dtype="float32")
        self.network, self._context_weight = network, context_weight
        self.means = [keras.metrics.Mean(name=name) for name in ("structure", "context", "region")]

    def call(self, batch: dict[str, Any]) -> Any:
        return ops.cast(self.network(batch["recorded"]), "float32")

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        parts = losses.parts(x["target"], y_pred, self._context_weight)
        for mean in self.means:
            mean.update_state(parts[mean.name])
        return sum(parts.values())


def has_gpu() -> bool:
    """Whether the Keras backend computes on a GPU."""
    try:
        return bool(keras.distribution.list_devices("gpu"))
    except RuntimeError:  # JAX raises instead of returning an empty list
        return False


def dtype_policy(precision: str) -> str:
    """Keras's name of a precision. ``auto`` is bfloat16 where a GPU or the processor computes in it, else float32."""
    if precision == "auto":
        flags = Path("/proc/cpuinfo")
        native = flags.exists() and "avx512_bf16" in flags.read_text()
        precision = "bfloat16" if native or has_gpu() else "float32"
    return {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}[precision]


def training_model(
    precision: str = "float32",
    seed: int = 0,
    start_from: Weights | None = None,
    context_weight: float = losses.CONTEXT_WEIGHT,
) -> TrainingModel:
    """A network, compiled for training, with the weights `start_from`, or else weights that return the input.

    `precision` is ``auto``, ``float32``, ``bfloat16`` or ``float16``. Raises WeightsError for other weights.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype_policy(precision))
    try:
        network = build()
    finally:
        keras.config.set_dtype_policy(before)
    if start_from is None:
        set_identity(network, seed)
    else:
        network.set_weights(mbllen.load(start_from).get_weights())
    model = TrainingModel(network, context_weight)
    # XLA pays on GPUs; on the CPU oneDNN is faster (0.39 s a frame against 0.65).
    jit = "auto" if has_gpu() else False
    model.compile(optimizer=keras.optimizers.Adam(1e-3, clipnorm=1.0), jit_compile=jit)
    model.optimizer.build(model.trainable_variables)
    return model


def validate(model: TrainingModel, frames: Sequence[Path]) -> tuple[float, list[list[Any]]]:
    """Mean PSNR in dB over held-out frames, and rows of pictures: lifted recording, output, target."""
    scores: list[float] = []
    rows: list[list[Any]] = []
    for frame in frames:
        batch = whole_frame(frame)
        output = np.clip(model.predict_on_batch(batch), 0, 1)
        scores.append(10 * math.log10(1 / max(float(np.mean((output - batch["target"]) ** 2)), 1e-10)))
        if len(rows) < SHOWN_SCENES:
            rows.append([batch["recorded"][0], output[0], batch["target"][0]])
    return sum(scores) / len(scores), rows


def train(
    folders: Sequence[Path],
    out: Path,
    settings: TrainingSettings = TRAIN_DEFAULTS,
    *,
    precision: str = "auto",
    start_from: Weights | None = None,
    context_weight: float = losses.CONTEXT_WEIGHT,
    progress: Progress | None = None,
) -> TrainingResult:
    """Trains on the images and clips below `folders`. A second call with the same arguments goes on.

    `start_from`, `context_weight` and `precision` are as in `training_model`. `out` gets `WEIGHTS_NAME` (the averaged
    weights), ``state.npz`` (to resume), ``settings.json``, ``curve.csv``, ``curve.png`` (needs matplotlib),
    ``samples.png`` (lifted recording, output, target) and the scenes. SIGINT and SIGTERM end a session with a
    checkpoint.

    Raises TrainingError: no usable data, settings out of range or other than those that `out` was begun with, a
    checkpoint that cannot be written or is another network's, a loss that is NaN.
    """
    settings.check(losses.MIN_SIDE, min(SCENE_SIZE))
    if not 0 <= context_weight < math.inf:
        raise TrainingError(f"context weight {context_weight} must be 0 or more")
    training, held_out = training_files(folders, settings.hold_out)
    begun_with = sha256(start_from.path) if start_from else "identity"
    check_resumable(out, settings, start_from=begun_with, context_weight=f"{context_weight:g}")
    keras.utils.set_random_seed(settings.seed)
    trainer = Trainer(model := training_model(precision, settings.seed, start_from, context_weight), out, settings)
    val_sampler, sampler = (ClipSampler(files, settings.crop, remedies=SMALLER_CROP) for files in (held_out, training))
    with (
        stop_on_signal() as stop,
        SceneCache(val_sampler, out / "held-out", settings.seed + 1) as val_pool,
        SceneCache(sampler, out / "scenes", settings.seed) as pool,
    ):
        val_pool.grow(VALIDATION_SCENES)

        def next_batch(step: int, random: np.random.Generator) -> TrainingBatch:
            pool.grow(settings.first_scenes + step // settings.steps_per_scene)
            return pool.draw(settings.batch, settings.crop, random)

        def validate_and_show() -> float:
            psnr, pictures = validate(model, val_pool.first_frames)
            write_image_grid(out / "samples.png", pictures)
            return psnr

        trainer.run(
            stop,
            next_batch=next_batch,
            validate=validate_and_show,
            export=lambda: checkpoint.export(out / WEIGHTS_NAME, model.network, metered=True),
            on_save=lambda: plot_curve(out / "curve.csv", out / "curve.png"),
            progress=progress,
        )
    return TrainingResult(out / WEIGHTS_NAME, trainer.step, trainer.step >= settings.steps, trainer.psnr)
