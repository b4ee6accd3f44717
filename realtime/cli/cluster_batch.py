"""``realtime enhance --ray``: the same files with the same results, spread over a Ray cluster."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from realtime.cli import options
from realtime.cli.arguments import cluster_address, positive_number, whole_number, word_or_number
from realtime.cli.results import ProgressListener, ResultCollector
from realtime.errors import RealtimeError, SettingError

if TYPE_CHECKING:
    from realtime.cli.cluster_inputs import ClusterPair
    from realtime.cluster.driver import Progress
    from realtime.cluster.tasks import FileResult, FileTask


def add_cluster_options(parser: argparse.ArgumentParser) -> None:
    """``--ray`` and what belongs to it."""
    title = "cluster (extra 'cluster'; INPUT and OUT may be addresses such as s3://bucket/night/)"
    group = parser.add_argument_group(title)
    about = "spread the files over a Ray cluster: HOST:PORT, ray://HOST:PORT, auto; without ADDRESS over this machine"
    group.add_argument("--ray", nargs="?", const="", type=cluster_address, metavar="ADDRESS", help=about)
    about = "cut long files into segments of about so many seconds, done side by side (default: auto, 300)"
    group.add_argument("--parts", type=word_or_number("auto", "off", low=1), metavar="auto|off|SECONDS", help=about)
    group.add_argument("--cpus-per-worker", type=positive_number, metavar="N", help="default: 1 for fast, 2 for others")
    group.add_argument("--workers", type=whole_number(1, 1_000_000), metavar="N", help="at most (default: all)")
    about = "folder on each node for copies of remote files (default: that for temporary files)"
    group.add_argument("--cache", metavar="FOLDER", help=about)


def cluster_only(args: argparse.Namespace) -> str:
    """The first option that was given and means nothing without a cluster; empty for none."""
    given = {
        "--parts": args.parts,
        "--cpus-per-worker": args.cpus_per_worker,
        "--workers": args.workers,
        "--cache": args.cache,
    }
    return next((name for name, value in given.items() if value is not None), "")


def run_on_cluster(args: argparse.Namespace) -> int:
    """Enhances all inputs and returns the exit code."""
    from realtime.cli.cluster_inputs import list_pairs, watch_pairs
    from realtime.cluster.connection import connected, import_ray
    from realtime.cluster.driver import Driver
    from realtime.cluster.pool import WorkerPool
    from realtime.cluster.tasks import ClusterOptions, WorkerSettings

    if args.keep_partial:
        raise SettingError("--keep-partial does not go with --ray: an interrupt leaves parts that --resume continues")
    cluster = ClusterOptions(
        address=args.ray or None,
        cpus_per_worker=args.cpus_per_worker,
        workers=args.workers,
        cache=args.cache,
        verbose=args.verbose,
    )
    import_ray()
    run = _Run(args)
    listed = None if args.watch else list(list_pairs(args))
    try:
        if listed is not None and all(pair.problem for pair in listed):
            list(run.tasks(listed, None))  # nothing to start a cluster for
        else:
            with connected(cluster) as ray, _progress_line(args, None if listed is None else len(listed)) as show:
                pool = WorkerPool(ray, WorkerSettings(options.enhance_options(args)), cluster)
                tasks = run.tasks(watch_pairs(args) if listed is None else listed, _segment_seconds(args, pool.places))
                for result in Driver(ray, pool).run(tasks, show):
                    run.add(result)
    except KeyboardInterrupt:
        run.results.finish(interrupted=True)
        words = [word for word in args.arguments if word not in ("--overwrite", "--resume", "--skip-existing")]
        again = shlex.join(["realtime", *words, "--resume", "--skip-existing"])
        raise KeyboardInterrupt(f"what was under way is kept in parts; go on with: {again}") from None
    run.results.finish()
    single_usage = listed is not None and len(listed) == 1 and isinstance(run.results.last_error, SettingError)
    return 2 if single_usage else run.results.exit_code


class _Run:
    """Tasks out of pairs, and what becomes of them under the names that the user gave."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args, self.results = args, ResultCollector("enhance", args)
        self._settings = options.encoding_options(args), options.input_overrides(args)
        self._names: dict[str, ClusterPair] = {}

    def tasks(self, pairs: Iterable[ClusterPair | None], segment_seconds: float | None) -> Iterator[FileTask | None]:
        """A task for each pair that can be done; None where there is none yet."""
        from realtime.cluster.tasks import FileTask

        args, (encoding, overrides) = self._args, self._settings
        for pair in pairs:
            if pair is None:
                yield None
                continue
            try:
                source, target = pair.prepare()
            except (RealtimeError, OSError) as error:
                self.results.add(pair.source, pair.target, ProgressListener("", args.quiet), error=error)
                continue
            self._names[target] = pair
            yield FileTask(
                source,
                target,
                input=overrides,
                encoding=encoding,
                overwrite=args.overwrite or args.skip_existing,
                resume=args.resume,
                manifest=args.manifest,
                skip_existing=args.skip_existing,
                segment_seconds=segment_seconds,
            )

    def add(self, result: FileResult) -> None:
        """Adds what became of a task to the results."""
        pair = self._names.pop(result.task.target)
        if result.skipped:
            self.results.skipped += 1
            return
        listener = ProgressListener(Path(pair.source).name, self._args.quiet)
        for message in result.messages:
            listener.on_message(message)
        self.results.add(pair.source, pair.target, listener, result.report, result.error)


def _segment_seconds(args: argparse.Namespace, places: int) -> float | None:
    """The length of the segments of long files; None where they are not cut."""
    from realtime.cluster.tasks import SEGMENT_SECONDS

    if args.parts in ("auto", None):
        return SEGMENT_SECONDS if places > 1 else None
    return None if args.parts == "off" else float(args.parts)


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
