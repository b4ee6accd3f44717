"""``realtime enhance``: files in, enhanced files out."""

from __future__ import annotations

import argparse
from functools import cache
from pathlib import Path

from realtime.cli import options
from realtime.cli.show import Outcome, watching
from realtime.errors import RealtimeError, SettingError

EPILOG = "With several inputs, or a folder, OUT is a folder; it is created, and the names are kept."


def add(commands: options.Subparsers) -> None:
    parser = commands.add_parser("enhance", help="enhance video files and images", epilog=EPILOG)
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="files, folders, glob patterns")
    parser.add_argument("-o", "--output", type=Path, metavar="OUT", help="default: NAME_enhanced.EXT beside the input")
    parser.add_argument("--overwrite", action="store_true", help="replace outputs that exist")
    parser.add_argument("--start", type=options.seconds, metavar="SECONDS", help="skip what is before")
    parser.add_argument("--duration", type=options.seconds, metavar="SECONDS", help="stop after that much")
    options.add_encoder(parser)
    options.add_engine(parser)
    options.add_output(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    from realtime.api import enhance_video
    from realtime.cli.plan import plan

    pairs = plan(chosen.inputs, chosen.output)
    outcome = Outcome("enhance", chosen)
    enhancer = cache(lambda: options.make_enhancer(chosen))
    for source, target in pairs:
        with watching(source.name, chosen) as watch:
            try:
                report = enhance_video(
                    source,
                    target,
                    enhancer=enhancer,
                    start=chosen.start,
                    duration=chosen.duration,
                    overwrite=chosen.overwrite,
                    crf=chosen.crf,
                    preset=chosen.preset,
                    progress=watch,
                )
            except RealtimeError as error:
                outcome.add(source, target, watch.last, error)
            except KeyboardInterrupt:
                outcome.add(source, target, watch.last)
                outcome.finish(interrupted=True)
                raise
            else:
                outcome.add(source, target, report)
    outcome.finish()
    if len(pairs) == 1 and isinstance(outcome.last_error, SettingError):
        return 2
    return 1 if outcome.last_error else 0
