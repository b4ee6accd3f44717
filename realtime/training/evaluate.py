"""How good an enhancer is, beside methods without a network. Needs scikit-image."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from realtime.errors import TrainingError
from realtime.frame import RGB, Frame, StreamInfo
from realtime.processor import Processor
from realtime.training import cases, metrics
from realtime.training.baselines import BASELINES, Bytes, EnhanceFunction
from realtime.training.cases import Case
from realtime.training.files import find_files
from realtime.training.trainer import Progress

#: Frames a second that clips are taken to have: exposure over time and flicker depend on it.
FRAME_RATE = 25


class Score(NamedTuple):
    """One method on one case; None where a measure does not apply.

    - `psnr` (dB) and `ssim` are against the truth; `aligned` is PSNR after the brightness was aligned with the truth.
    - `cast`: mean CIELAB chroma of dark neutral places of the truth, or without truth of black places of the input.
    - `blocks`: blockiness on the 8-pixel grid, 1 is none. `blown`: percentage of pixels. `flicker`: levels.
    - `input_blocks`, `input_blown`: the same of the input.
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


def as_stream(processor: Processor) -> EnhanceFunction:
    """A function that enhances the frames of a case as one stream, in order; a single picture is a scene of its own."""

    def enhance(pictures: Bytes) -> Bytes:
        height, width = pictures.shape[1:3]
        info = StreamInfo(width, height, rate=Fraction(FRAME_RATE), frames=len(pictures))
        session = processor.session(info, RGB)
        try:
            outputs: list[Frame] = []
            for index, picture in enumerate(pictures):
                planes = (np.ascontiguousarray(picture),)
                outputs += session.process([Frame(planes, pts=index, time_base=Fraction(1, FRAME_RATE))])
        finally:
            session.close()
        return np.stack([frame.planes[0] for frame in outputs])

    return enhance


def score(method: str, enhance: EnhanceFunction, case: Case) -> Score:
    """Raises TrainingError if the output does not have the input's shape and type."""
    output = enhance(case.frames)
    if output.shape != case.frames.shape or output.dtype != np.uint8:
        raise TrainingError(f"{method} returned {output.dtype} {output.shape} for uint8 {case.frames.shape}")
    true = list(zip(output, case.truth, strict=True)) if case.truth is not None else []
    casts = [metrics.color_cast(o, metrics.dark_neutral(t)) for o, t in true]
    casts = casts or [metrics.color_cast(o, metrics.black(f)) for o, f in zip(output, case.frames, strict=True)]
    return Score(
        method,
        case.name,
        case.kind,
        psnr=_mean([metrics.psnr(o, t) for o, t in true]),
        ssim=_mean([metrics.ssim(o, t) for o, t in true]),
        aligned=_mean([metrics.aligned_psnr(o, t) for o, t in true]),
        cast=_mean(casts),
        blocks=float(np.mean([metrics.blockiness(o) for o in output])),
        blown=float(np.mean([metrics.blown(o) for o in output])),
        flicker=metrics.flicker(output),
        input_blocks=float(np.mean([metrics.blockiness(f) for f in case.frames])),
        input_blown=float(np.mean([metrics.blown(f) for f in case.frames])),
    )


def evaluate(
    methods: Mapping[str, EnhanceFunction],
    *,
    pair_folders: Sequence[Path] = (),
    clean: Sequence[Path] = (),
    night: Sequence[Path] = (),
    baselines: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[Score]:
    """Scores every method, and the baselines, on every case.

    - `pair_folders` hold dark stills in low/ and their truth in high/.
    - `clean` and `night` are files, or folders of images and clips. Clean ones are cases as they are and darkened.

    Raises TrainingError for material that is missing or unreadable.
    """
    makers = list(_case_makers(pair_folders, _files(clean), _files(night), seed))
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
    """Means over the cases of each kind and method, in the order of first appearance; `case` is their number."""
    groups: dict[tuple[str, str], list[Score]] = {}
    for one in scores:
        groups.setdefault((one.kind, one.method), []).append(one)
    rows = []
    for (kind, method), group in groups.items():
        columns: dict[str, Any] = {name: _mean([getattr(one, name) for one in group]) for name in Score._fields[3:]}
        rows.append(Score(method, str(len(group)), kind, **columns))
    return rows


def table(scores: Sequence[Score]) -> str:
    """Scores as a Markdown table; "aligned" is marked as using the truth."""
    head = ["method", "kind", "case", "PSNR", "SSIM", "PSNR aligned to truth", "cast"]
    head += ["blocks (input)", "blown % (input)", "flicker"]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for s in scores:
        cells = [s.method, s.kind, s.case, _text(s.psnr, 2), _text(s.ssim, 3), _text(s.aligned, 2), _text(s.cast, 1)]
        cells += [f"{s.blocks:.2f} ({s.input_blocks:.2f})", f"{s.blown:.1f} ({s.input_blown:.1f})", _text(s.flicker, 2)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _files(paths: Sequence[Path]) -> list[Path]:
    return [file for path in paths for file in ([path] if path.is_file() else find_files([path]))]


def _case_makers(
    pair_folders: Sequence[Path], clean: Sequence[Path], night: Sequence[Path], seed: int
) -> Iterator[Callable[[], Case]]:
    """Cases are made one at a time: all of them together may not fit into memory."""
    for folder in pair_folders:
        yield from (partial(cases.pair_case, *pair) for pair in cases.find_pairs(folder))
    yield from (partial(cases.darkened_case, path, number, seed) for number, path in enumerate(clean))
    yield from (partial(cases.lit_case, path) for path in clean)
    yield from (partial(cases.night_case, path) for path in night)


def _mean(values: Sequence[float | None]) -> float | None:
    """The mean of those that are not None; None without any."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _text(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
