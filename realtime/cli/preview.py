"""``realtime preview``: a file, enhanced, in a window, at its own pace."""

from __future__ import annotations

import argparse

from realtime.cli import options


def add(commands: options.Subparsers) -> None:
    parser = commands.add_parser("preview", help="play a file enhanced, in a window (q ends)")
    parser.add_argument("input", metavar="INPUT", help="a video file")
    parser.add_argument("--start", type=options.seconds, metavar="SECONDS", help="begin there")
    parser.add_argument("--duration", type=options.seconds, metavar="SECONDS", help="stop after that much")
    options.add_engine(parser)
    options.add_output(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    from realtime.cli.live_run import play
    from realtime.sinks.window import Window, check_display
    from realtime.sources.registry import open_source

    check_display()
    source = open_source(chosen.input, start=chosen.start, duration=chosen.duration, paced=True)
    return play("preview", chosen, source, Window(f"realtime: {chosen.input}"))
