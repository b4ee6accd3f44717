"""The way of a model through its steps, in as many sittings as it takes: what training and distilling share."""

from __future__ import annotations

import csv
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from realtime.enhance.keras_loader import keras, ops
from realtime.errors import TrainingError
from realtime.training import checkpoint

Progress = Callable[[int, int, dict[str, float]], None]

#: The moving average takes 1 - this of the weights every `AVERAGE_EVERY` steps: a memory of about a thousand steps.
AVERAGE, AVERAGE_EVERY = 0.99, 10
#: Steps between two judgements of the average.
JUDGE_EVERY = 500


class Outcome(NamedTuple):
    """What a sitting left behind; ``psnr`` in dB on held-out scenes, NaN before the first judgement."""

    weights: Path
    steps: int
    finished: bool
    psnr: float


@contextmanager
def until_asked() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set, so that a sitting ends well. Only the main thread may listen."""
    stop = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def rate_at(step: int, steps: int, peak: float) -> float:
    """The learning rate: a hundred steps of warm-up, then half a cosine down to a fiftieth."""
    warm = min(1.0, (step + 1) / 100)
    return peak * warm * (0.02 + 0.98 * (1 + math.cos(math.pi * min(step / steps, 1.0))) / 2)


class Course:
    """A compiled `model`, whose ``network`` learns, and where it stands; ``out``/state.npz is where it stood last.

    Raises `TrainingError` for a state that is another network's.
    """

    def __init__(self, model: keras.Model, out: Path, seed: int) -> None:
        self._model, self._out, self._seed = model, out, seed
        self._state = out / "state.npz"
        self.step, self._minutes, self.psnr = 0, 0.0, math.nan
        self._average: list[Any] = model.network.get_weights()
        found = checkpoint.restore(self._state)
        if found is None:
            return
        done, groups = found
        optimizer = [np.asarray(v) for v in model.optimizer.variables]
        for arrays, wanted in ((groups.get("network", []), self._average), (groups.get("optimizer", []), optimizer)):
            checkpoint.check(self._state, arrays, wanted)
        self.step, self._minutes, self.psnr = int(done["step"]), done["minutes"], done["psnr"]
        model.network.set_weights(groups["network"])
        self._average = groups["average"]
        for variable, value in zip(model.optimizer.variables, groups["optimizer"], strict=True):
            variable.assign(value)

    def run(
        self,
        steps: int,
        rate: float,
        stop: threading.Event,
        *,
        draw: Callable[[int, np.random.Generator], Any],
        judge: Callable[[], float],
        export: Callable[[], None],
        saved: Callable[[], None] | None = None,
        save_minutes: float = 5.0,
        progress: Progress | None = None,
    ) -> None:
        """Goes on to `steps`, or until `stop` is set, and saves.

        `draw` makes the batch of a step; `judge` answers the PSNR in dB of the averaged network on held-out scenes and
        `export` writes it, both with the average in the model; `saved` is called after each save on the way. Raises
        `TrainingError` for a loss that is no number, or a state that cannot be written.
        """
        last = lap = time.monotonic()
        while self.step < steps and not stop.is_set():
            # The seed of a step is its number, so a resumed run draws what an unbroken one would have drawn.
            batch = draw(self.step, np.random.default_rng([self._seed, 1, self.step]))
            self._model.optimizer.learning_rate = rate_at(self.step, steps, rate)
            losses = self._model.train_on_batch(batch, return_dict=True)
            numbers = {name: float(value) for name, value in losses.items()}
            if not math.isfinite(numbers["loss"]):
                raise TrainingError(
                    f"the loss is {numbers['loss']} at step {self.step}; lower the rate, what was saved is good"
                )
            self.step += 1
            if self.step % AVERAGE_EVERY == 0:
                self._remember()
            now = time.monotonic()
            self._minutes, lap = self._minutes + (now - lap) / 60, now
            if self.step % JUDGE_EVERY == 0 or self.step == steps:
                current = self._model.network.get_weights()
                self._model.network.set_weights(self._average)
                self.psnr = judge()
                export()
                self._model.network.set_weights(current)
            if self.step % 50 == 0 or self.step == steps:
                _note(self._out / "curve.csv", self.step, self._minutes, numbers, self.psnr)
                self._model.reset_metrics()
            if now - last > save_minutes * 60:
                self._save()
                if saved is not None:
                    saved()
                last = now
            if progress is not None:
                progress(self.step, steps, numbers | {"psnr": self.psnr})
        self._save()
        self._model.network.set_weights(self._average)
        export()

    def _remember(self) -> None:
        share = min(AVERAGE, self.step / (self.step + 10 * AVERAGE_EVERY))
        pairs = zip(self._average, self._model.network.get_weights(), strict=True)
        self._average = [share * a + (1 - share) * w for a, w in pairs]

    def _save(self) -> None:
        numbers = {"step": self.step, "minutes": self._minutes, "psnr": self.psnr, "seed": self._seed}
        optimizer = [ops.convert_to_numpy(v) for v in self._model.optimizer.variables]
        network = self._model.network.get_weights()
        if not all(np.isfinite(weight).all() for weight in network):
            raise TrainingError(f"weights are NaN after step {self.step}; lower the rate, what was saved is good")
        checkpoint.save(self._state, numbers, network=network, average=self._average, optimizer=optimizer)


def _note(path: Path, step: int, minutes: float, numbers: dict[str, float], psnr: float) -> None:
    fresh = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if fresh:
            writer.writerow(["step", "minutes", *numbers, "psnr"])
        writer.writerow([step, f"{minutes:.2f}", *(f"{value:.5f}" for value in numbers.values()), f"{psnr:.3f}"])
