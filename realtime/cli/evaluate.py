"""``realtime evaluate``: how good weights are, beside what needs no network."""

from __future__ import annotations

import argparse
from pathlib import Path

from realtime.cli import options
from realtime.cli.results import Outcome
from realtime.cli.training_progress import learning
from realtime.errors import SettingError


def add(commands: options.Subparsers) -> None:
    about = "PSNR (dB), SSIM, PSNR after the brightness was aligned with the truth, cast, blockiness, blown %, flicker"
    parser = commands.add_parser("evaluate", help="score weights on pairs, clean and night material", description=about)
    parser.add_argument("weights", nargs="*", metavar="WEIGHTS", help="names or paths (default: the bundled ones)")
    parser.add_argument("--pairs", action="append", default=[], type=Path, metavar="DIR", help="holds low/ and high/")
    parser.add_argument("--clean", action="append", default=[], type=Path, metavar="PATH", help="darkened here")
    parser.add_argument("--night", action="append", default=[], type=Path, metavar="PATH", help="real, without truth")
    parser.add_argument("--cases", action="store_true", help="a row for every case, not only the means")
    parser.add_argument("--no-baselines", action="store_true", help="leave out gain, gamma, CLAHE and equalisation")
    parser.add_argument("--engine", default="exact", choices=("exact", "fast"), help="default: exact")
    options.add_output(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    if not chosen.pairs + chosen.clean + chosen.night:
        raise SettingError("nothing to evaluate on; give --pairs, --clean or --night")
    from realtime.enhance.enhancer import Enhancer
    from realtime.training.evaluate import evaluate, played, summary, table

    methods = {str(name): Enhancer(name, chosen.engine) for name in chosen.weights or ["night"]}
    outcome = Outcome("evaluate", chosen)
    with learning("evaluating", chosen) as progress:
        scores = evaluate(
            {name: played(enhancer) for name, enhancer in methods.items()},
            pair_folders=chosen.pairs,
            clean=chosen.clean,
            dark=chosen.night,
            baselines=not chosen.no_baselines,
            progress=progress,
        )
    rows = scores if chosen.cases else summary(scores)
    for row in rows:
        outcome.note(None, **row._asdict())
    if not chosen.json:
        print(table(rows))
    outcome.finish()
    return 0
