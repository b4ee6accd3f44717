"""Takes a model through its steps, in as many sessions as it takes: what training and distilling share."""

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
from realtime.training.settings import TrainingSettings

#: Called with steps done, steps in all, and the latest numbers by name.
Progress = Callable[[int, int, dict[str, float]], None]

#: The exponential moving average of the weights takes 1 - `EMA_DECAY` of them every `EMA_INTERVAL` steps: a memory of
#: about a thousand steps.
EMA_DECAY, EMA_INTERVAL = 0.99, 10
#: Steps between two validations of the average, and between two rows of the log.
VALIDATION_INTERVAL, LOG_INTERVAL = 500, 50
WARM_UP_STEPS = 100
#: The learning rate at the end, as a share of its peak.
LAST_RATE = 0.02
#: What helps against a loss that grows without bound.
LOWER_RATE = {"rate": "resume with a lower {}"}


class TrainingResult(NamedTuple):
    """What a session left behind. `psnr` in dB on held-out scenes, NaN before the first validation."""

    weights: Path
    steps: int
    finished: bool
    psnr: float


@contextmanager
def stop_on_signal() -> Iterator[threading.Event]:
    """An event that SIGINT, SIGTERM and SIGHUP set, so that a session ends with a checkpoint.

    Only the main thread listens.
    """
    stop = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    # Windows has no SIGHUP.
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    previous = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Linear warm-up, then half a cosine down to `LAST_RATE` of the peak."""
    warm_up = min(1.0, (step + 1) / WARM_UP_STEPS)
    return peak * warm_up * (LAST_RATE + (1 - LAST_RATE) * (1 + math.cos(math.pi * min(step / steps, 1.0))) / 2)


class Trainer:
    """A compiled `model`, whose ``network`` learns, and its state; ``out``/state.npz is the last checkpoint.

    Raises TrainingError for a checkpoint of another network.
    """

    def __init__(self, model: keras.Model, out: Path, settings: TrainingSettings) -> None:
        self._model, self._out, self._settings = model, out, settings
        self._path = out / "state.npz"
        self.step, self._minutes, self.psnr = 0, 0.0, math.nan
        self._average: list[Any] = model.network.get_weights()
        state = checkpoint.restore(self._path)
        if state is None:
            return
        numbers, groups = state
        optimizer = [np.asarray(variable) for variable in model.optimizer.variables]
        for name, expected in (("network", self._average), ("average", self._average), ("optimizer", optimizer)):
            checkpoint.check_shapes(self._path, groups.get(name, []), expected)
        self.step, self._minutes, self.psnr = int(numbers["step"]), numbers["minutes"], numbers["psnr"]
        model.network.set_weights(groups["network"])
        self._average = groups["average"]
        for variable, value in zip(model.optimizer.variables, groups["optimizer"], strict=True):
            variable.assign(value)

    def run(
        self,
        stop: threading.Event,
        *,
        next_batch: Callable[[int, np.random.Generator], Any],
        validate: Callable[[], float],
        export: Callable[[], None],
        on_save: Callable[[], None] | None = None,
        progress: Progress | None = None,
    ) -> None:
        """One session: goes on to ``settings.steps``, or until `stop` is set, and saves.

        - `next_batch` gives the batch of a step.
        - `validate` gives the PSNR in dB of the averaged network on held-out scenes, `export` writes it. Both are
          called with the average in the model.
        - `on_save` is called after each checkpoint.

        Raises TrainingError for a loss that is not a number, or a checkpoint that cannot be written.
        """
        settings, last_save = self._settings, time.monotonic()
        previous = last_save
        while self.step < settings.steps and not stop.is_set():
            # The seed of a step is its number, so a resumed run draws what an unbroken one would have drawn.
            batch = next_batch(self.step, np.random.default_rng([settings.seed, 1, self.step]))
            self._model.optimizer.learning_rate = learning_rate(self.step, settings.steps, settings.rate)
            losses = self._model.train_on_batch(batch, return_dict=True)
            numbers = {name: float(value) for name, value in losses.items()}
            if not math.isfinite(numbers["loss"]):
                raise TrainingError(
                    f"the loss is {numbers['loss']} at step {self.step}; the checkpoint is good", remedies=LOWER_RATE
                )
            self.step += 1
            if self.step % EMA_INTERVAL == 0:
                self._update_average()
            now = time.monotonic()
            self._minutes, previous = self._minutes + (now - previous) / 60, now
            last = self.step == settings.steps
            if self.step % VALIDATION_INTERVAL == 0 or last:
                with self._averaged():
                    self.psnr = validate()
                    export()
            if self.step % LOG_INTERVAL == 0 or last:
                _append_row(self._out / "curve.csv", self.step, self._minutes, numbers, self.psnr)
                self._model.reset_metrics()
            if now - last_save > settings.save_minutes * 60:
                self._save()
                if on_save is not None:
                    on_save()
                last_save = now
            if progress is not None:
                progress(self.step, settings.steps, numbers | {"psnr": self.psnr})
        self._save()
        if on_save is not None:
            on_save()
        with self._averaged():
            export()

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """The average in the model's network, within the block."""
        current = self._model.network.get_weights()
        self._model.network.set_weights(self._average)
        yield
        self._model.network.set_weights(current)

    def _update_average(self) -> None:
        # The first steps count for less, so that the average does not remember the first weights.
        decay = min(EMA_DECAY, self.step / (self.step + 10 * EMA_INTERVAL))
        pairs = zip(self._average, self._model.network.get_weights(), strict=True)
        self._average = [decay * average + (1 - decay) * weight for average, weight in pairs]

    def _save(self) -> None:
        numbers = {"step": self.step, "minutes": self._minutes, "psnr": self.psnr}
        optimizer = [ops.convert_to_numpy(variable) for variable in self._model.optimizer.variables]
        network = self._model.network.get_weights()
        if not all(np.isfinite(weight).all() for weight in network):
            raise TrainingError(
                f"weights are NaN after step {self.step}; the checkpoint before is good", remedies=LOWER_RATE
            )
        checkpoint.save(self._path, numbers, network=network, average=self._average, optimizer=optimizer)


def _append_row(path: Path, step: int, minutes: float, numbers: dict[str, float], psnr: float) -> None:
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(["step", "minutes", *numbers, "psnr"])
        writer.writerow([step, f"{minutes:.2f}", *(f"{value:.5f}" for value in numbers.values()), f"{psnr:.3f}"])
