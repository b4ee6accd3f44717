"""What a cluster works on: values that travel between the driver and its workers."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from importlib import metadata

from realtime.config import EncodingOptions, EnhanceOptions, InputOverrides
from realtime.errors import SettingError
from realtime.report import Report

#: A file that ends its worker twice, for example by using up the memory, is given up.
TRIES = 2


@dataclass(frozen=True)
class FileTask:
    """One file: `source` and `target` are paths that every node sees, or fsspec addresses such as ``s3://bucket/a.mp4``.

    `input` to `manifest` are those of `realtime.enhance_video`.
    """

    source: str
    target: str
    input: InputOverrides = field(default_factory=InputOverrides)
    encoding: EncodingOptions = field(default_factory=EncodingOptions)
    overwrite: bool = False
    resume: bool = False
    manifest: bool = False


@dataclass(frozen=True)
class FileResult:
    """What became of a task: a report, or an error in one line; `node` is the machine's name, `tries` how often."""

    task: FileTask
    node: str
    report: Report | None = None
    error: str | None = None
    tries: int = 1


@dataclass(frozen=True)
class ClusterOptions:
    """Where to work.

    - `address`: of a running Ray cluster (``auto``, ``HOST:PORT`` or ``ray://HOST:PORT``); None starts Ray here.
    - `cpus_per_worker`, `gpus_per_worker`: what each worker reserves; GPUs None: one where there are any.
    - `workers`: at most so many; None: as many as the cluster has room for.
    - `verbose`: Ray's own log lines reach the terminal.
    """

    address: str | None = None
    cpus_per_worker: float = 2.0
    gpus_per_worker: float | None = None
    workers: int | None = None
    verbose: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.cpus_per_worker < 10_000:
            raise SettingError(f"cpus_per_worker {self.cpus_per_worker} must be more than 0")
        if self.workers is not None and self.workers < 1:
            raise SettingError(f"workers {self.workers} must be 1 or more")


@dataclass(frozen=True)
class WorkerSettings:
    """What a worker is made with."""

    enhance: EnhanceOptions = field(default_factory=EnhanceOptions)
    cache: str | None = None


def versions() -> dict[str, str]:
    """What must be the same on all machines, so that all files come out alike."""
    found = {"python": ".".join(platform.python_version_tuple()[:2])}
    for package in ("mbllen-realtime", "tensorflow", "av", "ray"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "missing"
    return found
