"""One call for one file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realtime.errors import SettingError
from realtime.manifest import job_of, libraries, sha256, write_manifest
from realtime.report import Report
from realtime.sinks.registry import open_sink
from realtime.sources.registry import open_source

if TYPE_CHECKING:
    from realtime.enhance.enhancer import Enhancer
    from realtime.media.pixel_formats import InputOverrides


def enhance_video(
    src: str | Path,
    dst: str | Path,
    *,
    enhancer: Enhancer | Callable[[], Enhancer] | None = None,
    start: float | None = None,
    duration: float | None = None,
    reading: InputOverrides | None = None,
    overwrite: bool = False,
    resume: bool = False,
    strict: bool = False,
    manifest: bool = False,
    crf: int | None = None,
    preset: str = "veryfast",
    codec: str = "h264",
    pixels: str | None = None,
    hardware: str | None = None,
    encoder_options: Mapping[str, str] | None = None,
    progress: Callable[[Report], None] | None = None,
    **options: Any,
) -> Report:
    """Enhances the video or image file `src` into `dst` and answers what happened.

    `start` and `duration` are seconds of the source; times in the result count from `start`. `reading` overrules the
    source's tags. `resume` goes on where an interrupted call with the same arguments stopped; `strict` makes it an
    error when a stream cannot be carried; `manifest` writes a record with checksums beside `dst`. `codec` to
    `encoder_options` are those of `output.encoding.EncodingOptions`. `enhancer` may be a function that makes one: it is
    called after both files proved usable. Without it, `options` go to `Enhancer`.

    Raises SourceError, SinkError, WeightsError, DeviceError or SettingError; after a failure there is no file of that
    name, or the one that was there before.
    """
    if enhancer is not None and options:
        raise SettingError(f"{', '.join(options)}: give these to the Enhancer, or leave the Enhancer out")
    source = open_source(src, start=start, duration=duration, reading=reading)
    src, dst = Path(src).expanduser(), Path(dst).expanduser()
    if src.exists() and dst.exists() and dst.samefile(src):
        raise SettingError(f"{dst} is the input; writing over it would destroy it")
    encoding: dict[str, Any] = {"crf": crf, "preset": preset, "codec": codec, "pixels": pixels, "hardware": hardware}
    encoding["options"] = dict(encoder_options or {})
    sink = open_sink(dst, overwrite=overwrite, resume=resume, strict=strict, **encoding)
    # TensorFlow loads here, seconds after a mistake in a file name was reported.
    from realtime.pipeline import run

    worker: Any = enhancer
    if worker is None:
        from realtime.enhance.enhancer import Enhancer

        worker = Enhancer(**options)
    elif not hasattr(worker, "enhance"):
        worker = worker()
    # Before it is asked what it is: an engine left to choose chooses by what it is to do.
    worker.prepare(sink.ask(source.info), rgb=sink.wants_rgb)
    how = _provenance(worker)
    parameters = how | encoding | {"start": start, "duration": duration, "reading": reading and asdict(reading)}
    job = job_of(src, parameters | libraries())
    sink.mark(
        {
            "enhanced_by": f"realtime {how['version']}",
            "enhanced_with": ", ".join(
                f"{name} {value}" for name, value in how.items() if name != "version" and value is not None
            ),
            "realtime_job": job,
        }
    )
    if resume and (done := sink.resume(job)):
        from realtime.sources.resume import Later

        source = Later(source, done, worker.look)
    report = run(source, worker, sink, progress=progress)
    if manifest:
        write_manifest(src, dst, parameters, asdict(report) | {"libraries": libraries()})
    return report


def _provenance(enhancer: Any) -> dict[str, Any]:
    """Version, weights and strength: what decides how pictures come out."""
    about: dict[str, Any] = {"version": metadata.version("mbllen-realtime")} | enhancer.describe()
    about.pop("batch", None)  # not how many at a time
    if (weights := getattr(enhancer, "weights", None)) is not None:
        about |= {"weights": weights.name, "weights_sha256": sha256(weights.path)}
    for name in ("strength", "exposure"):
        if (value := getattr(enhancer, name, None)) is not None:
            about[name] = value
    return about
