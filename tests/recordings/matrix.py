"""What ffprobe sees in a recording before and after: the cells of the matrix."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from recipe import Row

from realtime import RealtimeError, enhance_video
from realtime.cli.io_pairs import resolve_io

#: Tags that the program adds, or that describe a file and not its recording.
OURS = ("enhanced_by", "enhanced_with", "realtime_job")
OF_FILES = ("major_brand", "minor_version", "compatible_brands", "encoder", "duration", "vendor_id", *OURS)
#: Seconds by which a clock of milliseconds, Matroska's, may round a time.
TICK = Fraction(1, 1000)
#: Seconds by which a length may differ: one picture, and what rounding adds.
FRAME = 0.0401
NONE = "–"
KEPT = "kept"


def probe(path: Path, *what: str) -> Any:
    command = ["ffprobe", "-v", "error", "-of", "json", *what, str(path)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)


@dataclass(frozen=True)
class Look:
    """A file as the independent reader sees it."""

    streams: list[Any]
    packets: list[Any]
    frames: list[Any]
    chapters: list[Any]
    tags: dict[str, str]
    seconds: float

    @property
    def video(self) -> Any:
        return self.of("video")[0]

    def of(self, kind: str) -> list[Any]:
        """The streams of a kind; a cover is none of the kind "video", but of "cover". MP4's tracks of chapters and
        timecodes are left to `told`."""

        def named(stream: Any) -> str:
            if stream["codec_tag_string"] in ("text", "tmcd"):
                return "told"
            return "cover" if stream["disposition"]["attached_pic"] else str(stream["codec_type"])

        return [stream for stream in self.streams if named(stream) == kind]

    def times(self) -> list[Fraction]:
        """When each picture is shown, in seconds. AVI does not say it of the last of pictures out of order."""
        base = Fraction(self.video["time_base"])
        told = [int(frame["best_effort_timestamp"]) * base for frame in self.frames if "best_effort_timestamp" in frame]
        return told + [told[-1] + Fraction(n + 1, 25) for n in range(len(self.frames) - len(told))]

    def held(self, stream: Any) -> list[tuple[str, Fraction]]:
        """What the packets of a stream hold, as checksums, and their times since the first picture."""
        base, first = Fraction(stream["time_base"]), self.times()[0]
        mine = (packet for packet in self.packets if packet["stream_index"] == stream["index"])
        # What is without text clears the screen; behind a short text at the very end there are more of these.
        shown = (p for p in mine if stream["codec_type"] != "subtitle" or int(p["size"]) > 2)
        return [(p["data_hash"], int(p.get("pts", p.get("dts", 0))) * base - first) for p in shown]


def look(path: Path) -> Look:
    found = probe(path, "-show_streams", "-show_packets", "-show_chapters", "-show_format", "-show_data_hash", "CRC32")
    about = ("-select_streams", "v:0", "-show_frames", "-show_entries", "frame=best_effort_timestamp")
    frames = probe(path, *about)["frames"]
    tags = {name.lower(): value for name, value in found["format"].get("tags", {}).items()}
    return Look(found["streams"], found["packets"], frames, found["chapters"], tags, float(found["format"]["duration"]))


def changed(before: Any, after: Any, unit: str = "") -> list[str]:
    return [] if before == after else [f"{before} → {after}{unit}"]


def timing(a: Look, b: Look) -> list[str]:
    before, after = a.times(), b.times()
    found = changed(len(before), len(after), " pictures")
    if not found and any(abs((p - before[0]) - (q - after[0])) >= TICK for p, q in zip(before, after)):
        found.append("moved")
    if abs(before[0] - after[0]) >= TICK:
        found.append(f"start {float(before[0]):.2f} → {float(after[0]):.2f} s")
    # The end of what ends last: sound may be longer than the pictures, but not grow.
    if abs(a.seconds - b.seconds) > FRAME + abs(float(before[0] - after[0])):
        found.append(f"length {a.seconds:.2f} → {b.seconds:.2f} s")
    return found


def carried(*kinds: str) -> Callable[[Look, Look], list[str] | None]:
    """Compares the streams of some kinds: codec, language, role, every packet, and its time beside the pictures."""

    def compare(a: Look, b: Look) -> list[str] | None:
        before, after = ([stream for kind in kinds for stream in look.of(kind)] for look in (a, b))
        if not before and not after:
            return None
        found = changed(", ".join(map(name, before)), ", ".join(map(name, after)) or "left out")
        for p, q in zip(before, after) if not found else ():
            found += [f"{name(p)} {old}" for old in changed(described(p, before), described(q, after))]
            old, new = a.held(p), b.held(q)
            if [data for data, _ in old] != [data for data, _ in new]:
                found.append(f"{name(p)}: {len(old)} → {len(new)} packets, or other ones")
            elif "attachment" not in kinds and any(abs(s - t) > TICK for (_, s), (_, t) in zip(old, new)):
                found.append(f"{name(p)}: moved by {float(max(abs(s - t) for (_, s), (_, t) in zip(old, new))):.3f} s")
        return found

    return compare


def name(stream: Any) -> str:
    return str(stream.get("codec_name", stream["codec_type"]))


def described(stream: Any, among: list[Any]) -> str:
    """Language, names and roles; what is alone is the default."""
    tags = {key.lower(): value for key, value in stream.get("tags", {}).items() if value != "und"}
    roles = [role for role, set in stream["disposition"].items() if set and (role != "default" or len(among) > 1)]
    return ", ".join([tags[key] for key in ("language", "title", "filename", "mimetype") if key in tags] + roles)


def told(a: Look, b: Look) -> list[str]:
    def chapters(look: Look) -> list[Any]:
        return [(c["start_time"], c["end_time"], c.get("tags", {}).get("title")) for c in look.chapters]

    before, after = ({k: v for k, v in x.tags.items() if k not in OF_FILES} for x in (a, b))
    found = [f"{key}: {before.get(key)} → {after.get(key)}" for key in before if before[key] != after.get(key)]
    found += [] if chapters(a) == chapters(b) else [f"chapters {chapters(a)} → {chapters(b)}"]
    stamp = [look.video.get("tags", {}).get("timecode") for look in (a, b)]
    return found + changed(*stamp)


def shape(a: Look, b: Look) -> list[str]:
    def turned(look: Look) -> Any:
        return next((s["rotation"] for s in look.video.get("side_data_list", []) if "rotation" in s), 0)

    size = [f"{x.video['width']}x{x.video['height']}" for x in (a, b)]
    aspect = [x.video.get("sample_aspect_ratio", "1:1") for x in (a, b)]
    fields = [x.video.get("field_order", "unknown").replace("unknown", "progressive") for x in (a, b)]
    return changed(*size) + changed(turned(a), turned(b)) + changed(*aspect) + changed(*fields)


def colors(a: Look, b: Look) -> list[str]:
    found = []
    for key in ("color_range", "color_space", "color_primaries", "color_transfer"):
        before, after = (x.video.get(key, "untagged").replace("unknown", "untagged") for x in (a, b))
        found += changed(before, after)
    return found


def samples(a: Look, b: Look) -> list[str]:
    # JPEG's own names for full range say nothing more about the samples.
    return changed(*(x.video["pix_fmt"].replace("yuvj", "yuv") for x in (a, b)))


#: The table's columns and how their cells come about: what changed, or None where there was nothing to keep.
COLUMNS: dict[str, Callable[[Look, Look], list[str] | None]] = {
    "times": timing,
    "sound": carried("audio"),
    "subtitles": carried("subtitle"),
    "data": carried("data", "attachment", "cover"),
    "tags": told,
    "shape": shape,
    "colors": colors,
    "samples": samples,
}


@dataclass(frozen=True)
class Found:
    """What became of a row: a cell for each column and what the program said; or only how it was refused."""

    cells: dict[str, str] = field(default_factory=dict)
    said: tuple[str, ...] = ()
    refused: str = ""


def enhance(row: Row, folder: Path, enhancer: Any) -> Found:
    """Makes the recording of a row, enhances it under the name that the program gives it, and compares."""
    source = row.make(folder)
    lossless = row.options.get("codec") == "ffv1"
    output = folder / row.out if row.out else resolve_io([str(source)], None, lossless=lossless).pairs[0].prepare()
    try:
        report = enhance_video(source, output, enhancer=enhancer, encoding=row.encoding, input=row.input)
    except RealtimeError as error:
        return Found(refused=str(error).replace(f"{folder}/", ""))
    before, after = look(source), look(output)
    cells = {}
    for column, compare in COLUMNS.items():
        changes = compare(before, after)
        cells[column] = NONE if changes is None else "; ".join(changes) or KEPT
    return Found(cells, report.warnings)
