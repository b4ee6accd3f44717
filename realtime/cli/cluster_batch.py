"""``realtime enhance --ray``: the same files with the same results, spread over a Ray cluster."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from realtime.cli import options
from realtime.cli.existing import is_done
from realtime.cli.io_pairs import IoPair
from realtime.cli.results import ProgressListener, ResultCollector
from realtime.errors import RealtimeError

if TYPE_CHECKING:
    from realtime.cluster.driver import Progress
    from realtime.cluster.tasks import FileTask


def add_cluster_options(parser: argparse.ArgumentParser) -> None:
    """``--ray`` and what belongs to it."""
    group = parser.add_argument_group("cluster (extra 'cluster')")
    about = "spread the files over a Ray cluster: HOST:PORT, ray://HOST:PORT, auto; without ADDRESS over this machine"
    group.add_argument("--ray", nargs="?", const="", metavar="ADDRESS", help=about)
    group.add_argument("--cpus-per-worker", type=float, default=2.0, metavar="N", help="default: 2")
    group.add_argument("--workers", type=int, metavar="N", help="at most so many (default: as many as fit)")


def run_on_cluster(args: argparse.Namespace, pairs: Iterable[IoPair], total: int | None) -> int:
    """Enhances all `pairs`, `total` in number (None: nobody knows), and returns the exit code."""
    from realtime.cluster.driver import Driver, connected
    from realtime.cluster.tasks import ClusterOptions, WorkerSettings

    if not args.verbose:
        logging.getLogger("ray").setLevel(logging.ERROR)
    results = ResultCollector("enhance", args)
    cluster = ClusterOptions(
        address=args.ray or None, cpus_per_worker=args.cpus_per_worker, workers=args.workers, verbose=args.verbose
    )
    try:
        with connected(cluster) as ray, _progress_line(args, total) as show:
            driver = Driver(ray, WorkerSettings(options.enhance_options(args)), cluster)
            driver.check_versions()
            for result in driver.run(_tasks(args, pairs, results), show):
                error = None if result.error is None else RealtimeError(result.error)
                listener = ProgressListener("", args.quiet)
                results.add(result.task.source, result.task.target, listener, result.report, error)
    except KeyboardInterrupt:
        results.finish(interrupted=True)
        raise KeyboardInterrupt("files under way keep their parts; --resume --skip-existing goes on") from None
    results.finish()
    return results.exit_code


def _tasks(args: argparse.Namespace, pairs: Iterable[IoPair], results: ResultCollector) -> Iterator[FileTask]:
    """A task for each pair, but for those that cannot be done, or are."""
    from realtime.cluster.tasks import FileTask

    enhance, encoding = options.enhance_options(args), options.encoding_options(args)
    overrides = options.input_overrides(args)
    for pair in pairs:
        try:
            target, source = pair.prepare().absolute(), pair.source.absolute()
            if args.skip_existing and is_done(source, target, enhance, encoding, overrides):
                results.skipped += 1
                continue
        except (RealtimeError, OSError) as error:
            results.add(pair.source, pair.target, ProgressListener("", args.quiet), error=error)
            continue
        yield FileTask(
            str(source),
            str(target),
            input=overrides,
            encoding=encoding,
            overwrite=args.overwrite or args.skip_existing,
            resume=args.resume,
            manifest=args.manifest,
        )


@contextmanager
def _progress_line(args: argparse.Namespace, total: int | None) -> Iterator[Callable[[Progress], None] | None]:
    """One progress line for all files; None where nobody watches a terminal."""
    if args.quiet or args.json or not sys.stderr.isatty():
        yield None
        return
    from rich import progress as rich_progress
    from rich.console import Console

    columns = (
        rich_progress.TextColumn("all files"),
        rich_progress.BarColumn(),
        rich_progress.MofNCompleteColumn(),
        rich_progress.TextColumn("{task.fields[frames]} frames"),
        rich_progress.TimeElapsedColumn(),
    )
    with rich_progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total, frames=0)
        yield lambda done: bar.update(task, completed=done.files, frames=done.frames)
