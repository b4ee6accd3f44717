"""``realtime train``: the network behind the meter, from photographs and clips; or the meter itself."""

from __future__ import annotations

import argparse
from pathlib import Path

from realtime.cli import options
from realtime.cli.results import Outcome
from realtime.cli.training_progress import learning
from realtime.errors import SettingError


def add(commands: options.Subparsers) -> None:
    about = "train the network; a second call with the same OUT goes on where the first was stopped"
    parser = commands.add_parser("train", help="train weights from well exposed pictures and clips", description=about)
    parser.add_argument("data", nargs="+", type=Path, metavar="DATA", help="folders of pictures and clips")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="folder for all that it makes")
    parser.add_argument("--steps", type=int, default=25_000, help="default: 25000")
    parser.add_argument("--batch", type=int, default=8, metavar="N", help="crops a step (default: 8)")
    parser.add_argument("--crop", type=int, default=96, metavar="PIXELS", help="default: 96")
    parser.add_argument("--rate", type=float, default=1e-3, help="peak learning rate (default: 0.001)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--precision", default="auto", choices=("auto", "float32", "bfloat16", "float16"))
    parser.add_argument("--hold-out", action="append", default=[], metavar="GLOB", help="files kept for judging")
    parser.add_argument("--meter", type=int, metavar="SCENES", help="learn the exposure meter instead (usual: 3000)")
    options.add_output(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    if chosen.meter is not None:
        return _meter(chosen)
    from realtime.training.train import train

    outcome = Outcome("train", chosen)
    with learning("training", chosen) as progress:
        made = train(
            chosen.data,
            chosen.output,
            steps=chosen.steps,
            batch=chosen.batch,
            crop=chosen.crop,
            rate=chosen.rate,
            seed=chosen.seed,
            precision=chosen.precision,
            hold_out=chosen.hold_out,
            progress=progress,
        )
    text = f"{made.weights}: step {made.steps} of {chosen.steps}, {made.psnr:.2f} dB on held-out scenes"
    outcome.note(text, output=str(made.weights), steps=made.steps, finished=made.finished, psnr=made.psnr)
    outcome.finish(interrupted=not made.finished)
    return 0 if made.finished else 130


def _meter(chosen: argparse.Namespace) -> int:
    from realtime.training.meter_training import learn

    if chosen.meter < 1:
        raise SettingError(f"--meter {chosen.meter} scenes: it takes at least one, and some thousands to be good")
    outcome, path = Outcome("train", chosen), chosen.output / "meter.npz"
    with learning("filming", chosen) as progress:
        error = learn(
            chosen.data, path, count=chosen.meter, seed=chosen.seed, hold_out=chosen.hold_out, progress=progress
        )
    outcome.note(f"{path}: {error:.2f} stops off in the median, on held-out files", output=str(path), stops_off=error)
    outcome.finish()
    return 0
