"""One call for one file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realtime.config import EncodingOptions, EnhanceOptions, InputOverrides
from realtime.errors import SettingError, SourceError, redacted
from realtime.frame import StreamInfo
from realtime.manifest import job_id, library_versions, sha256, write_manifest
from realtime.sinks.registry import open_sink
from realtime.sources.registry import open_source

if TYPE_CHECKING:
    from realtime.diagnostics import Message
    from realtime.enhance.enhancer import Enhancer
    from realtime.report import Report


def enhance_video(
    src: str | Path,
    dst: str | Path,
    *,
    enhancer: Enhancer | EnhanceOptions | Callable[[], Enhancer] | None = None,
    encoding: EncodingOptions | None = None,
    input: InputOverrides | None = None,
    overwrite: bool = False,
    resume: bool = False,
    keep_partial: bool = False,
    manifest: bool = False,
    progress: Callable[[Report], None] | None = None,
    on_message: Callable[[Message], None] | None = None,
) -> Report:
    """Enhances the video or image file `src` into `dst` and returns what happened.

    - `enhancer`: one to share between calls, options for a new one, or a function that makes one; it is called after
      both files proved usable.
    - `encoding`: how to encode. `input`: the part of the input, and what to believe about it.
    - `overwrite`: replace `dst`. `resume`: continue what an interrupted call with the same arguments left.
    - `keep_partial`: an interrupted call gives the short file its final name, instead of leaving a part to resume.
    - `manifest`: write a record with checksums beside `dst`.
    - `progress` gets a report now and then; `on_message` what was chosen, reduced or damaged, when it is known.

    Raises SourceError, SinkError, WeightsError, DeviceError or SettingError; after a failure there is no file of that
    name, or the one that was there before.
    """
    path, target = _input_path(src), Path(dst).expanduser()
    encoding, overrides = encoding or EncodingOptions(), input or InputOverrides()
    source = open_source(path.absolute(), overrides)
    try:
        if on_message is not None:
            source.info.diagnostics.subscribe(on_message)
        if target.exists() and target.samefile(path):
            raise SettingError(f"{target} is the input; writing over it would destroy it")
        sink = open_sink(target, encoding, overwrite=overwrite, resume=resume, keep_partial=keep_partial)
        # TensorFlow loads here, seconds after a mistake in a file name was reported.
        processor = _make(enhancer)
        job = plan_job(path, source.info, processor, encoding, overrides)
        skip = _prepare(sink, job, source.info, path, resume)
    except BaseException:
        source.close()
        raise
    from realtime.pipeline import run

    report = run(source, processor, sink, skip=skip, finish_early=False, progress=progress)
    if manifest:
        write_manifest(path, target, job.parameters, asdict(report) | {"libraries": library_versions()})
    return report


@dataclass(frozen=True)
class Job:
    """Work on one file: `id` names it, `parameters` decide how the output comes out, `tags` say so in the output."""

    id: str
    parameters: dict[str, Any]
    tags: dict[str, str]


def plan_job(src: Path, info: StreamInfo, enhancer: Any, encoding: EncodingOptions, overrides: InputOverrides) -> Job:
    """The job that `enhance_video` would do with these arguments."""
    how = _provenance(enhancer, info)
    parameters = how | {"encoding": asdict(encoding), "input": asdict(overrides)}
    identity = job_id(src, parameters | library_versions())
    described = ", ".join(f"{name} {value}" for name, value in how.items() if name != "version" and value is not None)
    tags = {"enhanced_by": f"realtime {how['version']}", "enhanced_with": described, "realtime_job": identity}
    return Job(identity, parameters, tags)


def _prepare(sink: Any, job: Job, info: StreamInfo, path: Path, resume: bool) -> int:
    """Tells a video file its tags; how many frames of an earlier run it keeps."""
    if not hasattr(sink, "set_metadata"):
        return 0
    sink.set_metadata(job.tags)
    if not resume:
        return 0
    kept: int = sink.resume(job.id, lambda: _frame_times(path, info))
    if kept:
        info.diagnostics.info(f"continues behind {kept} frames of an interrupted run")
    return kept


def _frame_times(path: Path, info: StreamInfo) -> Sequence[Fraction]:
    """The times of the source's frames within its time span, in seconds, in the order they are shown."""
    from realtime.media.demux import main_video, packets
    from realtime.media.opening import open_path

    start, end = info.time_span
    with open_path(path) as container:
        stream = main_video(container)
        times = [
            p.pts * p.time_base
            for p in packets(container, lambda: None)
            if p.stream.index == stream.index and p.size and p.pts is not None
        ]
    early, late = Fraction(start or 0), None if end is None else Fraction(end)
    return sorted(time for time in times if time >= early - Fraction(1, 10**6) and (late is None or time < late))


def _input_path(src: str | Path) -> Path:
    """The file that `src` names. Raises SourceError for addresses, patterns and folders, without any password."""
    if isinstance(src, str) and "://" in src:
        raise SourceError(f"{redacted(src)} is an address; enhance_video reads files, and run() reads live sources")
    path = Path(src).expanduser()
    if path.is_dir():
        raise SourceError(f"{path} is a folder; enhance_video reads one file")
    if not path.exists():
        raise SourceError(f"{path} does not exist")
    return path


def _make(enhancer: Enhancer | EnhanceOptions | Callable[[], Enhancer] | None) -> Enhancer:
    if enhancer is not None and not isinstance(enhancer, EnhanceOptions):
        return enhancer if hasattr(enhancer, "session") else enhancer()
    from realtime.enhance.enhancer import Enhancer

    return Enhancer(enhancer or EnhanceOptions())


def _provenance(enhancer: Any, info: StreamInfo) -> dict[str, Any]:
    """Version, engine, weights and settings: what decides how frames come out."""
    about = enhancer.plan(info)
    how: dict[str, Any] = {"version": metadata.version("mbllen-realtime")}
    how |= {"engine": about.engine, "device": about.device, "precision": about.precision}
    if (weights := getattr(enhancer, "weights", None)) is not None:
        how |= {"weights": weights.name, "weights_sha256": sha256(weights.path)}
    if (options := getattr(enhancer, "options", None)) is not None:
        how |= {"strength": options.strength, "exposure": options.exposure}
    return how
