"""``realtime train``: the network behind the exposure, from photographs and clips."""

from __future__ import annotations

import argparse

from realtime.cli import options
from realtime.cli.arguments import number
from realtime.cli.results import ResultCollector
from realtime.cli.training_options import add_training_options, report_session, training_settings
from realtime.cli.training_progress import step_progress
from realtime.config import PRECISIONS
from realtime.training.settings import TRAIN_DEFAULTS


def add(commands: options.Subparsers) -> None:
    about = "train the network; the same command goes on where the last one was stopped"
    parser = commands.add_parser("train", help="train weights from well exposed pictures and clips", description=about)
    parser.add_argument("--precision", default="auto", choices=PRECISIONS, help="default: the fastest")
    about = "weights to begin with (default: weights that return their input)"
    parser.add_argument("--start-from", metavar="NAME|PATH", help=about)
    about = "weight of the loss of edges, 0 to leave it out (default: 1)"
    parser.add_argument("--context-weight", type=number(0, 100), default=1.0, metavar="N", help=about)
    add_training_options(parser, TRAIN_DEFAULTS)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from realtime.enhance.weights import find
    from realtime.training.train import train

    results = ResultCollector("train", args)
    with step_progress("training", args) as progress:
        result = train(
            args.data,
            args.output,
            training_settings(args, TRAIN_DEFAULTS),
            precision=args.precision,
            start_from=None if args.start_from is None else find(args.start_from),
            context_weight=args.context_weight,
            progress=progress,
        )
    return report_session(results, args, result, "on held-out scenes")
