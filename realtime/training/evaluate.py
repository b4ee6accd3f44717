"""How good an enhancer is, beside methods without a network. Needs scikit-image."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from realtime.errors import TrainingError
from realtime.frame import RGB, Frame, StreamInfo
from realtime.processor import Processor
from realtime.training import metrics, night_metrics
from realtime.training.baselines import BASELINES, Bytes, EnhanceFunction
from realtime.training.camera_model import FRAME_RATE, encode
from realtime.training.cases import CRF, Case, case_makers
from realtime.training.contact_sheet import ContactSheet
from realtime.training.trainer import Progress

#: One frame of so many is compared with the truth; what is measured over time uses all.
FRAME_STEP = 4
#: The baseline that a contact sheet shows beside the input.
SHEET_BASELINE = "gain to mean"


class Score(NamedTuple):
    """One method on one case; None where a measure does not apply. More of it is better, or (-) less.

    Against the truth:
    - `psnr` (dB), `ssim`; `aligned`: PSNR after the brightness was aligned with the truth.
    - `structure`: local correlation, 0..1. `halo` (-): CIELAB L* beside strong edges.
    - `ab_var`, `mabd` (-): consistency of brightness over time, levels squared.

    Without truth:
    - `visible`: percentage of places with signal that come out visible. `black` (-): level of places without signal.
    - `cast` (-): mean CIELAB chroma of dark neutral places of the truth, or of black places of the input.
    - `noise` (-): over time in still places, relative to the input brightened alike.
    - `blocks` (-): blockiness on the 8-pixel grid, 1 is none. `blown` (-): percentage of pixels. `flicker` (-): levels.
    - `kilobits` (-): per frame, as H.264. `input_...`: the same of the input.
    """

    method: str
    case: str
    kind: str
    psnr: float | None
    ssim: float | None
    aligned: float | None
    structure: float | None
    visible: float | None
    black: float | None
    cast: float | None
    halo: float | None
    noise: float | None
    blocks: float
    blown: float
    flicker: float | None
    ab_var: float | None
    mabd: float | None
    kilobits: float
    input_blocks: float
    input_blown: float
    input_kilobits: float


#: Columns of the table: heading, field, digits, field of the input.
_COLUMNS = (
    ("PSNR", "psnr", 2, None),
    ("SSIM", "ssim", 3, None),
    ("PSNR aligned to truth", "aligned", 2, None),
    ("structure", "structure", 2, None),
    ("visible %", "visible", 0, None),
    ("black", "black", 1, None),
    ("cast", "cast", 1, None),
    ("halo", "halo", 1, None),
    ("noise", "noise", 2, None),
    ("blocks (input)", "blocks", 2, "input_blocks"),
    ("blown % (input)", "blown", 1, "input_blown"),
    ("flicker", "flicker", 2, None),
    ("AB(Var)", "ab_var", 2, None),
    ("MABD", "mabd", 2, None),
    ("kbit (input)", "kilobits", 0, "input_kilobits"),
)


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


def score(method: str, enhance: EnhanceFunction, case: Case) -> tuple[Score, Bytes]:
    """The score, and the output. Raises TrainingError if the output does not have the input's shape and type."""
    whole = enhance(case.frames)
    if whole.shape != case.frames.shape or whole.dtype != np.uint8:
        raise TrainingError(f"{method} returned {whole.dtype} {whole.shape} for uint8 {case.frames.shape}")
    output, source = whole[case.settling :], case.frames[case.settling :]
    truth = None if case.truth is None else case.truth[case.settling :]
    some = range(0, len(output), FRAME_STEP)
    pairs = [(source[i], output[i]) for i in some]
    true = [] if truth is None else [(output[i], truth[i]) for i in some]
    casts = [metrics.color_cast(o, metrics.dark_neutral(t)) for o, t in true]
    casts = casts or [metrics.color_cast(o, metrics.black(s)) for s, o in pairs]
    clip = len(output) > 1
    result = Score(
        method,
        case.name,
        case.kind,
        psnr=_mean([metrics.psnr(o, t) for o, t in true]),
        ssim=_mean([metrics.ssim(o, t) for o, t in true]),
        aligned=_mean([metrics.aligned_psnr(o, t) for o, t in true]),
        structure=_mean([night_metrics.structure(o, t) for o, t in true]),
        visible=_mean([night_metrics.visible_share(s, o) for s, o in pairs]),
        black=_mean([night_metrics.level_of_empty(s, o) for s, o in pairs]),
        cast=_mean(casts),
        halo=_mean([night_metrics.halo(o, t) for o, t in true]),
        noise=night_metrics.relative_noise(source, output) if clip else None,
        blocks=float(np.mean([metrics.blockiness(o) for _, o in pairs])),
        blown=float(np.mean([metrics.blown(o) for _, o in pairs])),
        flicker=metrics.flicker(output),
        ab_var=night_metrics.ab_var(output, truth) if clip and truth is not None else None,
        mabd=night_metrics.mabd_error(output, truth) if clip and truth is not None else None,
        kilobits=kilobits(output),
        input_blocks=float(np.mean([metrics.blockiness(s) for s, _ in pairs])),
        input_blown=float(np.mean([metrics.blown(s) for s, _ in pairs])),
        input_kilobits=kilobits(source),
    )
    return result, output


def kilobits(clip: Bytes) -> float:
    """What H.264 needs per frame of a clip, at the CRF of darkened cases."""
    height, width = (side // 2 * 2 for side in clip.shape[1:3])
    packets = encode([picture[:height, :width].astype(np.float32) / 255 for picture in clip], "h264", CRF)
    return float(sum(packet.size for packet in packets)) * 8 / 1000 / len(clip)


def evaluate(
    methods: Mapping[str, EnhanceFunction],
    *,
    pair_folders: Sequence[Path] = (),
    clean: Sequence[Path] = (),
    night: Sequence[Path] = (),
    baselines: bool = True,
    sheet: Path | None = None,
    progress: Progress | None = None,
) -> list[Score]:
    """Scores every method, and the baselines, on every case; `cases.case_makers` says what cases there are.

    `sheet` is a folder for a `ContactSheet` of the last frames. Raises TrainingError for material that is missing or
    unreadable.
    """
    makers: list[Callable[[], Case]] = list(case_makers(pair_folders, clean, night))
    if not makers:
        raise TrainingError("nothing to evaluate on; name pairs, clean material or night footage")
    everyone = (BASELINES if baselines else {}) | dict(methods)
    page = None if sheet is None else ContactSheet(sheet)
    scores = []
    for number, make in enumerate(makers):
        case = make()
        pictures = {"input": case.frames[-1], SHEET_BASELINE: BASELINES[SHEET_BASELINE](case.frames[-1:])[0]}
        for method, enhance in everyone.items():
            result, output = score(method, enhance, case)
            scores.append(result)
            if method in methods:
                pictures[method] = output[-1]
        if page is not None:
            page.add(f"{case.name}, {case.kind}", pictures | ({} if case.truth is None else {"truth": case.truth[-1]}))
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
    head = ["method", "kind", "case", *(column[0] for column in _COLUMNS)]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for one in scores:
        cells = [one.method, one.kind, one.case]
        for _, field, digits, of_input in _COLUMNS:
            text = _text(getattr(one, field), digits)
            cells.append(f"{text} ({_text(getattr(one, of_input), digits)})" if of_input else text)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _mean(values: Sequence[float | None]) -> float | None:
    """The mean of those that are not None; None without any."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _text(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
