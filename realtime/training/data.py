"""Clean pictures in, batches of training crops out.

`find` lists the sources of a folder, `split` holds some out by name, `Shots` reads short sequences from them, and
`Pool` keeps degraded scenes on disk, because encoding is slow beside cropping, and draws crops from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path
from types import TracebackType
from typing import Any
from zlib import crc32

import cv2
import numpy as np
import numpy.typing as npt

from realtime.errors import TrainingError
from realtime.media.libav import av
from realtime.training.degradation import Example, darken

Floats = npt.NDArray[Any]
Batch = dict[str, Floats]

IMAGES = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"}
CLIPS = {".mp4", ".mkv", ".mov", ".avi", ".webm"}
#: Scenes are filmed at this size; frames of a sequence, of which codecs settle on the later ones.
SCENE = (288, 384)
SEQUENCE = 6
#: One source in so many is a clip (where there are clips); short clips count for less.
CLIP_SHARE = 0.35


def find(folders: Iterable[Path]) -> list[Path]:
    """All images and clips below ``folders``, sorted. Raises `TrainingError` if there are none."""
    folders = list(folders)
    for folder in folders:
        if not folder.is_dir():
            raise TrainingError(f"{folder} is not a folder; name one that holds images or clips")
    files = sorted(f for folder in folders for f in folder.rglob("*") if f.suffix.lower() in IMAGES | CLIPS)
    if not files:
        names = ", ".join(str(folder) for folder in folders)
        raise TrainingError(f"no images or clips below {names}; looked for {', '.join(sorted(IMAGES | CLIPS))}")
    return files


def split(files: Sequence[Path], share: float = 0.12, also: Sequence[str] = ()) -> tuple[list[Path], list[Path]]:
    """(training, held out), by the name of the whole file: its checksum decides, so adding files moves none.

    ``also`` are glob patterns of file names that are held out whatever their checksum.
    """
    held = {f for f in files if crc32(f.stem.encode()) % 1000 < share * 1000 or any(fnmatch(f.name, a) for a in also)}
    return [f for f in files if f not in held], [f for f in files if f in held]


def read_image(path: Path) -> Floats:
    """One picture, float32 RGB (H, W, 3) 0..1. Raises `TrainingError`."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise TrainingError(f"{path} is not a readable image; remove or repair it")
    return picture[..., ::-1].astype(np.float32) / 255


def read_clip(path: Path, count: int, start: float = 0.0, skip: int = 0) -> list[Floats]:
    """``count`` consecutive frames from the key frame before ``start`` (0..1 of the length) plus ``skip`` frames."""
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.thread_count = 1
            container.seek(int(start * (container.duration or 0)))
            frames: list[Floats] = []
            for index, frame in enumerate(container.decode(stream)):
                if index >= skip:
                    frames.append(frame.to_ndarray(format="rgb24").astype(np.float32) / 255)
                if len(frames) == count:
                    break
    except (OSError, IndexError, av.error.FFmpegError) as error:
        raise TrainingError(f"{path} is not a readable clip ({error}); remove or repair it") from error
    if not frames:
        return read_clip(path, count) if skip or start else _nothing(path)
    return frames + [frames[-1]] * (count - len(frames))


def _nothing(path: Path) -> list[Floats]:
    raise TrainingError(f"{path} holds no frames; remove it")


class Shots:
    """Draws short clean sequences of `SCENE` size, whole frames and close-ups alike, from images and clips."""

    def __init__(self, files: Sequence[Path], crop: int, sequence: int = SEQUENCE, close: float = 0.6) -> None:
        """``crop`` is the smallest side to accept, ``close`` the share of close-ups."""
        self.sequence, self.close = sequence, close
        self.images = [f for f in files if f.suffix.lower() in IMAGES]
        self.clips = [f for f in files if f.suffix.lower() in CLIPS]
        if not files:
            raise TrainingError("no image is left for training; hold out fewer or add some")
        if crop > min(SCENE):
            raise TrainingError(
                f"a crop of {crop} does not fit scenes of {SCENE[1]}x{SCENE[0]}; use {min(SCENE)} at most"
            )
        self.smallest = crop
        sizes = np.array([f.stat().st_size for f in self.clips], np.float64)
        self.odds = sizes / sizes.sum() if len(sizes) else sizes

    def __call__(self, random: np.random.Generator) -> list[Floats]:
        return self.named(random)[0]

    def named(self, random: np.random.Generator) -> tuple[list[Floats], Path]:
        """A sequence and the file it is from."""
        height, width = SCENE
        sequence = self.sequence
        if self.clips and (not self.images or random.random() < CLIP_SHARE):
            path = self.clips[random.choice(len(self.clips), p=self.odds)]
            frames = read_clip(path, sequence, random.random(), int(random.integers(0, 40)))
            moves = np.zeros((sequence, 2))
        else:
            path = self.images[random.integers(len(self.images))]
            frames = [read_image(path)]
            shake = np.cumsum(random.normal(0, random.choice([0, 0.5, 2.0]), (sequence, 2)), axis=0)
            moves = shake + np.outer(np.arange(sequence), random.normal(0, 1.5, 2))
        if min(frames[0].shape[:2]) < self.smallest:
            raise TrainingError(
                f"{path} is {frames[0].shape[1]}x{frames[0].shape[0]}, smaller than a crop of {self.smallest}; "
                "remove it or train with smaller crops"
            )
        # The window is between the whole frame and one to one.
        whole = min(frames[0].shape[0] / height, frames[0].shape[1] / width)
        scale = whole
        if random.random() < self.close:
            scale = float(np.exp(random.uniform(min(0, np.log(whole)), np.log(max(whole, 1)))))
        room = np.array(frames[0].shape[:2]) - np.array([height, width]) * scale
        corner = random.uniform(0, 1, 2) * np.maximum(room, 0)
        zoom = 1 + random.normal(0, 0.004)
        pictures = []
        for index in range(sequence):
            frame = frames[index % len(frames)]
            y, x = np.clip(corner + moves[index] * scale, 0, np.maximum(room, 0))
            ratio = min(scale * zoom**index if len(frames) == 1 else scale, whole)
            bottom, right = int(y + height * ratio), int(x + width * ratio)
            part = frame[int(y) : bottom, int(x) : right]
            how = cv2.INTER_AREA if ratio > 1 else cv2.INTER_CUBIC
            pictures.append(np.clip(cv2.resize(part, (width, height), interpolation=how), 0, 1))
        return pictures, path


class Pool:
    """A growing set of degraded frames in a folder; `grow` adds a scene, `draw` cuts a batch from all there are.

    Scene number n depends on the seed and n alone, and `grow` waits for its turn, so a run repeats exactly. One thread
    prepares the next scene while the step runs; leaving the context joins it. Raises `TrainingError` from `grow`.
    """

    def __init__(self, shots: Shots, folder: Path, seed: int) -> None:
        self.shots, self.folder, self.seed = shots, folder, seed
        self.frames: list[Path] = []
        self.scenes = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._maker = ThreadPoolExecutor(1, thread_name_prefix="scenes")
        self._next: Future[list[Path]] | None = None

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._maker.shutdown(cancel_futures=True)

    def _make(self, number: int) -> list[Path]:
        done = self.folder / f"{number:06d}.txt"
        if done.exists():
            return [self.folder / name for name in done.read_text().split()]
        random = np.random.default_rng([self.seed, number])
        paths = []
        for index, example in enumerate(darken(self.shots(random), random)):
            path = self.folder / f"{number:06d}-{index}.npz"
            half: dict[str, Any] = {
                "recorded": example.recorded.astype(np.float16),
                "truth": example.truth.astype(np.float16),
            }
            np.savez(path, gain=example.gain, white=example.white, **half)
            paths.append(path)
        done.write_text("\n".join(path.name for path in paths))
        return paths

    def grow(self, scenes: int) -> None:
        """Let the pool hold ``scenes`` scenes, making those that the folder does not have yet."""
        while self.scenes < scenes:
            future = self._next or self._maker.submit(self._make, self.scenes)
            self.frames += future.result()
            self.scenes += 1
            self._next = self._maker.submit(self._make, self.scenes)

    def draw(self, batch: int, crop: int, random: np.random.Generator) -> Batch:
        """``batch`` random crops, turned and mirrored: recorded and truth (N, crop, crop, 3), gain and white (N,)."""
        examples = [load(self.frames[i]) for i in random.integers(0, len(self.frames), batch)]
        pairs = []
        for example in examples:
            y = random.integers(0, example.recorded.shape[0] - crop + 1)
            x = random.integers(0, example.recorded.shape[1] - crop + 1)
            turns, mirror = int(random.integers(4)), bool(random.integers(2))
            pair = [np.rot90(p[y : y + crop, x : x + crop], turns) for p in (example.recorded, example.truth)]
            pairs.append([p[:, ::-1] if mirror else p for p in pair])
        # The meter will not be right to the digit, so the network sees exposures around the right one.
        gains = [e.gain * float(np.exp(random.normal(0, 0.25))) if e.gain > 1 else 1.0 for e in examples]
        return {
            "recorded": np.stack([p[0] for p in pairs]).astype(np.float32),
            "truth": np.stack([p[1] for p in pairs]).astype(np.float32),
            "gain": np.clip(np.array(gains, np.float32), 1, 64),
            "white": np.array([e.white for e in examples], np.float32),
        }


def load(path: Path) -> Example:
    """One frame of a pool's folder."""
    with np.load(path) as held:
        return Example(held["recorded"], held["truth"], float(held["gain"]), float(held["white"]))
