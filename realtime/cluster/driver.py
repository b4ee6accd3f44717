"""The driver: keeps workers busy with files and segments, and gives work to another worker when one dies."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

from realtime.cluster.pool import PooledWorker, WorkerPool
from realtime.cluster.tasks import TRIES, FileResult, FileTask, Plan, Result, first_line, on_node
from realtime.diagnostics import Message
from realtime.errors import RealtimeError
from realtime.report import Report

#: Seconds that the driver waits for results before it looks for new files, and between two looks at the progress.
INTERVAL = 0.5


@dataclass
class Progress:
    """How far the whole work is: files done, frames done."""

    files: int = 0
    frames: int = 0


@dataclass
class _File:
    """A file that was begun. `closed`: its result is known, and work that is still under way for it is of no use."""

    task: FileTask
    began: float = field(default_factory=perf_counter)
    plan: Plan | None = None
    segments_left: int = 0
    reports: list[Report] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    tries: int = 1
    closed: bool = False


@dataclass
class _Work:
    """A call of one of `Worker`'s methods for a file."""

    file: _File
    method: str = "enhance"
    arguments: tuple[Any, ...] = ()
    tries: int = 1


class Driver:
    """Spreads tasks over the workers of a pool.

    A file that a worker has planned to cut becomes one piece of work for each segment, and one for joining them.
    A piece whose worker died is tried once more elsewhere; then its file has failed.
    """

    def __init__(self, ray: Any, pool: WorkerPool) -> None:
        self._ray, self._pool = ray, pool
        self._waiting: deque[_Work] = deque()
        self._under_way: dict[Any, tuple[_Work, PooledWorker]] = {}
        self._progress = Progress()

    def run(
        self, tasks: Iterable[FileTask | None], progress: Callable[[Progress], None] | None = None
    ) -> Iterator[FileResult]:
        """Results of all `tasks` as they are done, in any order. A None among them says that none is there yet: for
        folders that are watched. Raises DeviceError where the cluster cannot work."""
        left, exhausted, shown, frames = iter(tasks), False, 0.0, 0
        try:
            while True:
                while not exhausted and len(self._waiting) < self._pool.places:
                    task = next(left, ...)
                    exhausted = task is ...
                    if not isinstance(task, FileTask):
                        break
                    self._waiting.append(_Work(_File(task)))
                if exhausted and not self._waiting and not self._under_way:
                    return
                self._assign()
                for result in self._collect():
                    self._progress.files += 1
                    yield result
                if progress is not None and perf_counter() - shown > INTERVAL:
                    shown = perf_counter()
                    frames = max(frames, self._progress.frames + self._frames_under_way())
                    progress(replace(self._progress, frames=frames))
        finally:
            self._pool.close([worker for _, worker in self._under_way.values()])

    def _assign(self) -> None:
        self._pool.request(len(self._under_way) + len(self._waiting))
        while self._waiting and (worker := self._pool.take()) is not None:
            work = self._waiting.popleft()
            task = work.file.task
            if work.tries > 1:
                # What a worker that died left behind is gone on with; it may even have been through.
                task = replace(task, resume=True, skip_existing=True)
            self._under_way[getattr(worker.actor, work.method).remote(task, *work.arguments)] = work, worker

    def _collect(self) -> Iterator[FileResult]:
        references = [*self._under_way, *self._pool.starting]
        if not references:
            threading.Event().wait(INTERVAL)
            return
        ready, _ = self._ray.wait(references, num_returns=1, timeout=INTERVAL)
        if len(references) > 1:  # and what else is there
            ready, _ = self._ray.wait(references, num_returns=len(references), timeout=0)
        for reference in ready:
            if reference not in self._under_way:
                self._pool.started(reference)
                continue
            work, worker = self._under_way.pop(reference)
            try:
                result: Result = self._ray.get(reference)
            except self._ray.exceptions.RayError as error:
                # The process or its node is gone; the actor cannot be used again.
                self._pool.lost(worker)
                found = self._died(work, worker, error)
            else:
                self._pool.give_back(worker)
                found = self._done(work, result)
            if found is not None:
                yield found

    def _died(self, work: _Work, worker: PooledWorker, error: Exception) -> FileResult | None:
        if work.file.closed:
            return None
        if work.tries < TRIES:
            work.tries += 1
            work.file.tries = max(work.file.tries, work.tries)
            self._waiting.appendleft(work)
            return None
        problem = RealtimeError(f"its worker died {work.tries} times: {first_line(error)}")
        return self._close(work.file, Result(worker.node, error=problem))

    def _done(self, work: _Work, result: Result) -> FileResult | None:
        file = work.file
        if file.closed:
            return None
        if result.report is not None and work.method != "join":
            self._progress.frames += result.report.frames
        if result.error is not None:
            return self._close(file, result)
        if result.uncut:
            self._close(file, result)
            self._waiting.appendleft(_Work(_File(replace(file.task, segment_seconds=None), file.began)))
        elif result.plan is not None:
            plan = file.plan = result.plan
            file.segments_left = plan.count
            self._waiting.extendleft(_Work(file, "segment", (plan, n)) for n in reversed(range(plan.count)))
        elif work.method == "segment":
            file.segments_left -= 1
            file.messages += [message for message in result.messages if message not in file.messages]
            file.reports += [result.report] if result.report is not None else []
            if not file.segments_left:
                self._waiting.appendleft(_Work(file, "join", (file.plan, file.reports)))
        else:
            return self._close(file, result)
        return None

    def _close(self, file: _File, result: Result) -> FileResult:
        file.closed = True
        self._waiting = deque(work for work in self._waiting if work.file is not file)
        report, error = result.report, result.error
        if report is not None and file.plan is not None:
            report = replace(report, seconds=perf_counter() - file.began)
        if error is not None and self._pool.nodes > 1:
            error = on_node(error, result.node)
        messages = tuple(dict.fromkeys([*file.messages, *result.messages]))
        return FileResult(file.task, result.node, report, error, messages, result.skipped, file.tries)

    def _frames_under_way(self) -> int:
        """Frames of what is under way, as far as workers answer at once: one that is busy may not."""
        counts = [worker.actor.frames.remote() for _, worker in self._under_way.values()]
        ready, _ = self._ray.wait(counts, num_returns=len(counts), timeout=0.1) if counts else ([], [])
        total = 0
        for reference in ready:
            try:
                total += self._ray.get(reference)
            except self._ray.exceptions.RayError:
                pass  # a worker that died is met in `_collect`
        return total
