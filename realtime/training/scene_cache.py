"""Degraded, exposed frames on disk, because encoding is slow beside cropping, and batches of crops from them."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime.enhance.exposure.fine import Fine
from realtime.training.clip_sampler import ClipSampler
from realtime.training.degradation import degrade
from realtime.training.exposing import Example, expose

Floats = npt.NDArray[Any]
TrainingBatch = dict[str, Floats]


class SceneCache:
    """A growing set of frames in a folder.

    Scene number N depends on the files, the seed and N alone, and `grow` waits for it, so a run can be repeated
    exactly. One thread prepares the next scene while a step runs; leaving the context joins it. A scene takes 2 MB.
    """

    def __init__(self, sampler: ClipSampler, folder: Path, seed: int, lifted: bool = True) -> None:
        """`lifted` is whether frames are exposed, or stay as they were recorded."""
        self._sampler, self._folder, self._seed, self._lifted = sampler, folder, seed, lifted
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

    def draw(self, batch: int, crop: int, random: np.random.Generator) -> TrainingBatch:
        """So many random crops, turned and mirrored: `recorded` and `target`, float32 (N, crop, crop, 3)."""
        crops: dict[str, list[Floats]] = {"recorded": [], "target": []}
        for index in random.integers(0, len(self.frames), batch):
            example = load(self.frames[index])
            height, width = example.target.shape[:2]
            y, x = (int(random.integers(0, side - crop + 1)) for side in (height, width))
            turns, mirror = int(random.integers(4)), bool(random.integers(2))
            for name, picture in (("recorded", example.recorded), ("target", example.target)):
                part = np.rot90(picture[y : y + crop, x : x + crop], turns)
                crops[name].append(part[:, ::-1] if mirror else part)
        return {name: np.stack(parts) for name, parts in crops.items()}

    def _make(self, number: int) -> list[Path]:
        # The list is written last, so that a scene that was interrupted is made again.
        done = self._folder / f"{number:06d}.txt"
        if done.exists():
            return [self._folder / name for name in done.read_text("utf-8").split()]
        random = np.random.default_rng([self._seed, number])
        paths = []
        scene = degrade(self._sampler.draw(random)[0], random)
        for index, example in enumerate(expose(scene, random, self._lifted)):
            paths.append(self._folder / f"{number:06d}-{index}.npz")
            save(paths[-1], example)
        done.write_text("\n".join(path.name for path in paths), "utf-8")
        return paths


def save(path: Path, example: Example) -> None:
    """Writes one frame."""
    planes = {name: plane for name, plane in example.fine._asdict().items() if plane is not None}
    np.savez(path, target=example.target.astype(np.float16), matrix=np.array(example.matrix), **planes)


def load(path: Path) -> Example:
    """What `save` wrote."""
    with np.load(path) as arrays:
        fine = Fine(arrays["luma"], arrays["blue"], arrays["red"])
        return Example(fine, str(arrays["matrix"]), arrays["target"].astype(np.float32))  # type: ignore[arg-type]


def whole_frame(frame: Path) -> TrainingBatch:
    """One frame as a batch of one."""
    example = load(frame)
    return {"recorded": example.recorded[None], "target": example.target[None]}
