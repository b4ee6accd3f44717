"""What the user sees while a run lasts: its messages when they happen, and a progress bar on a terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from realtime.cli.terminal import clean, print_line
from realtime.diagnostics import Message, Severity
from realtime.errors import redacted

if TYPE_CHECKING:
    from realtime.report import Report

#: What stands before a message's text.
_LABELS = {Severity.INFO: "", Severity.WARNING: "warning: ", Severity.DAMAGE: "damage: "}


class ProgressListener:
    """Hears reports and messages of one run, from any thread. `last` and `messages` are what came so far.

    Messages are printed when they come, with `label` before them; if `quiet`, only damage is.
    """

    def __init__(self, label: str, quiet: bool, show: Callable[[Report], None] | None = None) -> None:
        self.label = label
        self.last: Report | None = None
        self.messages: list[Message] = []
        self._quiet, self._show = quiet, show

    def __call__(self, report: Report) -> None:
        self.last = report
        if self._show is not None:
            self._show(report)

    def on_message(self, message: Message) -> None:
        """To be subscribed to the run's `Diagnostics` before it starts."""
        self.messages.append(message)
        if not self._quiet or message.severity is Severity.DAMAGE:
            # Information is of our own making: the address of a page that is served holds the token that opens it.
            ours = message.severity is Severity.INFO
            text = f"realtime: {redacted(self.label)}: {_LABELS[message.severity]}{message.text}"
            print_line(text, error=True, hide_passwords=not ours)


def live_state(report: Report) -> str:
    """How a live stream fares, in a few words; empty for a file."""
    delay, governor = report.latency_ms, report.governor or {}
    words = [f"{delay['p50']:.0f} ms behind"] if delay else []
    words += [f"{report.dropped} dropped"] if report.dropped else []
    words += [f"maps at level {governor['level']}"] if governor.get("level") else []
    return ", ".join(words)


@contextmanager
def progress_bar(label: str, args: argparse.Namespace, index: int = 0, total: int = 1) -> Iterator[ProgressListener]:
    """A listener for one input, with a progress bar while the block runs if stderr is a terminal.

    Where the input is number `index` of `total` > 1, a second bar shows the whole batch.
    """
    if args.quiet or args.json or not sys.stderr.isatty():
        yield ProgressListener(label, args.quiet)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[fps]:.1f} fps"),
        TextColumn("{task.fields[state]}", markup=False),
        TimeRemainingColumn(),
    )
    # While it runs, rich prints what is written to stderr above the bar.
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(clean(label), total=None, fps=0.0, state="")
        batch = bar.add_task("all files", total=total, completed=index, fps=0.0, state="", visible=total > 1)

        def show(report: Report) -> None:
            done = report.frames / report.total if report.total else 0.0
            bar.update(task, completed=report.frames, total=report.total, fps=report.fps, state=live_state(report))
            bar.update(batch, completed=index + min(1.0, done), fps=report.fps)

        yield ProgressListener(label, args.quiet, show)
