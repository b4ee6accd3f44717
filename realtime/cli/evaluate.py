"""``realtime evaluate``: how good weights are, beside methods without a network."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path

from realtime.cli import options
from realtime.cli.results import ResultCollector
from realtime.cli.terminal import write
from realtime.cli.training_progress import step_progress
from realtime.enhance.engines.registry import ENGINES
from realtime.errors import RealtimeError, SettingError


def add(commands: options.Subparsers) -> None:
    about = "fidelity to the truth, what is visible, level of black, halo, noise over time, brightness over time, bits"
    parser = commands.add_parser("evaluate", help="score weights on pairs, clean and night material", description=about)
    parser.add_argument("weights", nargs="*", metavar="WEIGHTS", help="names or paths (default: the bundled ones)")
    parser.add_argument("--pairs", action="append", default=[], type=Path, metavar="DIR", help="holds low/ and high/")
    parser.add_argument("--clean", action="append", default=[], type=Path, metavar="PATH", help="darkened here")
    parser.add_argument("--night", action="append", default=[], type=Path, metavar="PATH", help="real, without truth")
    parser.add_argument("--cases", action="store_true", help="a row for every case, not only the means")
    parser.add_argument("--no-baselines", action="store_true", help="leave out gain, gamma, CLAHE and equalization")
    about = "another network to score: RGB (1, 3, H, W) in 0..1 to its like; may be repeated"
    parser.add_argument("--onnx", action="append", default=[], type=Path, metavar="PATH", help=about)
    about = "write a page (index.html) with input, outputs and truth side by side"
    parser.add_argument("--sheet", type=Path, metavar="FOLDER", help=about)
    names = [engine.name for engine in ENGINES]
    parser.add_argument("--engine", default=names[0], choices=names, help=f"default: {names[0]}")
    options.add_report_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if not args.pairs + args.clean + args.night:
        raise SettingError("nothing to evaluate on; give --pairs, --clean or --night")
    if find_spec("skimage") is None:
        raise RealtimeError("evaluate needs scikit-image; pip install 'mbllen-realtime[train]' brings it")
    from realtime.enhance.enhancer import Enhancer
    from realtime.enhance.weights import DEFAULT
    from realtime.training.evaluate import as_stream, evaluate, summary, table
    from realtime.training.onnx_network import onnx_network

    methods = {name: as_stream(Enhancer(weights=name, engine=args.engine)) for name in args.weights or [DEFAULT]}
    methods |= {path.stem: onnx_network(path) for path in args.onnx}
    results = ResultCollector("evaluate", args)
    with step_progress("evaluating", args) as progress:
        scores = evaluate(
            methods,
            pair_folders=args.pairs,
            clean=args.clean,
            night=args.night,
            baselines=not args.no_baselines,
            sheet=args.sheet,
            progress=progress,
        )
    rows = scores if args.cases else summary(scores)
    for row in rows:
        results.add_row(None, **row._asdict())
    if not args.json:
        write(table(rows) + "\n")
    results.finish()
    return 0
