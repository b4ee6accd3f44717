"""``realtime distil``: the small weights of the fast engine, from the exact ones."""

from __future__ import annotations

import argparse
from pathlib import Path

from realtime.cli import options
from realtime.cli.results import Outcome
from realtime.cli.training_progress import learning


def add(commands: options.Subparsers) -> None:
    about = "teach the fast engine to answer as the exact one; a second call with the same OUT goes on"
    parser = commands.add_parser("distil", help="make the fast engine's weights from exact ones", description=about)
    parser.add_argument("data", nargs="+", type=Path, metavar="DATA", help="folders of well exposed pictures and clips")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="folder for all that it makes")
    parser.add_argument("--weights", metavar="NAME|PATH", help="the exact ones (default: the bundled ones)")
    parser.add_argument("--exposure", choices=("auto", "off"), help="behind the meter or not (default: as trained)")
    parser.add_argument("--start-from", type=Path, metavar="FILE", help="a student to begin with, such as fast.h5")
    parser.add_argument("--steps", type=int, default=20_000, help="default: 20000")
    parser.add_argument("--batch", type=int, default=8, metavar="N", help="crops a step (default: 8)")
    parser.add_argument("--crop", type=int, default=192, metavar="PIXELS", help="default: 192")
    parser.add_argument("--rate", type=float, default=1e-3, help="peak learning rate (default: 0.001)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--hold-out", action="append", default=[], metavar="GLOB", help="files kept for judging")
    options.add_output(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    from realtime.enhance.weights import find
    from realtime.training.distil import distil

    outcome = Outcome("distil", chosen)
    weights = find(chosen.weights)
    with learning("distilling", chosen) as progress:
        made = distil(
            chosen.data,
            weights,
            chosen.output,
            metered=None if chosen.exposure is None else chosen.exposure == "auto",
            start_from=chosen.start_from,
            steps=chosen.steps,
            batch=chosen.batch,
            crop=chosen.crop,
            rate=chosen.rate,
            seed=chosen.seed,
            hold_out=chosen.hold_out,
            progress=progress,
        )
    text = f"{made.weights}: step {made.steps} of {chosen.steps}, {made.psnr:.2f} dB from the exact engine"
    outcome.note(text, output=str(made.weights), steps=made.steps, finished=made.finished, psnr=made.psnr)
    outcome.finish(interrupted=not made.finished)
    return 0 if made.finished else 130
