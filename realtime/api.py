"""One call for one file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realtime.capture.source import open_source
from realtime.errors import SettingError
from realtime.output.sink import open_sink
from realtime.report import Report

if TYPE_CHECKING:
    from realtime.enhance.enhancer import Enhancer


def enhance_video(
    src: str | Path,
    dst: str | Path,
    *,
    enhancer: Enhancer | Callable[[], Enhancer] | None = None,
    start: float | None = None,
    duration: float | None = None,
    overwrite: bool = False,
    crf: int = 18,
    preset: str = "veryfast",
    progress: Callable[[Report], None] | None = None,
    **options: Any,
) -> Report:
    """Enhances the video or image file `src` into `dst` and answers what happened.

    `start` and `duration` are seconds of the source; times in the result count from `start`. `enhancer` may be a
    function that makes one: it is called after both files proved usable. Without it, `options` go to `Enhancer`.
    Raises SourceError, SinkError, WeightsError, DeviceError or SettingError; after a failure there is no file of
    that name, or the one that was there before.
    """
    if enhancer is not None and options:
        raise SettingError(f"{', '.join(options)}: give these to the Enhancer, or leave the Enhancer out")
    source = open_source(src, start=start, duration=duration)
    if Path(dst).exists() and Path(dst).samefile(src):
        raise SettingError(f"{dst} is the input; writing over it would destroy it")
    sink = open_sink(dst, overwrite=overwrite, crf=crf, preset=preset)
    # TensorFlow loads here, seconds after a mistake in a file name was reported.
    from realtime.enhance.enhancer import Enhancer
    from realtime.pipeline import run

    if enhancer is None:
        enhancer = Enhancer(**options)
    elif not isinstance(enhancer, Enhancer):
        enhancer = enhancer()
    return run(source, enhancer, sink, progress=progress)
