"""``realtime preview``: a file, enhanced, in a window, at its own pace."""

from __future__ import annotations

import argparse

from realtime.cli import options
from realtime.cli.arguments import seconds


def add(commands: options.Subparsers) -> None:
    parser = commands.add_parser("preview", help="play a file enhanced, in a window (h lists the keys)")
    parser.add_argument("input", metavar="INPUT", help="a video file")
    parser.add_argument("--start", type=seconds, metavar="SECONDS", help="begin there")
    parser.add_argument("--duration", type=seconds, metavar="SECONDS", help="stop after this time")
    parser.add_argument("--loop", action="store_true", help="start over at its end")
    options.add_input_options(parser)
    options.add_enhance_options(parser)
    options.add_report_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from realtime.cli.live_run import run_live
    from realtime.control import Playback
    from realtime.sinks.window import check_display
    from realtime.sources.registry import open_source

    check_display()
    playback = Playback()
    source = open_source(args.input, options.input_overrides(args), paced=True, loop=args.loop, playback=playback)
    return run_live("preview", args, source, playback)
