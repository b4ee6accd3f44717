"""Degraded scenes on disk, because encoding is slow beside cropping, and batches of crops from them."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from realtime.training.clip_sampler import ClipSampler
from realtime.training.degradation import Example, degrade
from realtime.training.exposing import exposure_of

Floats = npt.NDArray[Any]
Batch = dict[str, Floats]

#: The file holds stops at one pixel for so many each way: light changes slowly, and files are large.
STOPS_SCALE = 4
#: The parts of an example that lie over its frame.
PICTURES = ("recorded", "dark", "daylight", "stops")


class SceneCache:
    """A growing set of degraded frames in a folder.

    Scene number N depends on the files, the seed and N alone, and `grow` waits for it, so a run can be repeated
    exactly. One thread prepares the next scene while a step runs; leaving the context joins it. A scene takes 3 MB.
    """

    def __init__(self, sampler: ClipSampler, folder: Path, seed: int) -> None:
        self._sampler, self._folder, self._seed = sampler, folder, seed
        #: The frames of all scenes, in order.
        self.frames: list[Path] = []
        self._scenes = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._maker = ThreadPoolExecutor(1, thread_name_prefix="scenes")
        self._next: Future[list[Path]] | None = None

    def __enter__(self) -> SceneCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._maker.shutdown(cancel_futures=True)

    @property
    def first_frames(self) -> list[Path]:
        """One frame of each scene: the second is much like it."""
        return [frame for frame in self.frames if frame.stem.endswith("-0")]

    def grow(self, scenes: int) -> None:
        """Lets the cache hold so many scenes; makes those that the folder does not have. Raises TrainingError."""
        while self._scenes < scenes:
            future = self._next or self._maker.submit(self._make, self._scenes)
            self.frames += future.result()
            self._scenes += 1
            self._next = self._maker.submit(self._make, self._scenes)

    def draw(self, batch: int, crop: int, random: np.random.Generator) -> Batch:
        """So many random crops of that size, turned and mirrored, from all frames.

        `recorded`, `dark` and `daylight` are (N, crop, crop, 3), `stops` (N, crop, crop); and what `exposure_of` adds.
        """
        rows: list[Batch] = []
        for index in random.integers(0, len(self.frames), batch):
            example = load(self.frames[index])
            values = {name: np.asarray(part) for name, part in example._asdict().items() if name in PICTURES}
            values |= exposure_of(example, random)
            height, width = example.recorded.shape[:2]
            y, x = (int(random.integers(0, side - crop + 1)) for side in (height, width))
            turns, mirror = int(random.integers(4)), bool(random.integers(2))
            rows.append({name: _crop(part, y, x, crop, turns, mirror) for name, part in values.items()})
        return {name: np.stack([row[name] for row in rows]).astype(np.float32) for name in rows[0]}

    def _make(self, number: int) -> list[Path]:
        # The list is written last, so that a scene that was interrupted is made again.
        done = self._folder / f"{number:06d}.txt"
        if done.exists():
            return [self._folder / name for name in done.read_text("utf-8").split()]
        random = np.random.default_rng([self._seed, number])
        paths = []
        for index, example in enumerate(degrade(self._sampler.draw(random)[0], random)):
            paths.append(self._folder / f"{number:06d}-{index}.npz")
            save(paths[-1], example)
        done.write_text("\n".join(path.name for path in paths), "utf-8")
        return paths


def save(path: Path, example: Example) -> None:
    """Writes one frame of a scene. Sources have 8 bits, so `daylight` keeps what it has in 8."""
    height, width = example.stops.shape
    small = cv2.resize(example.stops, (width // STOPS_SCALE, height // STOPS_SCALE), interpolation=cv2.INTER_AREA)
    np.savez(
        path,
        recorded=example.recorded.astype(np.float16),
        dark=example.dark.astype(np.float16),
        daylight=np.rint(example.daylight * 255).astype(np.uint8),
        stops=small.astype(np.float16),
        gain=example.gain,
        white=example.white,
    )


def load(path: Path) -> Example:
    """What `save` wrote: float32 pictures, `stops` enlarged to their size."""
    with np.load(path) as arrays:
        recorded, dark = (arrays[name].astype(np.float32) for name in ("recorded", "dark"))
        daylight = arrays["daylight"].astype(np.float32) / 255
        stops = cv2.resize(arrays["stops"].astype(np.float32), recorded.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        return Example(recorded, dark, daylight, stops, float(arrays["gain"]), float(arrays["white"]))


def _crop(values: Floats, y: int, x: int, size: int, turns: int, mirror: bool) -> Floats:
    """A crop of what lies over the frame; a number stays as it is."""
    if values.ndim < 2:
        return values
    part = np.rot90(values[y : y + size, x : x + size], turns)
    return part[:, ::-1] if mirror else part


def whole_frame(frame: Path) -> Batch:
    """One frame as a batch of one, exposed as it needs, without any error of the meter."""
    example = load(frame)
    values = {name: np.asarray(part) for name, part in example._asdict().items() if name in PICTURES}
    return {name: np.asarray(part)[None] for name, part in (values | exposure_of(example, None)).items()}
