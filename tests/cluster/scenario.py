"""A real Ray of two nodes in a process of its own, which a test starts: prints what became of each task.

    python scenario.py FOLDER

Its worker writes a text instead of enhancing. A task named ``dies once`` kills its process the first time, ``poison``
always; ``fails`` is an error of the worker's own. ``long`` is cut into three, of which the second dies once; of
``uncut`` the second says that the file cannot be cut; of ``half`` the second is poison.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from pathlib import Path

from realtime import RealtimeError
from realtime.cluster.driver import Driver
from realtime.cluster.pool import WorkerPool
from realtime.cluster.tasks import ClusterOptions, FileTask, Result, WorkerSettings, versions


class Thirds:
    """In the place of a plan."""

    count = 3


class TextWorker:
    """In the place of `realtime.cluster.worker.Worker`."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._cpus = settings.cpus

    def versions(self) -> dict[str, str]:
        return versions() | {"node": "test"}

    def frames(self) -> int:
        return 0

    def enhance(self, task: FileTask) -> Result:
        name = Path(task.source).name
        if name == "poison" or name == "dies once":
            self._die(task, name == "poison")
        if name == "fails":
            return Result("test", error=RealtimeError("no video", remedies={"overwrite=True": "{} helps"}))
        if name in ("long", "uncut", "half") and task.segment_seconds is not None:
            return Result("test", plan=Thirds())  # type: ignore[arg-type]
        Path(task.target).write_text(f"{name} {task.resume}")
        return Result("test")

    def segment(self, task: FileTask, plan: Thirds, number: int) -> Result:
        name = Path(task.source).name
        if number == 1 and name in ("long", "half"):
            self._die(task, name == "half")
        if number == 1 and name == "uncut":
            return Result("test", uncut=True)
        Path(f"{task.target}.{number}").write_text(f"{task.resume}")
        return Result("test")

    def join(self, task: FileTask, plan: Thirds, reports: list[object]) -> Result:
        parts = [Path(f"{task.target}.{number}").read_text() for number in range(plan.count)]
        Path(task.target).write_text("joined " + " ".join(parts))
        return Result("test")

    def _die(self, task: FileTask, always: bool) -> None:
        marker = Path(task.target + ".tried")
        if always or not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)


def main(folder: Path) -> None:
    import ray
    from ray.cluster_utils import Cluster

    logging.getLogger("ray").setLevel(logging.CRITICAL)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address, logging_level=logging.CRITICAL, log_to_driver=False)
    try:
        pool = WorkerPool(ray, WorkerSettings(), ClusterOptions(address=cluster.address), TextWorker)
        names = ["one", "dies once", "fails", "long", "poison", "two", "uncut", "half", "three"]
        tasks = [FileTask(f"/in/{name}", str(folder / name), segment_seconds=1) for name in names]
        results = [
            [Path(result.task.source).name, str(result.error), result.tries]
            for result in Driver(ray, pool).run(iter([*tasks[:4], None, *tasks[4:]]))
        ]
        print(json.dumps({"places": pool.places, "nodes": pool.nodes, "results": results}))
    finally:
        ray.shutdown()
        cluster.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
