"""A real Ray of two nodes in a process of its own, which a test starts: prints what became of each task.

    python scenario.py FOLDER

Its worker writes a text instead of enhancing. A task named ``dies once`` kills its process the first time, ``poison``
always; ``fails`` is an error of the worker's own.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from pathlib import Path

from realtime.cluster.driver import Driver
from realtime.cluster.tasks import ClusterOptions, FileResult, FileTask, WorkerSettings, versions


class TextWorker:
    """In the place of `realtime.cluster.worker.Worker`."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._done = 0

    def versions(self) -> dict[str, str]:
        return versions() | {"node": "test"}

    def frames(self) -> int:
        return self._done

    def enhance(self, task: FileTask) -> FileResult:
        name, marker = Path(task.source).name, Path(task.target + ".tried")
        if name == "poison" or (name == "dies once" and not marker.exists()):
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if name == "fails":
            return FileResult(task, "test", error="no video")
        Path(task.target).write_text(f"{name} {task.resume}")
        self._done += 1
        return FileResult(task, "test")


def main(folder: Path) -> None:
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address, logging_level=logging.CRITICAL, log_to_driver=False)
    try:
        options = ClusterOptions(address=cluster.address, cpus_per_worker=1)
        driver = Driver(ray, WorkerSettings(), options, TextWorker)
        driver.check_versions()
        names = ["one", "dies once", "fails", "poison", "two", "three"]
        tasks = [FileTask(f"/in/{name}", str(folder / name)) for name in names]
        results = {Path(result.task.source).name: [result.error, result.tries] for result in driver.run(iter(tasks))}
        print(json.dumps({"places": driver.places, "results": results}))
    finally:
        ray.shutdown()
        cluster.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
