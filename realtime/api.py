"""One call for one file."""

from __future__ import annotations

import glob
from collections.abc import Callable, Sequence
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realtime.config import EncodingOptions, EnhanceOptions, InputOverrides
from realtime.errors import RealtimeError, SettingError, SourceError, redacted
from realtime.frame import StreamInfo
from realtime.job import plan_job, request_id
from realtime.manifest import library_versions, manifest_path, write_manifest
from realtime.media.completeness import is_complete
from realtime.media.containers import IMAGE_SUFFIXES
from realtime.media.packet_scan import packet_times
from realtime.media.paths import expand_user
from realtime.sinks.registry import open_sink
from realtime.sinks.video_file import VideoFileSink
from realtime.sources.registry import open_source

if TYPE_CHECKING:
    from realtime.diagnostics import Message
    from realtime.processor import Processor
    from realtime.report import Report


def enhance_video(
    src: str | Path,
    dst: str | Path,
    *,
    enhancer: Processor | EnhanceOptions | Callable[[], Processor] | None = None,
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

    - `enhancer`: an Enhancer or another processor to share between calls, options for a new Enhancer, or a function
      that makes one; it is called after both files proved usable.
    - `encoding`: how to encode. `input`: the part of the input, and what to believe about it.
    - `overwrite`: replace `dst`. `resume`: continue what an interrupted call with the same arguments left.
    - `keep_partial`: an interrupted call gives the short file its final name, instead of leaving a part to resume.
    - `manifest`: write a record with checksums beside `dst`.
    - `progress` gets a report now and then; `on_message` what was chosen, reduced or damaged, when it is known.

    Raises SourceError, SinkError, WeightsError, DeviceError or SettingError, and KeyboardInterrupt after an interrupt.
    After any of them there is no file of that name, or the one that was there before; what was done stays in the part
    file, for `resume`.
    """
    path, target = _input_path(src), expand_user(dst)
    encoding, overrides = encoding or EncodingOptions(), input or InputOverrides()
    if target.exists() and target.samefile(path):
        raise SettingError(f"{target} is the input; writing over it would destroy it")
    sink = open_sink(target, encoding, overwrite=overwrite, resume=resume)
    if manifest:
        manifest_path(target)  # refuses a name that is too long
    try:
        source = open_source(path, overrides)
        try:
            if on_message is not None:
                source.info.diagnostics.subscribe(on_message)
            sink.format_for(source.info)
            # TensorFlow loads here, seconds after a mistake in a file name was reported.
            processor = _make(enhancer)
            job = plan_job(path, source.info, processor, encoding, overrides)
            skip = 0
            if isinstance(sink, VideoFileSink):
                sink.set_metadata(job.tags)
                skip = sink.resume(job.id, source.info, _source_times(path, source.info, overrides)) if resume else 0
                if skip:
                    source.info.diagnostics.info(f"continues behind {skip} frames of an interrupted run")
        except BaseException:
            source.close()
            raise
        from realtime.pipeline import run

        report = run(source, processor, sink, skip=skip, finish_early=keep_partial, progress=progress)
    except BaseException:
        sink.abort()  # it may have claimed its part file before it was opened
        raise
    if manifest:
        write_manifest(path, target, job.parameters, asdict(report) | {"libraries": library_versions()})
    return report


def is_up_to_date(
    src: str | Path,
    dst: str | Path,
    *,
    enhancer: Processor | EnhanceOptions | None = None,
    encoding: EncodingOptions | None = None,
    input: InputOverrides | None = None,
) -> bool:
    """Whether `dst` is there, whole, and made of `src` with these settings; the arguments are those of `enhance_video`.

    The engine that ``auto`` led to and the versions of libraries do not matter. AVI has no place for settings, and
    images have none: the number of frames decides. Reads all of `dst`. Raises WeightsError.
    """
    source, output = expand_user(src), expand_user(dst)
    if not output.is_file() or not source.is_file():
        return False
    if output.suffix.lower() in IMAGE_SUFFIXES:
        return output.stat().st_size > 0
    encoding, overrides = encoding or EncodingOptions(), input or InputOverrides()
    try:
        with open_source(source, overrides) as opened:
            times = _source_times(source, opened.info, overrides)
    except RealtimeError:
        return False  # enhancing it will say what is wrong
    return is_complete(output, request_id(source, enhancer or EnhanceOptions(), encoding, overrides), times)


def _input_path(src: str | Path) -> Path:
    """The file that `src` names. Raises SourceError for all else, without any password."""
    if isinstance(src, str) and "://" in src:
        raise SourceError(f"{redacted(src)} is an address; enhance_video reads files, and run() reads live sources")
    path = expand_user(src)
    if path.is_dir():
        raise SourceError(f"{path} is a folder; enhance_video reads one file")
    if not path.exists():
        pattern = "; enhance_video reads one file, no pattern" if glob.has_magic(str(path)) else ""
        raise SourceError(f"{path} does not exist{pattern}")
    return path


def _make(enhancer: Processor | EnhanceOptions | Callable[[], Processor] | None) -> Any:
    if enhancer is not None and not isinstance(enhancer, EnhanceOptions):
        return enhancer if hasattr(enhancer, "session") else enhancer()
    from realtime.enhance.enhancer import Enhancer

    return Enhancer(enhancer or EnhanceOptions())


def _source_times(path: Path, info: StreamInfo, overrides: InputOverrides) -> Callable[[bool], Sequence[Fraction]]:
    """The times of the source's frames, for `VideoFileSink.resume`."""

    def times(exact: bool) -> Sequence[Fraction]:
        if exact:
            with open_source(path, overrides) as source:
                return [frame.pts * frame.time_base for frame in source.frames()]
        start, end = info.time_span
        return [time - Fraction(start or 0) for time in packet_times(path, info.stream_index, start, end)]

    return times
