"""What a cluster brings: ``python -m realtime.benchmarks.cluster files|growth|driver``.

- ``files FILE``: so many copies of a clip by the plain command, and by Ray with one and two workers on this machine.
- ``growth``: Ray with 1 to 16 nodes of one CPU each (processes of this machine), whose workers sleep instead of
  computing.
- ``driver``: what a file and a segment cost the driver, with workers that do nothing.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import platform
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from shutil import copyfile
from time import perf_counter, process_time
from typing import Any

from realtime.cluster.connection import connected
from realtime.cluster.driver import Driver
from realtime.cluster.pool import WorkerPool
from realtime.cluster.tasks import ClusterOptions, FileTask, Result, WorkerSettings, versions
from realtime.config import EnhanceOptions, InputOverrides

Row = dict[str, Any]
#: The numbers of nodes of `growth`.
NODES = (1, 2, 4, 8, 16)


class IdleWorker:
    """In the place of `realtime.cluster.worker.Worker`: sleeps for as many seconds as the source's name says."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._sleep = threading.Event().wait

    def versions(self) -> dict[str, str]:
        return versions() | {"node": platform.node()}

    def frames(self) -> int:
        return 0

    def enhance(self, task: FileTask) -> Result:
        if task.segment_seconds is not None:
            return Result("", plan=_Parts(int(task.segment_seconds)))  # type: ignore[arg-type]
        self._sleep(float(task.source))
        return Result("")

    def segment(self, task: FileTask, plan: object, number: int) -> Result:
        return Result("")

    def join(self, task: FileTask, plan: object, reports: object) -> Result:
        return Result("")


class _Parts:
    """In the place of a plan: how many segments there are."""

    def __init__(self, count: int) -> None:
        self.count = count


def growth(seconds: float = 2.0, files_each: int = 8, nodes: Iterable[int] = NODES) -> list[Row]:
    """Rows: `nodes`, files a second, and `of_linear`, its share of as many times what one node does.

    Each file takes `seconds` on its worker; the time begins with each worker's second file.
    """
    import ray
    from ray.cluster_utils import Cluster

    rows: list[Row] = []
    for count in nodes:
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        for _ in range(count - 1):
            cluster.add_node(num_cpus=1)
        ray.init(address=cluster.address, logging_level=logging.CRITICAL, log_to_driver=False)
        try:
            pool = WorkerPool(ray, WorkerSettings(), ClusterOptions(), IdleWorker)
            pool.request(count)
            while pool.starting:
                ray.wait(pool.starting, num_returns=len(pool.starting))
                for reference in pool.starting:
                    pool.started(reference)
            tasks = [FileTask(str(seconds), "") for _ in range(count * files_each)]
            ends = [perf_counter() for _ in Driver(ray, pool).run(tasks)]
        finally:
            ray.shutdown()
            cluster.shutdown()
        rate = (len(ends) - count) / (ends[-1] - ends[count - 1])
        rows.append({"nodes": count, "files_per_second": round(rate, 3), "of_linear": round(rate * seconds / count, 3)})
    return rows


def driver(count: int = 2000) -> list[Row]:
    """Rows: milliseconds of time, and of the driver's CPU, for a file and for a segment; on two workers."""
    rows: list[Row] = []
    options = ClusterOptions(cpus_per_worker=0.5, workers=2)
    with connected(options) as ray:
        for what, tasks in (
            ("file", [FileTask("0", "") for _ in range(count)]),
            ("segment", [FileTask("0", "", segment_seconds=count)]),
        ):
            pool = WorkerPool(ray, WorkerSettings(), options, IdleWorker)
            list(Driver(ray, pool).run([FileTask("0", "")] * 4))
            pool = WorkerPool(ray, WorkerSettings(), options, IdleWorker)
            pool.request(2)
            began, cpu_began = perf_counter(), process_time()
            list(Driver(ray, pool).run(tasks))
            took, cpu = perf_counter() - began, process_time() - cpu_began
            rows.append({"what": what, "ms": round(took / count * 1000, 2), "cpu_ms": round(cpu / count * 1000, 2)})
    return rows


def files(path: Path, engine: str, count: int, duration: float | None, workers: Iterable[int] = (1, 2)) -> list[Row]:
    """Rows: frames a second of `count` copies of a clip, plain and by so many workers, each in a process of its own;
    `of_plain` is the share of the plain speed, `first` the seconds until the first file is done."""
    with tempfile.TemporaryDirectory() as folder:
        sources = [Path(folder) / f"{number:02}{path.suffix}" for number in range(count)]
        for source in sources:
            copyfile(path, source)
        rows = [_apart(_plain, sources, engine, duration)]
        rows += [_apart(_on_workers, sources, engine, duration, number) for number in workers]
    for row in rows:
        row["of_plain"] = round(row["fps"] / rows[0]["fps"], 3)
    return rows


def _apart(work: Callable[..., Row], *arguments: Any) -> Row:
    with multiprocessing.get_context("spawn").Pool(1) as process:
        return process.apply(work, arguments)


def _plain(sources: list[Path], engine: str, duration: float | None) -> Row:
    from realtime.api import enhance_video
    from realtime.enhance.host import configure_process

    began = perf_counter()
    configure_process(engine)
    from realtime.enhance.enhancer import Enhancer

    enhancer, ends = Enhancer(engine=engine), []
    for source in sources:
        report = enhance_video(
            source, _target(source), enhancer=enhancer, input=InputOverrides(duration=duration), overwrite=True
        )
        ends.append((perf_counter() - began, report.frames))
    return _row("plain", ends, 1)


def _on_workers(sources: list[Path], engine: str, duration: float | None, workers: int) -> Row:
    from realtime.cluster.batch import enhance_videos

    cpus = max(1.0, (multiprocessing.cpu_count()) / workers)
    began, ends = perf_counter(), []
    for result in enhance_videos(
        [(source, _target(source)) for source in sources],
        ray=ClusterOptions(cpus_per_worker=cpus, workers=workers),
        enhance=EnhanceOptions(engine=engine),
        input=InputOverrides(duration=duration),
        overwrite=True,
        segment_seconds=None,
    ):
        if result.report is None:
            raise SystemExit(str(result.error))
        ends.append((perf_counter() - began, result.report.frames))
    return _row(f"{workers} worker{'s' if workers > 1 else ''}", ends, workers)


def _target(source: Path) -> Path:
    return source.with_name(f"{source.stem}_enhanced{source.suffix}")


def _row(name: str, ends: list[tuple[float, int]], workers: int) -> Row:
    """Loading and compiling belong to the first file of each worker, and are left out of the speed."""
    frames = sum(count for _, count in ends[workers:])
    return {
        "by": name,
        "fps": round(frames / (ends[-1][0] - ends[workers - 1][0]), 2),
        "first": round(ends[0][0], 1),
        "seconds": round(ends[-1][0], 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="realtime.benchmarks.cluster", description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    one = kinds.add_parser("files")
    one.add_argument("input", type=Path)
    one.add_argument("--engine", default="fast")
    one.add_argument("--count", type=int, default=16)
    one.add_argument("--duration", type=float, help="seconds of each copy")
    two = kinds.add_parser("growth")
    two.add_argument("--seconds", type=float, default=2.0, help="how long a file takes")
    three = kinds.add_parser("driver")
    three.add_argument("--count", type=int, default=2000)
    args = parser.parse_args()
    if args.kind == "files":
        rows = files(args.input, args.engine, args.count, args.duration)
    else:
        rows = growth(args.seconds) if args.kind == "growth" else driver(args.count)
    json.dump(rows, sys.stdout, indent=2)
    print()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
