"""What became of each input: a summary line, a table after several, or one JSON object."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from realtime import __version__
from realtime.cli.progress import ProgressListener, live_state, progress_bar
from realtime.cli.tables import print_table
from realtime.cli.terminal import error_line, print_error, print_line, write
from realtime.diagnostics import Severity, as_time
from realtime.errors import redacted_address

if TYPE_CHECKING:
    from realtime.report import Report

__all__ = ["ProgressListener", "ResultCollector", "live_state", "print_json", "progress_bar"]

#: What the JSON object takes from a report as it is.
_FIELDS = (
    *("engine", "device", "precision", "batch", "width", "height"),
    *("frames", "dropped", "seconds", "fps", "latency_ms", "governor"),
)


class ResultCollector:
    """Collects one result per input and prints them all in the end. Reads ``json``, ``quiet``, ``verbose`` of `args`.

    `failed`, `damaged` and `interrupted` say whether an input was; `skipped` counts those that were left alone.
    """

    def __init__(self, command: str, args: argparse.Namespace) -> None:
        self._command, self._args = command, args
        self._began = perf_counter()
        self._results: list[dict[str, Any]] = []
        self._is_of_files = True
        self.last_error: BaseException | None = None
        self.damaged = self.interrupted = False
        self.skipped = 0

    @property
    def exit_code(self) -> int:
        """1 if an input failed or was damaged, else 0."""
        return 1 if self.last_error is not None or self.damaged else 0

    def add(
        self,
        source: str | Path,
        target: str | Path | None,
        listener: ProgressListener,
        report: Report | None = None,
        error: BaseException | None = None,
        interrupted: bool = False,
    ) -> None:
        """Adds what became of one input, and prints it. Without `report` the last one that `listener` heard counts."""
        report = report or listener.last
        name = redacted_address(str(source))
        warnings = [m.text for m in listener.messages if m.severity is not Severity.INFO]
        counts = [text for text in (report.warnings if report else ()) if text not in warnings]
        result: dict[str, Any] = {"input": name, "output": None if target is None else redacted_address(str(target))}
        result |= {field: getattr(report, field, None) for field in _FIELDS}
        result |= {"outputs": [vars(output) for output in report.outputs] if report else []}
        before, after = _size(source), _size(target) if error is None else None
        # A part of a file is not compared with the whole file, nor a recording of a stream.
        is_part = interrupted or any(getattr(self._args, option, None) is not None for option in ("start", "duration"))
        comparable = not is_part and report is not None and report.latency_ms is None
        result |= {"input_bytes": before, "output_bytes": after}
        result |= {"size_ratio": round(after / before, 3) if comparable and before and after else None}
        result |= {"messages": [m.text for m in listener.messages if m.severity is Severity.INFO]}
        result |= {"warnings": [*warnings, *counts], "interrupted": interrupted}
        places = report.places if report else ()
        result |= {"damage": [{"seconds": place.seconds, "text": place.text} for place in places]}
        result |= {"error": None if error is None else error_line(error, self._args)}
        self._results.append(result)
        self.damaged |= any(m.severity is Severity.DAMAGE for m in listener.messages) or bool(report and report.damaged)
        self.interrupted |= interrupted
        if getattr(self._args, "list_damage", False):
            for place in places:
                at = "" if place.seconds is None else f" at {as_time(place.seconds)}"
                print_line(f"realtime: {name}: damage{at}: {place.text}", error=True)
        if error is not None:
            self.last_error = error
            print_error(error, self._args, str(source))
        elif report is not None and not self._args.quiet:
            for text in counts:
                print_line(f"realtime: {name}: {text}", error=True)
            print_line(_summary(result, report), error=True)

    def add_row(self, text: str | None, **fields: Any) -> None:
        """Adds a result of another kind to the JSON object, and prints `text` where no JSON is wanted."""
        self._is_of_files = False
        self._results.append(fields)
        if text is not None and not self._args.quiet and not self._args.json:
            print_line(text)

    def finish(self, interrupted: bool = False) -> None:
        """Prints the JSON object if that is wanted, else a table where there were several inputs."""
        if self._args.json:
            print_json(
                self._command,
                ok=self.exit_code == 0 and not interrupted and not self.interrupted,
                seconds=round(perf_counter() - self._began, 3),
                results=self._results,
                **({"skipped": self.skipped} if self.skipped else {}),
            )
        elif not self._args.quiet and self._is_of_files:
            if len(self._results) > 1:
                self._print_table()
            if self.skipped:
                print_line(f"{self.skipped} skipped, whose outputs are up to date", error=True)

    def _print_table(self) -> None:
        rows = [
            (r["input"], r["frames"], r["fps"] and round(r["fps"], 1), _change(r) or None, _state(r))
            for r in self._results
        ]
        print_table(("input", "frames", "fps", "size", "state"), rows, error=True)
        done = sum(r["error"] is None and not r["interrupted"] for r in self._results)
        print_line(f"{done} of {len(self._results)} files done", error=True)


def print_json(command: str, *, ok: bool, results: Any, **fields: Any) -> None:
    """Prints the one JSON object of a command on stdout."""
    summary = {"version": __version__, "command": command, "ok": ok, **fields, "results": results}
    write(json.dumps(summary, indent=2, default=str) + "\n")


def _summary(result: dict[str, Any], report: Report) -> str:
    """One line for one input."""
    target, delay, governor = result["output"], report.latency_ms, report.governor or {}
    parts = [f"{result['input']} -> {target}" if target else result["input"]]
    if len(report.outputs) > 1:
        # Each output counts its own frames: a window skips some that a recording holds.
        counts = [
            f"{o.name} {o.frames} frames" + (f" ({o.dropped} dropped)" if o.dropped else "") for o in report.outputs
        ]
        parts += [": ", ", ".join(counts), f", {report.dropped} dropped at capture" if report.dropped else ""]
    else:
        parts += [f": {report.frames} frames", f", {report.dropped} dropped" if report.dropped else ""]
    parts += [f" in {report.seconds:.1f} s, {report.fps:.1f} fps"]
    parts += [f", {_change(result)}"] if _change(result) else []
    parts += [f", {delay['p50']:.0f} ms behind (p95 {delay['p95']:.0f})"] if delay else []
    parts += [f", maps down to level {governor['lowest']}"] if governor.get("lowest") else []
    parts += [f" ({report.engine}, {report.device}, {report.precision})"]
    return "".join(parts)


def _state(result: dict[str, Any]) -> str:
    if result["error"]:
        return "failed"
    return "interrupted" if result["interrupted"] else "with warnings" if result["warnings"] else "done"


def _change(result: dict[str, Any]) -> str:
    """Sizes of input and output file, and their ratio; empty where they cannot be compared."""
    before, after, ratio = result["input_bytes"], result["output_bytes"], result["size_ratio"]
    return "" if ratio is None else f"{_megabytes(before)} -> {_megabytes(after)} ({ratio:.1f} times)"


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"


def _size(path: str | Path | None) -> int | None:
    """The size of a file in bytes; None for what is no file."""
    try:
        return Path(path).stat().st_size if path is not None and Path(path).is_file() else None
    except (OSError, ValueError):
        return None
