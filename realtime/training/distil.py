"""Distilling the `fast` engine's student from the exact network, whose picture it learns to make, not a better one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from realtime.enhance.engines.fast.pyramid import kept
from realtime.enhance.engines.fast import student
from realtime.enhance.keras_loader import keras, ops
from realtime.enhance.weights import Weights, sha256
from realtime.errors import TrainingError
from realtime.training import checkpoint, data, losses
from realtime.training.teacher import GRID, Sample, Teacher, draw, whole
from realtime.training.trainer import Course, Outcome, Progress, until_asked

#: Frames of held-out scenes that judge the average.
JUDGE_SCENES = 16
#: 1 - SSIM of luma, and L1 of its edges, beside L1 of the planes.
STRUCTURE, EDGES = 0.1, 0.5


def reconstruct(batch: dict[str, Any], answer: Any) -> tuple[Any, Any]:
    """`apply.Workspace.reconstruct` as a differentiable function: luma (N, H, W, 1) and chroma (N, H/2, W/2, 2), 0..1."""
    maps = student.maps(answer)
    shift, fine, middle, color, noise, middle_noise = (maps[..., at : at + 1] for at in (0, 3, 4, 5, 6, 7))
    seen = batch["seen"]
    detail = seen[..., :1] - up(batch["eighth"], 2)
    middle = middle * kept(ops.average_pool(abs(detail), 2, 2), middle_noise)
    quarter = up(batch["eighth"] + shift, 2) + up(middle, 2) * detail
    gain = up(fine, 2) * kept(ops.square(seen[..., 4:]), up(noise, 2))
    luma = up(gain, 4) * batch["luma"] + up(quarter - gain * batch["gray"], 4)
    return luma, up(up(color, 2) * seen[..., 2:4] + up(maps[..., 1:3], 2), 2)


def up(planes: Any, times: int) -> Any:
    """Planes (N, H, W, C) so many times as large, as the engine enlarges them."""
    return ops.image.resize(planes, (planes.shape[1] * times, planes.shape[2] * times), "bilinear")


class Distillation(keras.Model):
    """Asks the student for maps and compares what they make with the exact answer."""

    def __init__(self, network: keras.Model) -> None:
        super().__init__(dtype="float32")
        self.network = network
        self.means = [keras.metrics.Mean(name=name) for name in ("planes", "edges", "structure")]

    def call(self, batch: dict[str, Any]) -> Any:
        return self.network(batch["seen"])

    def picture(self, batch: dict[str, Any], answer: Any) -> tuple[Any, Any]:
        """What the engine makes of a batch with the student's answer: luma and chroma as `reconstruct` has them."""
        return reconstruct(batch, answer)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        luma, chroma = self.picture(x, y_pred)
        luma = ops.clip(luma, 0.0, 1.0)
        error = luma - x["wanted"]
        edges = ops.mean(abs(error[:, 1:] - error[:, :-1])) + ops.mean(abs(error[:, :, 1:] - error[:, :, :-1]))
        parts = {
            "planes": ops.mean(abs(error)) + ops.mean(abs(chroma - x["color"])),
            "edges": EDGES * edges,
            "structure": STRUCTURE * losses.structure(x["wanted"], luma),
        }
        for mean in self.means:
            mean.update_state(parts[mean.name])
        return sum(parts.values())


def judge(model: Distillation, samples: Sequence[Path]) -> float:
    """Mean PSNR in dB of planes, luma and chroma as 4:2:0 has them, against the exact answer, of held-out frames."""
    scores = []
    for path in samples:
        sample = whole(path)
        luma, chroma = model.picture(sample, model.predict_on_batch(sample))
        wrong = [
            np.square(np.clip(ops.convert_to_numpy(luma), 0, 1) - sample["wanted"]).sum(),
            np.square(ops.convert_to_numpy(chroma) - sample["color"]).sum(),
        ]
        count = sample["wanted"].size + sample["color"].size
        scores.append(10 * math.log10(1 / max(float(sum(wrong)) / count, 1e-10)))
    return float(np.mean(scores))


def distil(
    folders: Sequence[Path],
    weights: Weights,
    out: Path,
    *,
    metered: bool | None = None,
    start_from: Path | None = None,
    lesson: Callable[[], Distillation] | None = None,
    steps: int = 20_000,
    batch: int = 8,
    crop: int = 192,
    rate: float = 1e-3,
    seed: int = 0,
    hold_out: Sequence[str] = (),
    first_scenes: int = 48,
    steps_per_scene: int = 20,
    save_minutes: float = 5.0,
    progress: Progress | None = None,
) -> Outcome:
    """Teach a student to answer as `weights` do, on the images and clips below `folders`; a second call goes on.

    `metered` is whether the exact network works behind the meter, None for what the weights were trained for.
    `start_from` is a student to begin with, such as that of a similar teacher; a call that goes on has its own.
    `lesson` makes another design's model, for comparisons. `crop` divides by 16. `out` gets ``state.npz`` (to resume),
    ``fast.h5`` (the averaged student), ``curve.csv``, the scenes and the exact answers to them. SIGINT and SIGTERM end
    a sitting with a checkpoint. Raises `TrainingError`: no usable data, a crop that does not divide, a state of another
    teacher, a loss of NaN; `WeightsError`: no student to begin with.
    """
    if crop < GRID or crop % GRID or crop > min(data.SCENE):
        raise TrainingError(f"a crop of {crop} is not a multiple of {GRID} from {GRID} to {min(data.SCENE)}")
    metered = weights.metered if metered is None else metered
    training, held = data.split(data.find(folders), also=hold_out)
    out.mkdir(parents=True, exist_ok=True)
    _same_teacher(out / "teacher.txt", f"{sha256(weights.path)} {'metered' if metered else 'plain'}\n")
    keras.utils.set_random_seed(seed)
    model = lesson() if lesson else Distillation(student.read(start_from) if start_from else student.build())
    model.compile(optimizer=keras.optimizers.Adam(rate, clipnorm=1.0), jit_compile=False)
    model.optimizer.build(model.network.trainable_variables)
    course = Course(model, out, seed)

    def export() -> None:
        checkpoint.export(out / "fast.h5", model.network)
        student.sign(out / "fast.h5", weights)

    teacher = Teacher(weights, metered)
    with (
        until_asked() as stop,
        data.Pool(data.Shots(held or training, crop), out / "held-out", seed + 1) as exam,
        data.Pool(data.Shots(training, crop), out / "scenes", seed) as pool,
    ):
        exam.grow(JUDGE_SCENES)
        questions = [teacher.sample(f, out / "held-out-answers") for f in exam.frames if f.name.endswith("-0.npz")]
        samples: list[Path] = []

        def ask(step: int, random: np.random.Generator) -> Sample:
            pool.grow(first_scenes + step // steps_per_scene)
            # One frame of each scene: the second is much like it, and answers are dear.
            firsts = [frame for frame in pool.frames if frame.name.endswith("-0.npz")]
            samples.extend(teacher.sample(frame, out / "answers") for frame in firsts[len(samples) :])
            return draw(samples, batch, crop, random)

        course.run(
            steps,
            rate,
            stop,
            draw=ask,
            judge=lambda: judge(model, questions),
            export=export,
            save_minutes=save_minutes,
            progress=progress,
        )
    return Outcome(out / "fast.h5", course.step, course.step >= steps, course.psnr)


def _same_teacher(path: Path, teacher: str) -> None:
    if path.exists() and path.read_text("utf-8") != teacher:
        raise TrainingError(f"{path.parent} was begun with another teacher; distil in another folder")
    path.write_text(teacher, "utf-8")
