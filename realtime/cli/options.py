"""Options that several commands share."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from realtime.enhance.enhancer import Enhancer


def strength(text: str) -> float:
    value = float(text)
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"{text} is outside 0..1")
    return value


def seconds(text: str) -> float:
    value = float(text)
    if not 0.0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds")
    return value


def batch(text: str) -> int | str:
    if text == "auto" or (text.isdigit() and int(text) >= 1):
        return text if text == "auto" else int(text)
    raise argparse.ArgumentTypeError(f"{text} is neither 'auto' nor a number from 1")


def crf(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 51:
        raise argparse.ArgumentTypeError(f"{text} is outside 0..51")
    return value


def add_engine(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("enhancement")
    group.add_argument("--engine", default="auto", choices=("auto", "exact"), help="how to compute (default: auto)")
    group.add_argument("--weights", metavar="NAME|PATH", help="which weights (default: the bundled ones)")
    group.add_argument("--strength", type=strength, default=1.0, metavar="0..1", help="1 is all, 0 the input")
    group.add_argument("--exposure", metavar="auto|off|EV", help="the meter, the plain network, or stops from 0 to 6")
    group.add_argument("--device", default="auto", metavar="auto|cpu|gpu[:N]", help="where to compute")
    group.add_argument(
        "--precision", default="auto", choices=("auto", "float32", "bfloat16", "float16"), help="default: the fastest"
    )
    group.add_argument("--batch", type=batch, default="auto", metavar="auto|N", help="frames at a time")


def add_encoder(parser: argparse.ArgumentParser) -> None:
    from realtime.output.presets import PRESETS

    parser.add_argument("--crf", type=crf, default=18, metavar="0..51", help="x264 quality, 0 lossless (default: 18)")
    parser.add_argument("--preset", default="veryfast", choices=PRESETS, help="x264 speed (default: veryfast)")


def add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON summary on stdout")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress and no summary")
    parser.add_argument("-v", "--verbose", action="store_true", help="tracebacks with errors")


def make_enhancer(options: argparse.Namespace) -> Enhancer:
    """The enhancer that the options ask for; this is where TensorFlow loads."""
    from realtime.enhance.enhancer import Enhancer

    return Enhancer(
        options.weights,
        options.engine,
        options.precision,
        options.device,
        options.strength,
        exposure=options.exposure,
        batch=options.batch,
    )


Subparsers = Any  # argparse keeps the type of add_subparsers()' answer to itself
