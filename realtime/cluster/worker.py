"""A worker: one process somewhere in the cluster that loads the network once and takes one piece of work after another.

A piece is a file, a segment of a long file, or the joining of segments.
"""

from __future__ import annotations

import platform
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from realtime.api import enhance_video
from realtime.cluster.segments import CannotBeCutError, enhance_segment, join_segments, plan_segments, segment_path
from realtime.cluster.storage import Cache, exists, is_remote, remove
from realtime.cluster.tasks import FileTask, Plan, Result, WorkerSettings, file_state, versions
from realtime.config import EnhanceOptions
from realtime.diagnostics import Message
from realtime.errors import RealtimeError, SinkError, SourceError
from realtime.existing import is_done
from realtime.report import Report


class Worker:
    """Ray runs it as an actor with two threads: `frames` answers while another method works."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._enhancers: dict[EnhanceOptions, Any] = {}
        self._cache: Cache | None = None
        self._lock = threading.Lock()
        self._frames = 0
        self._messages: list[Message] = []

    def versions(self) -> dict[str, str]:
        """Versions of what decides how files come out, and the node's name."""
        return versions() | {"node": platform.node()}

    def frames(self) -> int:
        """Frames of the present piece that are done."""
        return self._frames

    def enhance(self, task: FileTask) -> Result:
        """Enhances a file, or plans how to cut it."""
        return self._guarded(lambda: self._enhance(task))

    def segment(self, task: FileTask, plan: Plan, number: int) -> Result:
        """Enhances a segment of a file, unless that is done."""
        return self._guarded(lambda: self._segment(task, plan, number))

    def join(self, task: FileTask, plan: Plan, reports: Sequence[Report]) -> Result:
        """Joins the segments of a file, and removes them."""
        return self._guarded(lambda: self._join(task, plan, reports))

    def _enhance(self, task: FileTask) -> Result:
        if not is_remote(task.source) and not Path(task.source).exists():
            raise SourceError(f"{task.source} does not exist here; all nodes must see it at this path")
        if is_remote(task.target) and (found := self._existing(task)) is not None:
            return found
        source = self._files.source(task.source)
        with self._files.target(task.target) as target:
            if task.skip_existing and is_done(source, target, self._settings.enhance, task.encoding, task.input):
                return Result(platform.node(), skipped=True)
            state = file_state(source)
            plan = plan_segments(task, source, target, lambda: self._enhancer(self._settings.enhance))
            if plan is not None:
                return Result(platform.node(), plan=plan)
            report = enhance_video(
                source,
                target,
                enhancer=lambda: self._enhancer(self._settings.enhance),
                input=task.input,
                encoding=task.encoding,
                overwrite=task.overwrite,
                resume=task.resume,
                manifest=task.manifest,
                progress=self._progress,
                on_message=self._messages.append,
            )
            if file_state(source) != state:
                raise SourceError(
                    f"{task.source} changed while it was read, and {task.target} holds what was there",
                    remedies={"overwrite=True": "{} does it again"},
                )
        return Result(platform.node(), report, messages=tuple(self._messages))

    def _existing(self, task: FileTask) -> Result | None:
        """What there is to say of a remote target that exists: that nothing is to be done, or an error."""
        if not exists(task.target) or (task.overwrite and not task.skip_existing):
            return None
        if not task.skip_existing:
            raise SinkError(f"{task.target} exists", remedies={"overwrite=True": "{} replaces it"})
        source = self._files.source(task.source)
        with self._files.copies([task.target]) as (copy,):
            done = is_done(source, copy, self._settings.enhance, task.encoding, task.input)
        return Result(platform.node(), skipped=True) if done else None

    def _segment(self, task: FileTask, plan: Plan, number: int) -> Result:
        address = _segment_address(task, plan, number)
        if exists(address):  # only complete ones have this name
            return Result(platform.node(), skipped=True)
        source = self._files.source(task.source)
        with self._files.target(address) as path:
            report = enhance_segment(
                *(task, plan, number, source, path, self._enhancer(plan.engine or self._settings.enhance)),
                progress=self._progress,
                on_message=self._messages.append,
            )
        return Result(platform.node(), report, messages=tuple(self._messages))

    def _join(self, task: FileTask, plan: Plan, reports: Sequence[Report]) -> Result:
        addresses = [_segment_address(task, plan, number) for number in range(plan.count)]
        source = self._files.source(task.source)
        if not exists(addresses[0]) and self._is_joined(task, source):
            return Result(platform.node(), skipped=True)
        with self._files.target(task.target) as target, self._files.copies(addresses) as paths:
            report = join_segments(task, plan, source, target, paths, reports, self._messages.append)
        remove(addresses)
        return Result(platform.node(), report, messages=tuple(self._messages))

    def _is_joined(self, task: FileTask, source: Path) -> bool:
        """Whether a worker that died had come to the end."""
        if is_remote(task.target) or not task.resume:
            return False
        return is_done(source, Path(task.target), self._settings.enhance, task.encoding, task.input)

    def _guarded(self, work: Callable[[], Result]) -> Result:
        """What `work` returns, or its error as a result: one file must not cost the others."""
        self._frames, self._messages = 0, []
        try:
            return work()
        except CannotBeCutError:
            return Result(platform.node(), uncut=True)
        except (RealtimeError, OSError) as error:
            problem: Exception = error
        except Exception as error:
            problem = RealtimeError(f"unexpected {type(error).__name__}: {error}")
        problem.__traceback__ = problem.__cause__ = problem.__context__ = None  # none of them can travel
        return Result(platform.node(), error=problem, messages=tuple(self._messages))

    @property
    def _files(self) -> Cache:
        if self._cache is None:
            self._cache = Cache(self._settings.cache)
        return self._cache

    def _progress(self, report: Report) -> None:
        self._frames = report.frames

    def _enhancer(self, options: EnhanceOptions) -> Any:
        """One enhancer for all files; a second one where ``auto`` was decided for the segments of one."""
        with self._lock:
            if not self._enhancers:
                from realtime.enhance.host import configure_process

                configure_process(options.engine)
            if options not in self._enhancers:
                from realtime.enhance.enhancer import Enhancer

                self._enhancers[options] = Enhancer(options)
            return self._enhancers[options]


def _segment_address(task: FileTask, plan: Plan, number: int) -> str:
    """Where a segment lies until all are joined: beside the target."""
    if not is_remote(task.target):
        return str(segment_path(Path(task.target), plan, number))
    folder, _, name = task.target.rpartition("/")
    return f"{folder}/{segment_path(Path(name), plan, number).name}"
