"""The driver: starts or joins Ray, keeps its workers busy, and gives work to another worker when one dies."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from realtime.cluster.tasks import TRIES, ClusterOptions, FileResult, FileTask, WorkerSettings, versions
from realtime.cluster.worker import Worker
from realtime.errors import DeviceError, SettingError

#: Seconds between two looks at the workers' progress.
INTERVAL = 0.5


@dataclass
class Progress:
    """How far the whole work is: files done, files in all (None while they still arrive), frames done."""

    files: int = 0
    total: int | None = None
    frames: int = 0


@dataclass
class _Assignment:
    worker: Any
    task: FileTask
    tries: int


def import_ray() -> Any:
    """Ray. Raises SettingError that says what to install."""
    try:
        import ray
    except ImportError as error:
        raise SettingError("a cluster needs Ray: install mbllen-realtime[cluster]") from error
    return ray


@contextmanager
def connected(options: ClusterOptions) -> Iterator[Any]:
    """Ray, joined to the cluster of `options` or started here, and left or stopped in the end.

    Raises DeviceError where there is no cluster at that address.
    """
    ray = import_ray()
    if ray.is_initialized():
        yield ray
        return
    quiet = {"logging_level": logging.INFO if options.verbose else logging.ERROR, "log_to_driver": options.verbose}
    here = {"include_dashboard": False} if options.address is None else {"address": options.address}
    try:
        ray.init(**here, **quiet, configure_logging=options.verbose)
    except (ConnectionError, TimeoutError, ValueError, RuntimeError) as error:
        where = "here" if options.address is None else f"at {options.address}"
        raise DeviceError(f"no Ray cluster {where}: {str(error).strip().splitlines()[0]}") from error
    try:
        yield ray
    finally:
        ray.shutdown()


class Driver:
    """Spreads tasks over workers.

    `run` yields results as they come, in any order. A task whose worker died is tried once more elsewhere; then it is
    an error. At most one task per worker is under way, so a dead node costs no more than that.
    """

    def __init__(self, ray: Any, settings: WorkerSettings, options: ClusterOptions, worker: type[Any] = Worker) -> None:
        """`worker` is the class that works; another than `Worker` is for measuring the driver alone."""
        self._ray, self._settings, self._options = ray, settings, options
        gpus = options.gpus_per_worker
        if gpus is None:
            gpus = 1.0 if ray.cluster_resources().get("GPU") else 0.0
        self._actor = ray.remote(worker).options(
            num_cpus=options.cpus_per_worker, num_gpus=gpus, max_concurrency=2, max_restarts=0
        )
        self._gpus = gpus
        self._under_way: dict[Any, _Assignment] = {}
        self._idle: list[Any] = []

    @property
    def places(self) -> int:
        """How many workers the cluster has room for. Raises DeviceError where there is none for any."""
        total = self._ray.cluster_resources()
        room = int(total.get("CPU", 0) // self._options.cpus_per_worker)
        if self._gpus:
            room = min(room, int(total.get("GPU", 0) // self._gpus))
        if not room:
            raise DeviceError(
                f"the cluster has {total.get('CPU', 0):g} CPUs, and a worker needs {self._options.cpus_per_worker:g}"
            )
        return room if self._options.workers is None else min(room, self._options.workers)

    def check_versions(self) -> None:
        """Raises DeviceError where the versions of a first worker's node differ from this one's."""
        worker = self._actor.remote(self._settings)
        theirs, ours = self._ray.get(worker.versions.remote()), versions()
        self._idle.append(worker)
        differing = [f"{name} {theirs[name]} instead of {ours[name]}" for name in ours if theirs[name] != ours[name]]
        if differing:
            raise DeviceError(
                f"node {theirs['node']} has {', '.join(differing)}; install the same versions on all nodes"
            )

    def run(
        self, tasks: Iterable[FileTask | None], progress: Callable[[Progress], None] | None = None
    ) -> Iterator[FileResult]:
        """Results of all `tasks` as they are done. A None among them says that none is there yet: for folders that are
        watched."""
        left, again = iter(tasks), deque[tuple[FileTask, int]]()
        state, exhausted = Progress(), False
        try:
            while True:
                while len(self._under_way) < self.places and (again or not exhausted):
                    if again:
                        task, tries = again.popleft()
                    else:
                        new = next(left, ...)
                        if new is ...:
                            exhausted = True
                            break
                        if new is None:
                            break
                        task, tries = new, 0
                    self._assign(task, tries + 1)
                if not self._under_way and exhausted and not again:
                    return
                for result in self._collect(again):
                    state.files += 1
                    state.frames += result.report.frames if result.report else 0
                    yield result
                if progress is not None:
                    progress(replace(state, frames=state.frames + self._frames_under_way()))
        finally:
            for assignment in self._under_way.values():
                self._ray.kill(assignment.worker)
            for worker in self._idle:
                self._ray.kill(worker)

    def _assign(self, task: FileTask, tries: int) -> None:
        worker = self._idle.pop() if self._idle else self._actor.remote(self._settings)
        # What a worker that died left behind is gone on with: it has the hidden name, and its lock is released.
        task = replace(task, resume=task.resume or tries > 1)
        self._under_way[worker.enhance.remote(task)] = _Assignment(worker, task, tries)

    def _collect(self, again: deque[tuple[FileTask, int]]) -> Iterator[FileResult]:
        if not self._under_way:
            self._ray.wait([self._ray.put(None)], timeout=INTERVAL)
            return
        ready, _ = self._ray.wait(list(self._under_way), num_returns=1, timeout=INTERVAL)
        for reference in ready:
            assignment = self._under_way.pop(reference)
            try:
                result = self._ray.get(reference)
            except self._ray.exceptions.RayError as error:
                # The process or its node is gone; the actor cannot be used again.
                if assignment.tries < TRIES:
                    again.append((assignment.task, assignment.tries))
                    continue
                reason = str(error).strip().splitlines()[0]
                failed = f"its worker died {assignment.tries} times: {reason}"
                yield FileResult(assignment.task, "unknown", error=failed, tries=assignment.tries)
                continue
            self._idle.append(assignment.worker)
            yield replace(result, tries=assignment.tries)

    def _frames_under_way(self) -> int:
        counts = [assignment.worker.frames.remote() for assignment in self._under_way.values()]
        ready, _ = self._ray.wait(counts, num_returns=len(counts), timeout=0.1) if counts else ([], [])
        total = 0
        for reference in ready:
            try:
                total += self._ray.get(reference)
            except self._ray.exceptions.RayError:
                pass  # a worker that died is met in `_collect`
        return total
