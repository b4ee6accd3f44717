"""Whether the tables of an MP4's index agree with each other and with the file (ISO/IEC 14496-12).

libav takes what it can from tables that do not agree, in silence. Without damage they do: all describe one list of
samples, whose bytes lie side by side in the file and belong to one sample each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.media import isobmff
from realtime.media.isobmff import boxes, find
from realtime.media.timestamps import MAX_REORDERED

Numbers = npt.NDArray[np.int64]

#: Boxes that every track has: (those around them), name. One of several names where formats differ.
REQUIRED = (
    ((), (b"tkhd",)),
    ((b"mdia",), (b"mdhd",)),
    ((b"mdia",), (b"hdlr",)),
    ((b"mdia", b"minf", b"stbl"), (b"stsd",)),
    ((b"mdia", b"minf", b"stbl"), (b"stts",)),
    ((b"mdia", b"minf", b"stbl"), (b"stsc",)),
    ((b"mdia", b"minf", b"stbl"), (b"stsz", b"stz2")),
    ((b"mdia", b"minf", b"stbl"), (b"stco", b"co64")),
)
#: Kinds of tracks whose tables are looked at, and the box that also says which kind a track is.
KINDS = {b"vide": b"vmhd", b"soun": b"smhd", b"sbtl": b"", b"subt": b"", b"text": b""}
#: Seconds by which lengths may differ that are said twice: their clocks differ.
TOLERANCE = 0.2


@dataclass(frozen=True)
class _Table:
    """A track's list of samples: sizes in bytes, of each chunk its offset and first sample, ticks a second."""

    sizes: Numbers
    chunks: Numbers
    firsts: Numbers
    scale: int


def problems(path: Path) -> Iterator[str]:
    """What does not agree in the index of a file; nothing for one without an index."""
    moov = isobmff.read_moov(path)
    if moov is None:
        return
    movie_scale, _ = isobmff.times(find(moov, b"mvhd"))
    fragmented = bool(find(moov, b"mvex"))
    extents: list[tuple[Numbers, Numbers]] = []
    for number, trak in enumerate((body for kind, body in boxes(moov) if kind == b"trak"), 1):
        missing = [names[0].decode() for around, names in REQUIRED if not _has(trak, around, names)]
        yield from (f"the index: track {number} has no {name}" for name in missing)
        scale, _ = isobmff.times(find(trak, b"mdia", b"mdhd"))
        if find(trak, b"mdia", b"mdhd") and not 0 < scale < 1 << 31:
            yield f"the index: the clock of track {number}"
        kind = find(trak, b"mdia", b"hdlr")[8:12]
        heads = [head for head in KINDS.values() if head and _has(trak, (b"mdia", b"minf"), (head,))]
        if heads and KINDS.get(kind) != heads[0]:
            yield f"the index: track {number} has two kinds"
        if kind in KINDS and not missing and not fragmented:
            yield from (f"the index: {text} of track {number}" for text in _track_problems(trak, movie_scale, extents))
    for kind, body in boxes(moov):
        if kind != b"trak" and find(body, b"mdia", b"mdhd"):
            yield "the index: a track is in a box of another type"
    if extents:
        yield from _extent_problems(path, extents)


def _track_problems(trak: bytes, movie_scale: int, extents: list[tuple[Numbers, Numbers]]) -> Iterator[str]:
    """What does not agree in one track; adds the offsets and sizes of its chunks to `extents`."""
    stbl = find(trak, b"mdia", b"minf", b"stbl")
    scale, length = isobmff.times(find(trak, b"mdia", b"mdhd"))
    steps = _entries(stbl, b"stts", 2)
    if steps is None or not scale:
        yield "the times"
        return
    sizes = _sizes(stbl)
    count = int.from_bytes(find(stbl, b"stsz")[8:12], "big") if sizes is None else len(sizes)
    if steps[:, 0].sum() != count:
        yield "numbers of samples and times"
    shifts = _entries(stbl, b"ctts", 2) if find(stbl, b"ctts") else np.zeros((0, 2), np.int64)
    if shifts is None or (len(shifts) and shifts[:, 0].sum() != count):
        yield "numbers of samples and presentation times"
        return
    moved = shifts[:, 1].astype(np.uint32).view(np.int32).astype(np.int64)
    if len(moved) and np.abs(moved - np.median(moved)).max() > MAX_REORDERED * max(int(steps[:, 1].max()), 1):
        yield "presentation times"
    # Some count the delay of reordering, or the time before the first sample.
    total = int((steps[:, 0] * steps[:, 1]).sum())
    before = sum(duration * scale // max(movie_scale, 1) for duration, begin in isobmff.edits(trak) if begin < 0)
    slack = TOLERANCE * scale + 2 * _median(steps)
    if not total - slack <= length <= total + int(max(moved, default=0)) + before + slack:
        yield "length and times"
    if len(moved) and sizes is not None and steps[:, 0].sum() == count and movie_scale:
        durations = np.repeat(steps[:, 1], steps[:, 0])
        times = np.cumsum(durations) - durations + np.repeat(moved, shifts[:, 0])
        for duration, begin in isobmff.edits(trak)[-1:]:
            # Neither a list that shows all nor one that cuts shows nothing first and leaves out the end.
            end = begin + (duration + 1) * scale / movie_scale
            if 0 <= begin < times.min() and end < times.max() + _median(steps):
                yield "edit list and presentation times"
    if sizes is not None and (sizes == 0).any():
        yield "sizes"
    yield from _edit_problems(trak, movie_scale, scale, length + isobmff.first_shift(trak))
    runs, kinds = _entries(stbl, b"stsc", 3), int.from_bytes(find(stbl, b"stsd")[4:8], "big")
    if runs is not None and len(runs) and not 1 <= runs[:, 2].min() <= runs[:, 2].max() <= kinds:
        yield "descriptions of samples"
    table = _chunks(stbl, count)
    if table is None:
        yield "numbers of samples and chunks"
    elif _is_here(trak):
        chunks, firsts = table
        if sizes is None:  # at least: some sound has more bytes for each of its samples than it says
            lengths = np.diff(np.append(firsts, count)) * int.from_bytes(find(stbl, b"stsz")[4:8], "big")
        else:
            lengths = np.add.reduceat(sizes, firsts) if len(firsts) else firsts
        extents.append((chunks, lengths))


def _edit_problems(trak: bytes, movie_scale: int, scale: int, length: int) -> Iterator[str]:
    """Compares the edit list with the length of the track, and with what there is to show: `length` ticks."""
    edits = isobmff.edits(trak)
    header = find(trak, b"tkhd")
    wide = header[:1] == b"\1"
    declared = int.from_bytes(header[28:36] if wide else header[20:24], "big")
    if not edits or not movie_scale or declared in (0, (1 << 32) - 1, (1 << 64) - 1):
        return
    shown = sum(duration for duration, _ in edits)
    if abs(shown - declared) > TOLERANCE * movie_scale:
        yield "edit list and length"
    for duration, begin in edits:
        if begin < -1:  # -1 is an empty part
            yield "edit list"
        elif begin >= 0 and begin / scale + duration / movie_scale > length / scale + 2 * TOLERANCE:
            yield "edit list and samples"


def _extent_problems(path: Path, extents: list[tuple[Numbers, Numbers]]) -> Iterator[str]:
    """Whether chunks overlap or lie outside of the file."""
    offsets, sizes = (np.concatenate(parts) for parts in zip(*extents))
    order = np.argsort(offsets, kind="stable")
    begins, ends = offsets[order], (offsets + sizes)[order]
    if len(ends) and int(ends.max()) > path.stat().st_size:
        yield "the index: samples lie behind the end of the file"
    gaps = begins[1:] - np.maximum.accumulate(ends)[:-1]
    overlaps = int((gaps < 0).sum())
    if overlaps:
        yield f"the index: {overlaps} chunks of samples overlap"


def _has(data: bytes, around: tuple[bytes, ...], names: tuple[bytes, ...]) -> bool:
    return any(kind in names for kind, _ in boxes(find(data, *around) if around else data))


def _entries(stbl: bytes, name: bytes, fields: int) -> Numbers | None:
    """The table of that name, (N, fields); None where it is shorter than it says."""
    data = find(stbl, name)
    if len(data) < 8 + 4 * fields * int.from_bytes(data[4:8], "big"):
        return None
    return isobmff.entries(stbl, name, fields)


def _sizes(stbl: bytes) -> Numbers | None:
    """The size of each sample; None where all have one, or where they are stored in another way."""
    data = find(stbl, b"stsz")
    count = int.from_bytes(data[8:12], "big")
    if not data or int.from_bytes(data[4:8], "big"):
        return None
    return np.frombuffer(data, ">u4", min(count, (len(data) - 12) // 4), 12).astype(np.int64)


def _chunks(stbl: bytes, samples: int) -> tuple[Numbers, Numbers] | None:
    """Offset and first sample of each chunk; None where they do not hold as many samples as there are."""
    runs = _entries(stbl, b"stsc", 3)
    wide = find(stbl, b"co64")
    data = wide or find(stbl, b"stco")
    count, width = int.from_bytes(data[4:8], "big"), 8 if wide else 4
    if runs is None or len(data) < 8 + width * count or (count and not len(runs)):
        return None
    offsets = np.frombuffer(data, f">u{width}", count, 8).astype(np.int64)
    if not count:
        return (offsets, offsets) if not samples else None
    firsts = runs[:, 0] - 1
    lengths = np.diff(np.append(firsts, count))
    if firsts[0] != 0 or (lengths <= 0).any() or (runs[:, 1] > samples).any():
        return None
    per_chunk = np.repeat(runs[:, 1], lengths)
    if per_chunk.sum() != samples or (per_chunk == 0).any():
        return None
    return offsets, np.cumsum(per_chunk) - per_chunk


def _median(steps: Numbers) -> int:
    """The usual step of a table of (number, step)."""
    if not len(steps):
        return 0
    order = np.argsort(steps[:, 1])
    numbers = np.cumsum(steps[order, 0].astype(np.float64))
    return int(steps[order, 1][np.searchsorted(numbers, numbers[-1] / 2)])


def _is_here(trak: bytes) -> bool:
    """Whether the samples of a track lie in the file itself."""
    references = find(trak, b"mdia", b"minf", b"dinf", b"dref")
    return len(references) < 20 or bool(references[19] & 1)
