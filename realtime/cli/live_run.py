"""What ``preview`` and ``live`` share: running a live source into sinks and saying how it went."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from realtime.cli.options import make_enhancer
from realtime.cli.results import Outcome, state, watching

if TYPE_CHECKING:
    from realtime.report import Report
    from realtime.sinks.base import Sink
    from realtime.sources.base import Source


def play(
    command: str,
    chosen: argparse.Namespace,
    source: Source,
    sink: Sink,
    record: Sink | None = None,
    target: Path | None = None,
) -> int:
    """Runs the pipeline until it ends; answers the exit code. `target` is the file that is written, if any."""
    from realtime.pipeline import run

    outcome = Outcome(command, chosen)
    # Open from here on, whatever happens before the pipeline takes over: a camera light must not stay on.
    with closing(source), watching(source.info.name, chosen) as watch:

        def progress(report: Report) -> None:
            watch(report)
            sink.caption(state(report))

        try:
            report = run(source, make_enhancer(chosen), sink, record=record, progress=progress)
            outcome.add(source.info.name, target, report)
        except KeyboardInterrupt:
            outcome.add(source.info.name, target, watch.last)
            outcome.finish(interrupted=True)
            raise
    outcome.finish()
    return 0
