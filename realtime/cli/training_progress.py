"""Progress of work that counts steps: training, distilling, evaluating."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

Progress = Callable[[int, int, Mapping[str, float]], None]


@contextmanager
def step_progress(label: str, args: argparse.Namespace) -> Iterator[Progress | None]:
    """A progress bar with the latest numbers; None where stderr is no terminal, or none is wanted."""
    if args.quiet or args.json or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[numbers]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=None, numbers="")

        def show(done: int, total: int, numbers: Mapping[str, float]) -> None:
            text = " ".join(f"{name} {value:.4g}" for name, value in numbers.items())
            bar.update(task, completed=done, total=total, numbers=text)

        yield show
