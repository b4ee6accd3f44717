"""Cases to evaluate on: real pairs, clean material darkened here or as it is, real night."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from realtime.errors import TrainingError
from realtime.media.containers import IMAGE_SUFFIXES, VIDEO_INPUT_SUFFIXES
from realtime.training.camera_model import add_noise, encoded, linear, simulate_codec, to_rgb, video_format
from realtime.training.files import find_files, read_clip, read_image
from realtime.training.illumination import Illumination, even

Bytes = npt.NDArray[Any]
Floats = npt.NDArray[Any]
CaseKind = Literal["pair", "even", "uneven", "lit", "night"]

#: Exposures that clean material is darkened to, in turn; and where the light is uneven, ambient light beside the lamps.
EXPOSURES, AMBIENTS = (0.05, 0.08, 0.12), (1 / 60, 1 / 100, 1 / 150)
#: Sensor noise, its grain in pixels, and the CRF of H.264.
SHOT, READ, GRAIN, CRF = 2e-4, 1e-3, 0.5, 23
#: Frames of a clip that are scored, and those before them, in which codec, exposure and memory settle.
SCORED_FRAMES, SETTLING_FRAMES = 12, 12
#: Where in a clip frames are taken from, as a share of its length.
START = 0.3
#: Clean material is reduced to this width: float frames of a clip must fit into memory. Night keeps its own pixels.
MAX_WIDTH = 960


@dataclass(frozen=True, eq=False)
class Case:
    """Frames of one scene and the truth, uint8 RGB (N, H, W, 3); `truth` is None for kind ``night``.

    The first `settling` frames are shown to a method and not scored.
    """

    name: str
    kind: CaseKind
    frames: Bytes
    truth: Bytes | None
    settling: int = 0


def case_makers(
    pair_folders: Sequence[Path], clean: Sequence[Path], night: Sequence[Path], seed: int = 0
) -> Iterator[Callable[[], Case]]:
    """What makes the cases, one at a time: all of them together may not fit into memory.

    `pair_folders` hold low/ and high/; `clean` and `night` are files, or folders of images and clips. Each clean file
    is a case as it is, evenly darkened and unevenly darkened. Raises TrainingError for missing material.
    """
    for folder in pair_folders:
        yield from (partial(pair_case, *pair) for pair in find_pairs(folder))
    for number, path in enumerate(_files(clean)):
        yield partial(even_case, path, number, seed)
        yield partial(uneven_case, path, number, seed)
        yield partial(lit_case, path)
    yield from (partial(night_case, path) for path in _files(night))


def find_pairs(folder: Path) -> list[tuple[Path, Path]]:
    """Every picture of `folder`/low with the picture of that name in `folder`/high. Raises TrainingError for none."""
    lows = sorted(f for f in (folder / "low").glob("*") if f.suffix.lower() in IMAGE_SUFFIXES)
    pairs = [(low, folder / "high" / low.name) for low in lows if (folder / "high" / low.name).exists()]
    if not pairs:
        raise TrainingError(f"{folder} holds no pairs; it needs pictures of the same names in low/ and high/")
    return pairs


def pair_case(low: Path, high: Path) -> Case:
    """A dark still and its truth. Raises TrainingError if their sizes differ."""
    dark, truth = (_to_bytes([read_image(path)]) for path in (low, high))
    if dark.shape != truth.shape:
        raise TrainingError(f"{low} and {high} differ in size")
    return Case(low.stem, "pair", dark, truth)


def even_case(path: Path, number: int, seed: int = 0) -> Case:
    """A clean image or clip, darkened by the same factor everywhere; `number` chooses the exposure."""
    clean = _read(path, SETTLING_FRAMES + SCORED_FRAMES)
    height, width = clean[0].shape[:2]
    light = even(height, width, EXPOSURES[number % len(EXPOSURES)])
    return _darkened(path, "even", clean, light, np.random.default_rng([seed, number]))


def uneven_case(path: Path, number: int, seed: int = 0) -> Case:
    """A clean image or clip under headlights and two lamps; `number` chooses the light beside them."""
    clean = _read(path, SETTLING_FRAMES + SCORED_FRAMES)
    height, width = clean[0].shape[:2]
    light = night_road(height, width, AMBIENTS[number % len(AMBIENTS)])
    return _darkened(path, "uneven", clean, light, np.random.default_rng([seed, number, 1]))


def lit_case(path: Path) -> Case:
    """A clean image or clip as it is: the right output is the input."""
    frames = _to_bytes(_read(path, SETTLING_FRAMES + SCORED_FRAMES if _is_clip(path) else 1))
    return Case(path.stem, "lit", frames, frames, SETTLING_FRAMES if _is_clip(path) else 0)


def night_case(path: Path) -> Case:
    """Real night material, without truth."""
    count = SETTLING_FRAMES + SCORED_FRAMES if _is_clip(path) else 1
    frames = _to_bytes(_read(path, count, max_width=None))
    return Case(path.stem, "night", frames, None, SETTLING_FRAMES if _is_clip(path) else 0)


def night_road(height: int, width: int, ambient: float) -> Illumination:
    """Always the same road at night: a cone of headlights and two lamps with glare over `ambient` light."""
    y, x = (axis.astype(np.float32) / side for axis, side in zip(np.mgrid[0:height, 0:width], (height, width)))
    cone = np.exp(-(((x - 0.5) / (0.12 + 0.5 * np.clip(y - 0.4, 0, 1))) ** 2)) / (1 + np.exp(-(y - 0.62) * 14))
    field, lamps = ambient + 0.6 * cone, np.zeros((height, width, 3), np.float32)
    for lamp_y, lamp_x in ((0.18, 0.2), (0.25, 0.8)):
        radius = np.hypot((y - lamp_y) * height / width, x - lamp_x)
        field = field + 0.35 * (1 + (radius / 0.07) ** 2) ** -1.5
        glare = np.exp(-((radius / 0.008) ** 4)) + 0.02 * np.exp(-radius / 0.03)
        lamps += (1.2 * glare)[..., None] * np.array([1, 0.85, 0.6], np.float32)
    return Illumination(np.minimum(field, 1).astype(np.float32), lamps)


def _darkened(
    path: Path, kind: CaseKind, clean: Sequence[Floats], light: Illumination, random: np.random.Generator
) -> Case:
    """In linear light, with sensor noise, as H.264. An image is scored once, after the codec has settled."""
    scenes = (np.clip(linear(picture) * light.field[..., None] + light.lamps, 0, 1) for picture in clean)
    dark = [encoded(add_noise(scene, SHOT, READ, GRAIN, random)) for scene in scenes]
    format = video_format("h264", "bt709")
    frames = _to_bytes([to_rgb(planes, format) for planes in simulate_codec(dark, "h264", CRF, format.matrix)])
    truth = _to_bytes(clean)
    if _is_clip(path):
        return Case(path.stem, kind, frames, truth, SETTLING_FRAMES)
    return Case(path.stem, kind, frames[-1:], truth[-1:])


def _files(paths: Sequence[Path]) -> list[Path]:
    return [file for path in paths for file in ([path] if path.is_file() else find_files([path]))]


def _is_clip(path: Path) -> bool:
    return path.suffix.lower() in VIDEO_INPUT_SUFFIXES


def _read(path: Path, count: int, max_width: int | None = MAX_WIDTH) -> list[Floats]:
    """So many frames with even sides, of an image the same one."""
    frames = read_clip(path, count, START) if _is_clip(path) else [read_image(path)]
    height, width = frames[0].shape[:2]
    scale = min(1.0, max_width / width) if max_width else 1.0
    size = (int(width * scale) // 2 * 2, int(height * scale) // 2 * 2)
    if scale < 1:
        frames = [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames]
    frames = [frame[: size[1], : size[0]] for frame in frames]
    return frames if _is_clip(path) else frames * count


def _to_bytes(pictures: Sequence[Floats]) -> Bytes:
    return np.stack([np.rint(np.clip(p, 0, 1) * 255).astype(np.uint8) for p in pictures])
