"""Training the network behind the meter, for minutes or for days, in as many sittings as it takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from realtime.enhance.exposure.meter import develop, neutral
from realtime.enhance.keras_loader import keras, ops
from realtime.enhance.mbllen import build
from realtime.errors import TrainingError
from realtime.training import checkpoint, data, losses
from realtime.training.identity_init import answer_the_input
from realtime.training.image_grid import curve, strips
from realtime.training.trainer import Course, Outcome, Progress, until_asked

#: Below this the losses have no window to look through.
SMALLEST_CROP = 14
#: Frames of held-out scenes that judge the average.
JUDGE_SCENES = 24


class Lesson(keras.Model):
    """Develops what was recorded and the truth alike, and asks the network for one from the other."""

    def __init__(self, network: keras.Model) -> None:
        super().__init__(dtype="float32")
        self.network = network
        self.means = [keras.metrics.Mean(name=name) for name in ("structure", "context", "region")]

    def call(self, batch: dict[str, Any]) -> Any:
        seen = develop(neutral(batch["recorded"], batch["gain"]), batch["gain"], batch["white"])
        return ops.cast(self.network(seen), "float32")

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        parts = losses.parts(develop(x["truth"], x["gain"], x["white"]), y_pred)
        for mean in self.means:
            mean.update_state(parts[mean.name])
        return sum(parts.values())


def gpu() -> bool:
    """Whether the Keras backend computes on a GPU."""
    try:
        return bool(keras.distribution.list_devices("gpu"))
    except RuntimeError:  # what JAX says instead of an empty list
        return False


def _precision(wanted: str) -> str:
    """Keras's name; "auto" is bfloat16 where a GPU or the processor computes in it (1.6 times as fast here)."""
    if wanted == "auto":
        flags = Path("/proc/cpuinfo")
        native = flags.exists() and "avx512_bf16" in flags.read_text()
        wanted = "bfloat16" if native or gpu() else "float32"
    return {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}[wanted]


def lesson(precision: str = "float32", seed: int = 0) -> Lesson:
    """A network that answers its input, compiled for training in "auto", "float32", "bfloat16" or "float16"."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(_precision(precision))
    try:
        network = build()
    finally:
        keras.config.set_dtype_policy(before)
    answer_the_input(network, seed)
    model = Lesson(network)
    # XLA pays on GPUs; on the CPU oneDNN is faster (0.39 s a frame against 0.65).
    jit = "auto" if gpu() else False
    model.compile(optimizer=keras.optimizers.Adam(1e-3, clipnorm=1.0), jit_compile=jit)
    return model


def judge(model: Lesson, frames: Sequence[Path]) -> tuple[float, list[list[Any]]]:
    """Mean PSNR in dB over developed held-out frames, and the pictures of the first six for looking at."""
    scores: list[float] = []
    rows: list[list[Any]] = []
    for path in frames:
        example = data.load(path)
        recorded, truth = (p[None].astype(np.float32) for p in (example.recorded, example.truth))
        gain, white = np.array([example.gain], np.float32), np.array([example.white], np.float32)
        wanted = ops.convert_to_numpy(develop(truth, gain, white))
        batch = {"recorded": recorded, "truth": truth, "gain": gain, "white": white}
        answer = np.clip(model.predict_on_batch(batch), 0, 1)
        scores.append(10 * math.log10(1 / max(float(np.mean((answer - wanted) ** 2)), 1e-10)))
        if len(rows) < 6:
            rows.append([recorded[0], ops.convert_to_numpy(develop(recorded, gain, white))[0], answer[0], wanted[0]])
    return sum(scores) / len(scores), rows


def train(
    folders: Sequence[Path],
    out: Path,
    *,
    steps: int = 25_000,
    batch: int = 8,
    crop: int = 96,
    rate: float = 1e-3,
    seed: int = 0,
    precision: str = "auto",
    hold_out: Sequence[str] = (),
    first_scenes: int = 64,
    steps_per_scene: int = 2,
    save_minutes: float = 5.0,
    progress: Progress | None = None,
) -> Outcome:
    """Train on the images and clips below ``folders``; all it makes lies in ``out``, and a second call goes on there.

    ``crop`` is at least 14 pixels, ``hold_out`` are glob patterns of file names kept for judging beside the usual 12 %.
    ``out`` gets ``state.npz`` (to resume), ``night.h5`` (the averaged weights), ``curve.csv``, ``curve.png``,
    ``samples.png`` (recorded, developed, answer, truth) and the scenes. SIGINT and SIGTERM end a sitting with a
    checkpoint.
    Raises `TrainingError`: no usable data, a checkpoint that cannot be written or is another network's, a NaN loss.
    """
    if min(steps, batch) < 1 or crop < SMALLEST_CROP or seed < 0 or not 0 < rate < math.inf:
        raise TrainingError(
            f"steps {steps} and batch {batch} must be 1 or more, crop {crop} at least {SMALLEST_CROP}, seed {seed} no "
            f"less than 0, rate {rate:g} more than 0"
        )
    training, held = data.split(data.find(folders), also=hold_out)
    out.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(seed)
    model = lesson(precision, seed)
    model.optimizer.build(model.trainable_variables)
    course = Course(model, out, seed)
    with (
        until_asked() as stop,
        data.Pool(data.Shots(held or training, crop), out / "held-out", seed + 1) as exam,
        data.Pool(data.Shots(training, crop), out / "scenes", seed) as pool,
    ):
        exam.grow(JUDGE_SCENES)

        def draw(step: int, random: np.random.Generator) -> Any:
            pool.grow(first_scenes + step // steps_per_scene)
            return pool.draw(batch, crop, random)

        def examine() -> float:
            psnr, pictures = judge(model, [f for f in exam.frames if f.name.endswith("-0.npz")])
            strips(out / "samples.png", pictures)
            return psnr

        course.run(
            steps,
            rate,
            stop,
            draw=draw,
            judge=examine,
            export=lambda: checkpoint.export(out / "night.h5", model.network, metered=True),
            saved=lambda: curve(out / "curve.csv", out / "curve.png"),
            save_minutes=save_minutes,
            progress=progress,
        )
    return Outcome(out / "night.h5", course.step, course.step >= steps, course.psnr)
