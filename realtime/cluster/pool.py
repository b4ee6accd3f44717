"""The workers of a cluster: as many as it has room for and the work can use, each checked before it gets any."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from time import monotonic
from typing import Any

from realtime.cluster.tasks import ClusterOptions, WorkerSettings, first_line, versions
from realtime.cluster.worker import Worker
from realtime.enhance.engines.registry import AUTO, abilities
from realtime.errors import DeviceError

#: CPUs of a worker where nothing is said, as far as all nodes have them: for an engine that keeps up with video, and
#: for others. With the fast engine two workers of one CPU do 1.4 times the frames of one process
#: (docs/howto/cluster.md).
REALTIME_CPUS, WORKER_CPUS = 1.0, 2.0
#: Workers in a row that die while they start, before the cluster is given up.
MAX_FAILED_STARTS = 3
#: Seconds between two looks at the cluster's size, and until the user is told that it has no room.
LOOK_SECONDS, PATIENCE = 5.0, 20.0


@dataclass(frozen=True)
class PooledWorker:
    """An actor and the name of its node."""

    actor: Any
    node: str


class WorkerPool:
    """Starts workers and hands them out. `nodes` is how many machines the cluster has.

    At most one piece of work is under way on a worker, so a dead node costs no more than that.
    """

    def __init__(self, ray: Any, settings: WorkerSettings, options: ClusterOptions, worker: type[Any] = Worker) -> None:
        """`worker` is the class that works; another than `Worker` is for measuring the driver alone."""
        self._ray, self._options = ray, options
        self._looked = self._empty_since = monotonic()
        self._alive = self._nodes()
        cpus, gpus = options.cpus_per_worker, options.gpus_per_worker
        if cpus is None:
            cpus = min([_usual_cpus(settings), *(node["CPU"] for node in self._alive if node.get("CPU", 0) >= 1)])
        if gpus is None:
            gpus = 1.0 if any(node.get("GPU") for node in self._alive) else 0.0
        self._cpus, self._gpus = cpus, gpus
        self._settings = WorkerSettings(settings.enhance, settings.cache or options.cache, cpus)
        self._actor = ray.remote(worker).options(num_cpus=cpus, num_gpus=gpus, max_concurrency=2, max_restarts=0)
        self._starting: dict[Any, Any] = {}
        self._idle: list[PooledWorker] = []
        self._busy = self._failed_starts = 0
        self._told = False
        if not self.places:
            most = max((node.get("CPU", 0) for node in self._alive), default=0)
            raise DeviceError(
                f"no node of the cluster has the {cpus:g} CPUs and {gpus:g} GPUs that a worker needs; "
                f"the largest has {most:g} CPUs"
            )

    @property
    def nodes(self) -> int:
        """How many machines there are."""
        return len(self._alive)

    @property
    def places(self) -> int:
        """How many workers the cluster has room for."""
        if monotonic() - self._looked > LOOK_SECONDS:
            self._looked, self._alive = monotonic(), self._nodes()
        room = 0
        for node in self._alive:
            rooms = [node.get("CPU", 0) // self._cpus] + ([node.get("GPU", 0) // self._gpus] if self._gpus else [])
            room += int(min(rooms))
        return room if self._options.workers is None else min(room, self._options.workers)

    @property
    def starting(self) -> list[Any]:
        """What to wait for, besides work: workers that are on their way."""
        return list(self._starting)

    def request(self, count: int) -> None:
        """Starts workers until there are `count`, or as many as there is room for."""
        present = self._busy + len(self._idle) + len(self._starting)
        for _ in range(min(count, self.places) - present):
            actor = self._actor.remote(self._settings)
            self._starting[actor.versions.remote()] = actor
        if self._busy or self._idle or not self._starting:
            self._empty_since, self._told = monotonic(), False
        elif not self._told and monotonic() - self._empty_since > PATIENCE:
            self._told = True
            logging.getLogger("realtime").info("the cluster has no room for a worker yet; waiting")

    def started(self, reference: Any) -> None:
        """Takes a worker of `starting` that is ready. Raises DeviceError where its node has other versions, or none
        starts."""
        actor = self._starting.pop(reference)
        try:
            theirs = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            self._failed_starts += 1
            if self._failed_starts >= MAX_FAILED_STARTS:
                raise DeviceError(f"the cluster's workers do not start: {first_line(error)}") from error
            return
        self._failed_starts, ours = 0, versions()
        differing = [f"{name} {theirs[name]} instead of {ours[name]}" for name in ours if theirs[name] != ours[name]]
        if differing:
            raise DeviceError(
                f"node {theirs['node']} has {', '.join(differing)}; install the same versions on all nodes"
            )
        self._idle.append(PooledWorker(actor, theirs["node"]))

    def take(self) -> PooledWorker | None:
        """An idle worker, or None."""
        if not self._idle:
            return None
        self._busy += 1
        return self._idle.pop()

    def give_back(self, worker: PooledWorker) -> None:
        """The worker is idle again."""
        self._busy -= 1
        self._idle.append(worker)

    def lost(self, worker: PooledWorker) -> None:
        """The worker died; it is not used again."""
        self._busy -= 1
        self._ray.kill(worker.actor)

    def close(self, busy: list[PooledWorker]) -> None:
        """Ends all workers, those that are `busy` as well."""
        for actor in [*self._starting.values(), *(worker.actor for worker in [*self._idle, *busy])]:
            self._ray.kill(actor)

    def _nodes(self) -> list[dict[str, float]]:
        """What each node that lives has."""
        return [node["Resources"] for node in self._ray.nodes() if node["Alive"]]


def _usual_cpus(settings: WorkerSettings) -> float:
    asked = settings.enhance.engine
    return REALTIME_CPUS if asked != AUTO and abilities(asked).realtime else WORKER_CPUS
