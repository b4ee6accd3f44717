"""What a cluster works on: values that travel between the driver and its workers."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from realtime.config import EncodingOptions, EnhanceOptions, InputOverrides
from realtime.diagnostics import Message
from realtime.errors import SettingError
from realtime.job import Job
from realtime.media.frame_index import FrameIndex
from realtime.report import Report

#: A file that ends its worker twice, for example by using up the memory, is given up.
TRIES = 2
#: Seconds of the segments that ``auto`` cuts a file into: ten seconds to settle are 3 % of it, and a file of four hours
#: still keeps 48 workers busy.
SEGMENT_SECONDS = 300.0


@dataclass(frozen=True)
class FileTask:
    """One file: `source` and `target` are paths that every node sees, or fsspec addresses such as ``s3://bucket/a.mp4``.

    `input` to `manifest` are those of `realtime.enhance_video`. `skip_existing` leaves a file alone whose target is
    whole and was made by the same job. A file that is longer than `segment_seconds` is cut; None never cuts.
    """

    source: str
    target: str
    input: InputOverrides = field(default_factory=InputOverrides)
    encoding: EncodingOptions = field(default_factory=EncodingOptions)
    overwrite: bool = False
    resume: bool = False
    manifest: bool = False
    skip_existing: bool = False
    segment_seconds: float | None = None


@dataclass(frozen=True)
class Plan:
    """How a long file is cut: at `cuts`, times of key frames in the index's time base.

    `engine` has the options of the enhancement with all that was ``auto`` decided, so that all nodes do the same; None
    for another processor than an `Enhancer`. `job` is that of the whole file, and `state` tells whether the file is
    still the one that was cut.
    """

    job: Job
    engine: EnhanceOptions | None
    encoding: EncodingOptions
    index: FrameIndex
    cuts: tuple[int, ...]
    state: tuple[int, int]

    @property
    def count(self) -> int:
        """How many segments there are."""
        return len(self.cuts) + 1

    def span(self, number: int) -> tuple[int, int | None]:
        """When segment `number` begins, and when the next one does; None for the last one."""
        edges = (self.index.times[0], *self.cuts, None)
        first = edges[number]
        assert first is not None
        return first, edges[number + 1]

    def times(self, number: int) -> tuple[int, ...]:
        """The times of the frames of segment `number`."""
        first, end = self.span(number)
        last = len(self.index.times) if end is None else self.index.position(end)
        return self.index.times[self.index.position(first) : last]


@dataclass(frozen=True)
class Result:
    """What became of a piece of work on `node`: a report, a plan to cut the file, or an error.

    Nothing of these for what was there already (`skipped`), and for a segment of a file that cannot be cut after all
    (`uncut`). `messages` as in `realtime.Diagnostics`.
    """

    node: str
    report: Report | None = None
    error: Exception | None = None
    messages: tuple[Message, ...] = ()
    skipped: bool = False
    uncut: bool = False
    plan: Plan | None = None


@dataclass(frozen=True)
class FileResult:
    """What became of a task: a report, an error, or neither where the file was `skipped`.

    `node` is the machine's name, `tries` how often the file, or the segment that was begun most often, was begun.
    """

    task: FileTask
    node: str
    report: Report | None = None
    error: Exception | None = None
    messages: tuple[Message, ...] = ()
    skipped: bool = False
    tries: int = 1


@dataclass(frozen=True)
class ClusterOptions:
    """Where to work.

    - `address`: of a running Ray cluster (``auto``, ``HOST:PORT`` or ``ray://HOST:PORT``); None starts Ray here.
    - `cpus_per_worker`, `gpus_per_worker`: what each worker reserves. None: one CPU with the fast engine, two with
      others, and a GPU where there are any.
    - `workers`: at most so many; None: as many as the cluster has room for.
    - `cache`: a folder on every node for copies of files that lie elsewhere; None: its folder for temporary files.
    - `verbose`: Ray's own log lines reach the terminal.
    """

    address: str | None = None
    cpus_per_worker: float | None = None
    gpus_per_worker: float | None = None
    workers: int | None = None
    cache: str | None = None
    verbose: bool = False

    def __post_init__(self) -> None:
        if self.cpus_per_worker is not None and not 0 < self.cpus_per_worker < 10_000:
            raise SettingError(f"cpus_per_worker {self.cpus_per_worker} must be more than 0")
        if self.workers is not None and self.workers < 1:
            raise SettingError(f"workers {self.workers} must be 1 or more")


@dataclass(frozen=True)
class WorkerSettings:
    """What a worker is made with. `cpus`: how many it may use."""

    enhance: EnhanceOptions = field(default_factory=EnhanceOptions)
    cache: str | None = None
    cpus: float = 1.0


def versions() -> dict[str, str]:
    """What must be the same on all machines, so that all files come out alike."""
    found = {"python": ".".join(platform.python_version_tuple()[:2])}
    for package in ("mbllen-realtime", "tensorflow", "av", "ray"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "missing"
    return found


def file_state(path: Path) -> tuple[int, int]:
    """Size and time of change of a file: what is different when somebody has written to it."""
    about = path.stat()
    return about.st_size, about.st_mtime_ns


def on_node(error: Exception, node: str) -> Exception:
    """The same error, which also says where."""
    arguments: dict[str, Any] = {}
    if remedies := getattr(error, "remedies", None):
        arguments["remedies"] = remedies
    text = getattr(error, "problem", None) or str(error)
    return type(error)(f"{text} (on node {node})", **arguments)


def first_line(error: Exception) -> str:
    """What an error says, in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
