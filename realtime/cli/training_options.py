"""What ``train`` and ``distil`` share: options, and how a session is reported."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from realtime.cli import options
from realtime.cli.arguments import positive_number, whole_number
from realtime.cli.results import ResultCollector
from realtime.training.settings import TrainingSettings

if TYPE_CHECKING:
    from realtime.training.trainer import TrainingResult


def add_training_options(parser: argparse.ArgumentParser, defaults: TrainingSettings) -> None:
    """What `training_settings` reads, and the folders."""
    about = "folders of well exposed pictures and clips; a SOURCES.tsv in them says which may be used"
    parser.add_argument("data", nargs="+", type=Path, metavar="DATA", help=about)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="folder for all results")
    parser.add_argument(
        "--steps", type=whole_number(1), default=defaults.steps, metavar="N", help=f"in all (default: {defaults.steps})"
    )
    parser.add_argument(
        "--batch", type=whole_number(1), default=defaults.batch, metavar="N", help=f"crops a step ({defaults.batch})"
    )
    parser.add_argument(
        "--crop", type=whole_number(1), default=defaults.crop, metavar="PIXELS", help=f"default: {defaults.crop}"
    )
    parser.add_argument(
        "--rate", type=positive_number, default=defaults.rate, help=f"peak learning rate (default: {defaults.rate:g})"
    )
    parser.add_argument("--seed", type=whole_number(0), default=defaults.seed, metavar="N", help="default: 0")
    about = "names of files for validation only, beside the usual 12 %%"
    parser.add_argument("--hold-out", action="append", default=[], metavar="GLOB", help=about)
    options.add_report_options(parser)


def training_settings(args: argparse.Namespace, defaults: TrainingSettings) -> TrainingSettings:
    """The settings that the options ask for; what has no option is as in `defaults`."""
    return TrainingSettings(
        steps=args.steps,
        crop=args.crop,
        batch=args.batch,
        rate=args.rate,
        seed=args.seed,
        hold_out=tuple(args.hold_out),
        first_scenes=defaults.first_scenes,
        steps_per_scene=defaults.steps_per_scene,
    )


def report_session(results: ResultCollector, args: argparse.Namespace, result: TrainingResult, reference: str) -> int:
    """Prints what a session left behind, its PSNR measured on `reference`. Returns the exit code."""
    text = f"{result.weights}: step {result.steps} of {args.steps}, {result.psnr:.2f} dB {reference}"
    if not result.finished:
        text += "; the same command goes on"
    fields = {"steps": result.steps, "finished": result.finished, "psnr": result.psnr}
    results.add_row(text, output=str(result.weights), **fields)
    results.finish(interrupted=not result.finished)
    return 0 if result.finished else 130
