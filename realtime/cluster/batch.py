"""Many files with one call: ``realtime.enhance_videos``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from realtime.cluster.connection import connected
from realtime.cluster.driver import Driver, Progress
from realtime.cluster.pool import WorkerPool
from realtime.cluster.storage import absolute
from realtime.cluster.tasks import SEGMENT_SECONDS, ClusterOptions, FileResult, FileTask, WorkerSettings
from realtime.config import EncodingOptions, EnhanceOptions, InputOverrides


def enhance_videos(
    pairs: Iterable[tuple[str | Path, str | Path]],
    *,
    ray: str | ClusterOptions | None = None,
    enhance: EnhanceOptions | None = None,
    encoding: EncodingOptions | None = None,
    input: InputOverrides | None = None,
    overwrite: bool = False,
    resume: bool = False,
    skip_existing: bool = False,
    manifest: bool = False,
    segment_seconds: float | None = SEGMENT_SECONDS,
    progress: Callable[[Progress], None] | None = None,
) -> Iterator[FileResult]:
    """Enhances many files on a Ray cluster, side by side, and yields what became of each as it is done.

    - `pairs`: sources and targets, each a path that all nodes see or an address that fsspec knows (``s3://``).
    - `ray`: the address of a cluster, or `ClusterOptions`; None starts Ray on this machine.
    - `enhance`: how to enhance. `encoding`, `input`, `overwrite`, `resume` and `manifest` as in `enhance_video`.
    - `skip_existing`: leave alone what is whole and was made by the same job, and replace it otherwise.
    - `segment_seconds`: longer files are cut into segments of about that, which are enhanced side by side; None never.
    - `progress` hears now and then how far all is.

    An error of one file is in its result and does not keep the others from being done. Raises SettingError where Ray is
    missing and DeviceError where the cluster cannot be used.
    """
    options = ray if isinstance(ray, ClusterOptions) else ClusterOptions(address=ray)
    tasks = (
        FileTask(
            absolute(source),
            absolute(target),
            input=input or InputOverrides(),
            encoding=encoding or EncodingOptions(),
            overwrite=overwrite or skip_existing,
            resume=resume,
            manifest=manifest,
            skip_existing=skip_existing,
            segment_seconds=segment_seconds,
        )
        for source, target in pairs
    )
    with connected(options) as joined:
        pool = WorkerPool(joined, WorkerSettings(enhance or EnhanceOptions()), options)
        yield from Driver(joined, pool).run(tasks, progress)
