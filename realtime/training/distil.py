"""Distilling the fast engine's student from the exact network: it learns to make that picture, not a better one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from realtime.enhance.engines.fast import student, student_file
from realtime.enhance.engines.fast.pyramid import wiener_gain
from realtime.enhance.keras_loader import keras, ops
from realtime.enhance.weights import Weights
from realtime.media.checksum import sha256
from realtime.training import checkpoint, losses
from realtime.training.clip_sampler import SCENE_SIZE, SMALLER_CROP, ClipSampler
from realtime.training.files import training_files
from realtime.training.scene_cache import SceneCache
from realtime.training.settings import DISTIL_DEFAULTS, TrainingSettings, check_resumable
from realtime.training.teacher import CROP_MULTIPLE, Sample, Teacher, draw, whole_sample
from realtime.training.trainer import Progress, Trainer, TrainingResult, stop_on_signal

#: Held-out scenes that validate.
VALIDATION_SCENES = 16
#: Weights of 1 - SSIM of luma, and of L1 of its edges, beside L1 of the planes.
STRUCTURE_WEIGHT, EDGE_WEIGHT = 0.1, 0.5
STUDENT_NAME = "fast.h5"


def reconstruct(batch: dict[str, Any], output: Any) -> tuple[Any, Any]:
    """`pyramid.Workspace.restore`, differentiable: luma (N, H, W, 1), and chroma (N, H/2, W/2, 2) about 0."""
    maps = student.maps(output)
    shift, fine, middle, color, noise, middle_noise = (maps[..., i : i + 1] for i in (0, 3, 4, 5, 6, 7))
    features = batch["features"]
    detail = features[..., :1] - upsample(batch["eighth"], 2)
    middle = middle * wiener_gain(ops.average_pool(abs(detail), 2, 2), middle_noise)
    quarter = upsample(batch["eighth"] + shift, 2) + upsample(middle, 2) * detail
    # The last feature is the square root of roughness.
    gain = upsample(fine, 2) * wiener_gain(ops.square(features[..., 4:]), upsample(noise, 2))
    luma = upsample(gain, 4) * batch["luma"] + upsample(quarter - gain * batch["gray"], 4)
    return luma, upsample(upsample(color, 2) * features[..., 2:4] + upsample(maps[..., 1:3], 2), 2)


def upsample(planes: Any, times: int) -> Any:
    """Planes (N, H, W, C) enlarged as the engine enlarges them."""
    return ops.image.resize(planes, (planes.shape[1] * times, planes.shape[2] * times), "bilinear")


class DistillationModel(keras.Model):
    """Compares what the student's maps make of a picture with the exact network's output."""

    def __init__(self, network: keras.Model) -> None:
        super().__init__(dtype="float32")
        self.network = network
        self.means = [keras.metrics.Mean(name=name) for name in ("planes", "edges", "structure")]

    def call(self, batch: dict[str, Any]) -> Any:
        return self.network(batch["features"])

    def picture(self, batch: dict[str, Any], output: Any) -> tuple[Any, Any]:
        """What the engine makes of a batch with the student's output: luma and chroma as `reconstruct` has them."""
        return reconstruct(batch, output)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        luma, chroma = self.picture(x, y_pred)
        luma = ops.clip(luma, 0.0, 1.0)
        error = luma - x["target_luma"]
        edges = ops.mean(abs(error[:, 1:] - error[:, :-1])) + ops.mean(abs(error[:, :, 1:] - error[:, :, :-1]))
        parts = {
            "planes": ops.mean(abs(error)) + ops.mean(abs(chroma - x["target_chroma"])),
            "edges": EDGE_WEIGHT * edges,
            "structure": STRUCTURE_WEIGHT * losses.structure(x["target_luma"], luma),
        }
        for mean in self.means:
            mean.update_state(parts[mean.name])
        return sum(parts.values())


def validate(model: DistillationModel, samples: Sequence[Path]) -> float:
    """Mean PSNR in dB of 4:2:0 planes against the exact network's, over held-out frames."""
    scores = []
    for path in samples:
        sample = whole_sample(path)
        luma, chroma = model.picture(sample, model.predict_on_batch(sample))
        errors = [
            np.square(np.clip(ops.convert_to_numpy(luma), 0, 1) - sample["target_luma"]).sum(),
            np.square(ops.convert_to_numpy(chroma) - sample["target_chroma"]).sum(),
        ]
        count = sample["target_luma"].size + sample["target_chroma"].size
        scores.append(10 * math.log10(1 / max(float(sum(errors)) / count, 1e-10)))
    return float(np.mean(scores))


def distil(
    folders: Sequence[Path],
    weights: Weights,
    out: Path,
    settings: TrainingSettings = DISTIL_DEFAULTS,
    *,
    lifted: bool | None = None,
    start_from: Path | None = None,
    make_model: Callable[[], DistillationModel] | None = None,
    progress: Progress | None = None,
) -> TrainingResult:
    """Trains a student to match `weights` on the images and clips below `folders`. A second call goes on.

    - `lifted`: whether teacher and student get frames behind the exposure; None is what the weights were trained for.
    - `start_from`: a student to begin with, such as that of a similar teacher.
    - `make_model`: makes the model of another design, for comparisons.

    `out` gets ``state.npz`` (to resume), ``settings.json``, `STUDENT_NAME` (the averaged student), ``curve.csv``, the
    scenes and the teacher's targets. SIGINT and SIGTERM end a session with a checkpoint.

    Raises TrainingError: no usable data, settings out of range or other than those that `out` was begun with, a loss
    that is NaN. Raises WeightsError: no student in `start_from`.
    """
    settings.check(CROP_MULTIPLE, min(SCENE_SIZE), CROP_MULTIPLE)
    training, held_out = training_files(folders, settings.hold_out)
    lifted = weights.metered if lifted is None else lifted
    check_resumable(out, settings, teacher=sha256(weights.path), exposure="auto" if lifted else "off")
    keras.utils.set_random_seed(settings.seed)
    if make_model is None:
        model = DistillationModel(student.read(start_from) if start_from else student.build())
    else:
        model = make_model()
    model.compile(optimizer=keras.optimizers.Adam(settings.rate, clipnorm=1.0), jit_compile=False)
    model.optimizer.build(model.network.trainable_variables)
    trainer, teacher = Trainer(model, out, settings), Teacher(weights)

    def export() -> None:
        checkpoint.export(out / STUDENT_NAME, model.network)
        student_file.stamp_teacher(out / STUDENT_NAME, weights)

    val_sampler, sampler = (ClipSampler(files, settings.crop, remedies=SMALLER_CROP) for files in (held_out, training))
    with (
        stop_on_signal() as stop,
        SceneCache(val_sampler, out / "held-out", settings.seed + 1, lifted) as val_pool,
        SceneCache(sampler, out / "scenes", settings.seed, lifted) as pool,
    ):
        val_pool.grow(VALIDATION_SCENES)
        val_samples = [teacher.target_file(frame, out / "held-out-targets") for frame in val_pool.first_frames]
        samples: list[Path] = []

        def next_batch(step: int, random: np.random.Generator) -> Sample:
            pool.grow(settings.first_scenes + step // settings.steps_per_scene)
            new = pool.first_frames[len(samples) :]
            samples.extend(teacher.target_file(frame, out / "targets") for frame in new)
            return draw(samples, settings.batch, settings.crop, random)

        trainer.run(
            stop,
            next_batch=next_batch,
            validate=lambda: validate(model, val_samples),
            export=export,
            progress=progress,
        )
    return TrainingResult(out / STUDENT_NAME, trainer.step, trainer.step >= settings.steps, trainer.psnr)
