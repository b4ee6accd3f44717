"""``realtime distil``: the small weights of the fast engine, from the exact ones."""

from __future__ import annotations

import argparse
from pathlib import Path

from realtime.cli import options
from realtime.cli.results import ResultCollector
from realtime.cli.training_options import add_training_options, report_session, training_settings
from realtime.cli.training_progress import step_progress
from realtime.training.settings import DISTIL_DEFAULTS


def add(commands: options.Subparsers) -> None:
    about = "train the fast engine to match the exact one; the same command goes on where the last one was stopped"
    parser = commands.add_parser("distil", help="make the fast engine's weights from exact ones", description=about)
    parser.add_argument("--weights", metavar="NAME|PATH", help="the exact ones (default: the bundled ones)")
    about = "with exposure ahead of the exact network, or without (default: as trained)"
    parser.add_argument("--exposure", choices=("auto", "off"), help=about)
    parser.add_argument("--start-from", type=Path, metavar="FILE", help="a student to begin with, such as fast.h5")
    add_training_options(parser, DISTIL_DEFAULTS)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from realtime.enhance.weights import find
    from realtime.training.distil import distil

    results = ResultCollector("distil", args)
    with step_progress("distilling", args) as progress:
        result = distil(
            args.data,
            find(args.weights),
            args.output,
            training_settings(args, DISTIL_DEFAULTS),
            lifted=None if args.exposure is None else args.exposure == "auto",
            start_from=args.start_from,
            progress=progress,
        )
    return report_session(results, args, result, "from the exact engine")
