"""Cases to evaluate on: real pairs, clean material darkened here or as it is, real night."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from realtime.errors import TrainingError
from realtime.media.containers import IMAGE_SUFFIXES
from realtime.training.camera_model import add_noise, encoded, linear, simulate_codec, to_rgb, video_format
from realtime.training.files import CLIP_SUFFIXES, read_clip, read_image

Bytes = npt.NDArray[Any]
Floats = npt.NDArray[Any]
Kind = Literal["pair", "darkened", "lit", "night"]

#: Exposures that clean material is darkened to, in turn; sensor noise and CRF that it is recorded with.
EXPOSURES, SHOT, READ, CRF = (0.05, 0.08, 0.12), 2e-4, 2e-3, 23
#: Frames of a clip that are scored, and those before them, in which the codec settles.
FRAMES, SETTLING_FRAMES = 6, 6
#: Where in a clip frames are taken from, as a share of its length.
START = 0.3


class Case(NamedTuple):
    """Frames of one scene and the truth, uint8 RGB (N, H, W, 3); without truth for kind ``night``."""

    name: str
    kind: Kind
    frames: Bytes
    truth: Bytes | None


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


def darkened_case(path: Path, number: int, seed: int = 0) -> Case:
    """A clean image or clip, darkened in linear light, with sensor noise, as H.264. `number` chooses the exposure."""
    random = np.random.default_rng([seed, number])
    clean = _read(path, SETTLING_FRAMES + FRAMES)
    exposure = np.float32(EXPOSURES[number % len(EXPOSURES)])
    dark = [encoded(add_noise(linear(p) * exposure, SHOT, READ, 0, random)) for p in clean]
    format = video_format("h264", "bt709")
    recorded = [to_rgb(planes, format) for planes in simulate_codec(dark, "h264", CRF, format.matrix)]
    frames, truth = _to_bytes(recorded), _to_bytes(clean)
    scored = slice(SETTLING_FRAMES, None if _is_clip(path) else SETTLING_FRAMES + 1)
    return Case(path.stem, "darkened", frames[scored], truth[scored])


def lit_case(path: Path) -> Case:
    """A clean image or clip as it is: the right output is the input."""
    frames = _to_bytes(_read(path, FRAMES if _is_clip(path) else 1))
    return Case(path.stem, "lit", frames, frames)


def night_case(path: Path) -> Case:
    """Real night material, without truth."""
    return Case(path.stem, "night", _to_bytes(_read(path, FRAMES if _is_clip(path) else 1)), None)


def _is_clip(path: Path) -> bool:
    return path.suffix.lower() in CLIP_SUFFIXES


def _read(path: Path, count: int) -> list[Floats]:
    """So many frames with even sides, of an image the same one."""
    frames = read_clip(path, count, START) if _is_clip(path) else [read_image(path)] * count
    return [frame[: frame.shape[0] // 2 * 2, : frame.shape[1] // 2 * 2] for frame in frames]


def _to_bytes(pictures: Sequence[Floats]) -> Bytes:
    return np.stack([np.rint(np.clip(p, 0, 1) * 255).astype(np.uint8) for p in pictures])
