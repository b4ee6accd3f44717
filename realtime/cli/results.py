"""What the user sees: progress on a terminal, a summary line, or one JSON object."""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from realtime import __version__
from realtime.errors import redacted

if TYPE_CHECKING:
    from realtime.report import Report

FIELDS = (
    *("engine", "device", "precision", "batch", "width", "height"),
    *("frames", "dropped", "seconds", "fps", "latency_ms", "governor"),
)


class Outcome:
    """Collects one result an input, and prints them all in the end."""

    def __init__(self, command: str, chosen: argparse.Namespace) -> None:
        self._command, self._chosen = command, chosen
        self._began = perf_counter()
        self._results: list[dict[str, Any]] = []
        self.last_error: Exception | None = None
        #: Whether an input was damaged: what could be read of it was done, and still something is wrong.
        self.damaged = False
        #: Inputs left alone, as their outputs are there.
        self.skipped = 0

    def add(
        self,
        source: str | Path,
        target: str | Path | None,
        report: Report | None,
        error: Exception | None = None,
        interrupted: bool = False,
    ) -> None:
        """Notes what became of one input, and says it where no JSON is wanted."""
        result: dict[str, Any] = {
            "input": redacted(str(source)),
            "output": None if target is None else redacted(str(target)),
        }
        result |= {field: getattr(report, field, None) for field in FIELDS}
        result |= {"warnings": list(report.warnings) if report else [], "error": None if error is None else str(error)}
        result |= {"interrupted": True} if interrupted else {}
        self._results.append(result)
        self.damaged = self.damaged or bool(report and report.damaged)
        if error is not None:
            self.last_error = error
            complain(error, self._chosen.verbose)
        elif report is not None and not self._chosen.quiet:
            for warning in report.warnings:
                print(f"realtime: {source}: {warning}", file=sys.stderr)
            print(summary(str(source), result["output"], report), file=sys.stderr)

    def note(self, text: str | None, **result: Any) -> None:
        """Keeps a result of another kind for the JSON object, and says `text` where no JSON is wanted."""
        self._results.append(result)
        if text is not None and not self._chosen.quiet and not self._chosen.json:
            print(text)

    def finish(self, interrupted: bool = False) -> None:
        """Prints the JSON object, if that is wanted, else a table where there were several inputs."""
        if self._chosen.json:
            answer = {
                "version": __version__,
                "command": self._command,
                "ok": self.last_error is None and not self.damaged and not interrupted,
                "seconds": round(perf_counter() - self._began, 3),
                "results": self._results,
            }
            print(json.dumps(answer | ({"skipped": self.skipped} if self.skipped else {}), indent=2))
        elif len(self._results) > 1 and not self._chosen.quiet and all("error" in result for result in self._results):
            print(table(self._results), file=sys.stderr)
        if self.skipped and not self._chosen.json and not self._chosen.quiet:
            print(f"{self.skipped} left alone, whose outputs are there and as long", file=sys.stderr)


def table(results: list[dict[str, Any]]) -> str:
    """One line an input, and how many of them came out well."""
    wide = max(len(result["input"]) for result in results)
    lines = []
    for result in results:
        state = "failed" if result["error"] else "interrupted" if result.get("interrupted") else ""
        state = state or ("with warnings" if result["warnings"] else "done")
        lines.append(
            f"{result['input']:{wide}}  {result['frames'] or 0:8} frames  {result['fps'] or 0:7.1f} fps  {state}"
        )
    failed = sum(result["error"] is not None or "interrupted" in result for result in results)
    return "\n".join([*lines, f"{len(results) - failed} of {len(results)} files done"])


def complain(error: BaseException, verbose: bool) -> None:
    """One line for an error; with `verbose` its traceback before that."""
    if verbose:
        print(redacted("".join(traceback.format_exception(error))), end="", file=sys.stderr)
    print(f"realtime: {redacted(str(error))}", file=sys.stderr)


def summary(source: str, target: str | None, report: Report) -> str:
    lost = f", {report.dropped} dropped" if report.dropped else ""
    delay = report.latency_ms
    eased = report.governor or {}
    less = f", maps down to level {eased['lowest']}" if eased.get("lowest") else ""
    behind = f", {delay['p50']:.0f} ms behind (p95 {delay['p95']:.0f})" if delay else ""
    return (
        f"{source}{f' -> {target}' if target else ''}: {report.frames} frames{lost} in {report.seconds:.1f} s, "
        f"{report.fps:.1f} fps{behind}{less} ({report.engine}, {report.device}, {report.precision})"
    )


def state(report: Report) -> str:
    """How a live stream fares, in a few words; empty for a file."""
    delay, eased = report.latency_ms, report.governor or {}
    words = [f"{delay['p50']:.0f} ms behind"] if delay else []
    words += [f"{report.dropped} dropped"] if report.dropped else []
    words += [f"maps at level {eased['level']}"] if eased.get("level") else []
    return ", ".join(words)


class Watch:
    """Keeps the latest report, and shows it where somebody is watching."""

    def __init__(self, show: Callable[[Report], None] | None = None) -> None:
        self.last: Report | None = None
        self._show = show

    def __call__(self, report: Report) -> None:
        self.last = report
        if self._show is not None:
            self._show(report)


@contextmanager
def watching(label: str, chosen: argparse.Namespace, done: int = 0, of: int = 1) -> Iterator[Watch]:
    """A watch for one input; with a progress line while the block runs, if stderr is a terminal, and a second one for
    the whole batch where the input is number `done` + 1 of several."""
    if chosen.quiet or chosen.json or not sys.stderr.isatty():
        yield Watch()
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
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None, fps=0.0, state="")
        batch = bar.add_task("all files", total=of, completed=done, fps=0.0, state="", visible=of > 1)

        def show(report: Report) -> None:
            bar.update(task, completed=report.frames, total=report.total, fps=report.fps, state=state(report))
            bar.update(batch, completed=done + min(1.0, report.frames / (report.total or 1 << 62)), fps=report.fps)

        yield Watch(show)
