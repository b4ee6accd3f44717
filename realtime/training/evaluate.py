"""How good an enhancer is, beside what needs no network: on pairs, on material darkened here, on real night."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from realtime.enhance.enhancer import Enhancer
from realtime.enhance.exposure.meter import encoded, linear
from realtime.errors import TrainingError
from realtime.frame import Frame, StreamInfo
from realtime.training import metrics
from realtime.training.baselines import BASELINES, Enhance
from realtime.training.camera_model import add_noise, film
from realtime.training.data import CLIPS, IMAGES, find, read_clip, read_image
from realtime.training.trainer import Progress

Bytes = npt.NDArray[Any]
Floats = npt.NDArray[Any]

#: Exposures that clean material is darkened to, in turn, and the sensor noise and crf it is filmed with.
EXPOSURES, SHOT, READ, CRF = (0.05, 0.08, 0.12), 2e-4, 2e-3, 23
#: Frames of a clip that are looked at, and those that run before so that the codec has settled.
FRAMES, SETTLE = 6, 6
#: Frames a second that clips are taken to have: what the meter's calm and the flicker depend on.
RATE = 25


class Case(NamedTuple):
    """Frames of one scene and the truth, (N, H, W, 3); ``kind`` is pair, darkened, lit or night (no truth)."""

    name: str
    kind: str
    frames: Bytes
    truth: Bytes | None


class Score(NamedTuple):
    """One method on one case; None where it does not apply. PSNR in dB, blown in percent, flicker in levels.

    ``blocks`` is the 8-pixel step ratio; ``cast`` the mean CIELAB chroma of dark neutral (with a truth) or black areas;
    ``aligned`` is PSNR after the brightness was aligned *with the truth*; ``input_...`` are the input's own figures.
    """

    method: str
    case: str
    kind: str
    psnr: float | None
    ssim: float | None
    aligned: float | None
    cast: float | None
    blocks: float
    blown: float
    flicker: float | None
    input_blocks: float
    input_blown: float


def _levels(pictures: Sequence[Floats]) -> Bytes:
    return np.stack([np.rint(np.clip(p, 0, 1) * 255).astype(np.uint8) for p in pictures])


def _even(picture: Floats) -> Floats:
    return picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2]


def pairs(folder: Path) -> list[tuple[Path, Path]]:
    """Every picture of ``folder``/low that has its like in ``folder``/high. Raises `TrainingError` if there is none."""
    lows = sorted(f for f in (folder / "low").glob("*") if f.suffix.lower() in IMAGES)
    found = [(low, folder / "high" / low.name) for low in lows if (folder / "high" / low.name).exists()]
    if not found:
        raise TrainingError(f"{folder} holds no pairs; it needs pictures of the same names in low/ and high/")
    return found


def pair(low: Path, high: Path) -> Case:
    """A dark still and its truth. Raises `TrainingError` if their sizes differ."""
    dark, truth = (_levels([read_image(path)]) for path in (low, high))
    if dark.shape != truth.shape:
        raise TrainingError(f"{low} and {high} differ in size")
    return Case(low.stem, "pair", dark, truth)


def _clean(path: Path, count: int) -> list[Floats]:
    if path.suffix.lower() in CLIPS:
        return [_even(frame) for frame in read_clip(path, count, 0.3)]
    return [_even(read_image(path))] * count


def darkened(path: Path, number: int, seed: int = 0) -> Case:
    """A clean image or clip, darkened in linear light, with sensor noise, as H.264; ``number`` chooses the exposure."""
    random = np.random.default_rng([seed, number])
    clean = _clean(path, SETTLE + FRAMES)
    exposure = np.float32(EXPOSURES[number % len(EXPOSURES)])
    taken = [encoded(add_noise(linear(p) * exposure, SHOT, READ, 0, random)) for p in clean]
    frames, truth = _levels(film(taken, "h264", CRF)), _levels(clean)
    keep = slice(SETTLE, None) if path.suffix.lower() in CLIPS else slice(SETTLE, SETTLE + 1)
    return Case(path.stem, "darkened", frames[keep], truth[keep])


def lit(path: Path) -> Case:
    """A clean image or clip as it is: the right answer is the input."""
    frames = _levels(_clean(path, FRAMES if path.suffix.lower() in CLIPS else 1))
    return Case(path.stem, "lit", frames, frames)


def night(path: Path, frames: int = FRAMES) -> Case:
    """Real night material, without truth."""
    return Case(path.stem, "night", _levels(_clean(path, frames)), None)


def played(enhancer: Enhancer) -> Enhance:
    """The enhancer as it is used: a picture is a scene of its own, several are a clip through which the meter moves."""

    def enhance(pictures: Bytes) -> Bytes:
        if len(pictures) == 1:
            return enhancer(pictures)
        height, width = pictures.shape[1:3]
        enhancer.prepare(StreamInfo(width, height, rate=Fraction(RATE)), rgb=True)
        made: list[Frame] = []
        for pts, picture in enumerate(pictures):
            made += enhancer.enhance([Frame((np.ascontiguousarray(picture),), pts=pts, time_base=Fraction(1, RATE))])
        return np.stack([frame.planes[0] for frame in made])

    return enhance


def score(method: str, enhance: Enhance, case: Case) -> Score:
    """Raises `TrainingError` if the answer is not of the input's shape and type."""
    answer = enhance(case.frames)
    if answer.shape != case.frames.shape or answer.dtype != np.uint8:
        raise TrainingError(f"{method} answered {answer.dtype} {answer.shape} for uint8 {case.frames.shape}")

    def mean(values: Sequence[float | None]) -> float | None:
        there = [v for v in values if v is not None]
        return float(np.mean(there)) if there else None

    true = list(zip(answer, case.truth, strict=True)) if case.truth is not None else []
    casts = [metrics.cast(a, metrics.dark_neutral(t)) for a, t in true]
    casts = casts or [metrics.cast(a, metrics.black(f)) for a, f in zip(answer, case.frames, strict=True)]
    return Score(
        method,
        case.name,
        case.kind,
        psnr=mean([metrics.psnr(a, t) for a, t in true]),
        ssim=mean([metrics.ssim(a, t) for a, t in true]),
        aligned=mean([metrics.aligned_psnr(a, t) for a, t in true]),
        cast=mean(casts),
        blocks=float(np.mean([metrics.blockiness(a) for a in answer])),
        blown=float(np.mean([metrics.blown(a) for a in answer])),
        flicker=metrics.flicker(answer),
        input_blocks=float(np.mean([metrics.blockiness(f) for f in case.frames])),
        input_blown=float(np.mean([metrics.blown(f) for f in case.frames])),
    )


def evaluate(
    methods: Mapping[str, Enhance],
    *,
    pair_folders: Sequence[Path] = (),
    clean: Sequence[Path] = (),
    dark: Sequence[Path] = (),
    baselines: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[Score]:
    """Score every method (and the baselines): on pairs, on clean files darkened and as they are, on real night footage.

    ``clean`` and ``dark`` are files or folders of images and clips, ``pair_folders`` hold low/ and high/.

    Raises `TrainingError` for material that is missing or unreadable.
    """
    clean, dark = ([f for p in paths for f in ([p] if p.is_file() else find([p]))] for paths in (clean, dark))
    makers: list[Callable[[], Case]] = [partial(pair, *files) for folder in pair_folders for files in pairs(folder)]
    makers += [partial(darkened, path, number, seed) for number, path in enumerate(clean)]
    makers += [partial(lit, path) for path in clean] + [partial(night, path) for path in dark]
    if not makers:
        raise TrainingError("nothing to evaluate on; name pairs, clean material or night footage")
    everyone = (BASELINES if baselines else {}) | dict(methods)
    scores = []
    for number, make in enumerate(makers):
        case = make()
        scores += [score(method, enhance, case) for method, enhance in everyone.items()]
        if progress:
            progress(number + 1, len(makers), {})
    return scores


def summary(scores: Sequence[Score]) -> list[Score]:
    """Means over the cases of each kind and method, in the order of their first appearance; the case is the count."""
    groups: dict[tuple[str, str], list[Score]] = {}
    for one in scores:
        groups.setdefault((one.kind, one.method), []).append(one)
    rows = []
    for (kind, method), group in groups.items():
        columns: dict[str, Any] = {}
        for name in Score._fields[3:]:
            values = [getattr(one, name) for one in group if getattr(one, name) is not None]
            columns[name] = float(np.mean(values)) if values else None
        rows.append(Score(method, str(len(group)), kind, **columns))
    return rows


def table(scores: Sequence[Score]) -> str:
    """Scores as a Markdown table; "aligned" is marked as using the truth."""
    heads = ["method", "kind", "case", "PSNR", "SSIM", "PSNR aligned to truth", "cast"]
    heads += ["blocks (input)", "blown % (input)", "flicker"]
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]

    def shown(value: float | None, digits: int) -> str:
        return "" if value is None else f"{value:.{digits}f}"

    for s in scores:
        cells = [s.method, s.kind, s.case, shown(s.psnr, 2), shown(s.ssim, 3), shown(s.aligned, 2), shown(s.cast, 1)]
        cells += [f"{s.blocks:.2f} ({s.input_blocks:.2f})", f"{s.blown:.1f} ({s.input_blown:.1f})", shown(s.flicker, 2)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
