"""A long file in segments: cut at key frames, enhanced apart, joined without encoding again.

Before each segment its session sees `SETTLE_SECONDS` of the frames before, without output: then exposure and memory are
what they would be had it seen all. Which engine computes is decided once, for all segments.
"""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from realtime.cluster.tasks import FileTask, Plan, file_state
from realtime.config import EnhanceOptions
from realtime.diagnostics import Message
from realtime.errors import SourceError
from realtime.frame import StreamInfo
from realtime.job import plan_job
from realtime.manifest import library_versions, manifest_path, write_manifest
from realtime.media.containers import VIDEO_OUTPUT_SUFFIXES, container_for
from realtime.media.encode import rate_limit
from realtime.media.frame_index import read_frame_index
from realtime.media.job_tag import JOB_TAG, stores_job
from realtime.media.part_file import part_path
from realtime.media.segment_packets import EncodedSegment, joined_packets
from realtime.pipeline import run
from realtime.report import OutputReport, Report
from realtime.sinks.video_file import VideoFileSink
from realtime.sources.segment import Segment
from realtime.sources.video_file import VideoFile


class CannotBeCutError(SourceError):
    """A file whose frames are not where its packets say: it must be done whole."""


#: The exposure looks back two seconds and follows with a time constant of 0.8 s; the memory holds at most 60 frames.
SETTLE_SECONDS = 10


def plan_segments(task: FileTask, source: Path, target: Path, make_enhancer: Callable[[], Any]) -> Plan | None:
    """How to cut the file of `task`; None where it is to be done whole.

    That is: short files, parts of files, images, what an interrupted run has begun as a whole, containers that do not
    store times, and files of which the packets do not say all about the frames. Raises what opening raises.
    """
    seconds, suffix = task.segment_seconds, target.suffix.lower()
    if seconds is None or suffix not in VIDEO_OUTPUT_SUFFIXES or not stores_job(target):
        return None
    if task.input.start is not None or task.input.duration is not None or not container_for(target).frame_times:
        return None
    if task.resume and part_path(target).exists() and not any_segments(target):
        return None
    state = file_state(source)
    info = VideoFile(source, task.input).info
    if info.seconds is None or info.seconds < seconds:
        return None
    index = read_frame_index(source, info)
    cuts = index.cut_points(seconds) if index is not None else ()
    if index is None or not cuts:
        return None
    info = VideoFile(source, task.input).info
    enhancer = make_enhancer()
    job = plan_job(source, info, enhancer, task.encoding, task.input)
    decided = {name: job.parameters[name] for name in ("engine", "device", "precision")}
    asked = getattr(enhancer, "options", None)
    engine = replace(asked, **decided) if isinstance(asked, EnhanceOptions) else None
    limit = rate_limit(task.encoding, info) | dict(task.encoding.encoder_options)
    encoding = replace(task.encoding, max_size_ratio=None, encoder_options=limit)
    return Plan(job, engine, encoding, index, cuts, state)


def segment_path(target: Path, plan: Plan, number: int) -> Path:
    """Where segment `number` of `target` lies until all are joined: hidden, beside it. Another job has other names."""
    job = hashlib.sha256(repr((plan.job.id, plan.cuts)).encode()).hexdigest()[:8]
    return part_path(target, f"segment-{job}-{number:04d}")


def any_segments(target: Path) -> list[Path]:
    """All segments of `target` that are there, of whatever job."""
    pattern = glob.escape(part_path(target, "segment-").name).replace("segment-", "segment-*")
    return sorted(target.parent.glob(pattern))


def enhance_segment(
    task: FileTask,
    plan: Plan,
    number: int,
    source: Path,
    path: Path,
    enhancer: Any,
    progress: Callable[[Report], None],
    on_message: Callable[[Message], None],
) -> Report:
    """Enhances segment `number` of `source` into `path`; goes on with what an earlier try left.

    Raises what `realtime.enhance_video` raises, and CannotBeCutError when the frames are not those of the plan.
    """
    check_unchanged(source, plan)
    times, (first, end) = plan.times(number), plan.span(number)
    settle = plan.index.position(round(first - SETTLE_SECONDS / plan.index.time_base))
    before = plan.index.position(first) - settle
    segment = Segment(source, task.input, plan.index.times[settle], first, end, before + len(times))
    segment.info.diagnostics.subscribe(on_message)
    sink = VideoFileSink(path, plan.encoding, overwrite=True, resume=True)
    try:
        sink.format_for(segment.info)
        tag = f"{plan.job.id}-{first}-{end}"
        sink.set_metadata(plan.job.tags | {JOB_TAG: tag})
        in_seconds = [(time - first) * plan.index.time_base for time in times]
        skip = before + sink.resume(tag, segment.info, lambda exact: in_seconds)
        report = run(segment, enhancer, sink, skip=skip, progress=progress)
    except BaseException:
        sink.abort()
        raise
    if report.damaged or EncodedSegment(path).frames != len(times):
        path.unlink(missing_ok=True)
        raise CannotBeCutError(f"{source}: segment {number + 1} does not hold the frames that its packets tell of")
    return report


def join_segments(
    task: FileTask,
    plan: Plan,
    source: Path,
    target: Path,
    paths: Sequence[Path],
    reports: Sequence[Report],
    on_message: Callable[[Message], None],
) -> Report:
    """Joins the segments of `source` in `paths`, whose reports are `reports`, into `target`.

    The other streams are copied as `realtime.enhance_video` copies them. Raises as it does.
    """
    check_unchanged(source, plan)
    info = VideoFile(source, task.input).info
    info.diagnostics.subscribe(on_message)
    sink = VideoFileSink(target, task.encoding, overwrite=task.overwrite, resume=True)
    if task.manifest:
        manifest_path(target)
    try:
        segments = [EncodedSegment(path) for path in paths]
        format = sink.format_for(info)
        sink.set_metadata(plan.job.tags)
        sink.open(replace(info, format=format))
        sink.write_packets(joined_packets(segments, plan.index, container_for(target).duration_of_last))
        check_unchanged(source, plan)
        sink.close()
    except BaseException:
        sink.abort()
        raise
    report = _joined_report(plan, reports, info, target)
    if task.manifest:
        write_manifest(source, target, plan.job.parameters, asdict(report) | {"libraries": library_versions()})
    return report


def _joined_report(plan: Plan, reports: Sequence[Report], info: StreamInfo, target: Path) -> Report:
    """One report for the file. `reports` are those of its segments that were not there before; seconds are the sum of
    theirs."""
    frames = len(plan.index.times)
    return Report(
        engine=plan.job.parameters["engine"],
        device=plan.job.parameters["device"],
        precision=plan.job.parameters["precision"],
        width=info.width,
        height=info.height,
        frames=frames,
        total=frames,
        dropped=0,
        seconds=sum(report.seconds for report in reports),
        latency_ms=None,
        warnings=tuple(
            dict.fromkeys([*info.diagnostics.warnings, *(text for report in reports for text in report.warnings)])
        ),
        outputs=(OutputReport(str(target), frames, 0),),
        diagnostics=info.diagnostics.counts,
        damaged=info.diagnostics.damaged,
        batch=reports[0].batch if reports else None,
    )


def check_unchanged(source: Path, plan: Plan) -> None:
    """Raises SourceError when `source` is not the file any more that was cut."""
    if file_state(source) != plan.state:
        raise SourceError(f"{source} has changed since it was cut into segments; start again when it is complete")
