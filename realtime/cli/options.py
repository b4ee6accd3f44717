"""Options that several commands share."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from realtime.enhance.enhancer import Enhancer
    from realtime.media.pixel_formats import InputOverrides


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
    if not 0 <= value <= 63:
        raise argparse.ArgumentTypeError(f"{text} is outside 0..63")
    return value


def pair(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise argparse.ArgumentTypeError(f"{text} is not KEY=VALUE")
    return key, value


def add_engine(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("enhancement")
    group.add_argument(
        "--engine", default="auto", choices=("auto", "exact", "fast"), help="how to compute (default: auto)"
    )
    group.add_argument("--weights", metavar="NAME|PATH", help="which weights (default: the bundled ones)")
    group.add_argument("--strength", type=strength, default=1.0, metavar="0..1", help="1 is all, 0 the input")
    group.add_argument("--exposure", metavar="auto|off|EV", help="the meter, the plain network, or stops from 0 to 6")
    group.add_argument("--device", default="auto", metavar="auto|cpu|gpu[:N]", help="where to compute")
    group.add_argument(
        "--precision", default="auto", choices=("auto", "float32", "bfloat16", "float16"), help="default: the fastest"
    )
    group.add_argument("--batch", type=batch, default="auto", metavar="auto|N", help="frames at a time")


def add_encoder(parser: argparse.ArgumentParser) -> None:
    from realtime.config import PRESETS

    parser.add_argument("--crf", type=crf, metavar="N", help="quality, 0 is best, for h264 lossless (h264: 0..51, 18)")
    parser.add_argument("--preset", default="veryfast", choices=PRESETS, help="encoder speed (default: veryfast)")


def add_codec(parser: argparse.ArgumentParser) -> None:
    """What a file can be, beyond quality and speed."""
    from realtime.config import CODECS, HARDWARE

    group = parser.add_argument_group("encoding")
    group.add_argument("--codec", default="h264", choices=CODECS, help="default: h264; ffv1 is lossless")
    group.add_argument("--pixel-format", metavar="NAME|source", help="yuv420p10le, yuv444p, ... (default: yuv420p)")
    group.add_argument("--hwaccel", choices=HARDWARE, help="encode in hardware, if a test frame comes through")
    about = "an option of the encoder by its own name; may be repeated"
    group.add_argument("-e", dest="encoder_options", type=pair, action="append", metavar="KEY=VALUE", help=about)
    group.add_argument("--strict", action="store_true", help="refuse what cannot be carried instead of leaving it out")


def encoding(chosen: argparse.Namespace) -> dict[str, Any]:
    """What `add_encoder` and `add_codec` gave, as `open_sink` takes it."""
    return {
        "crf": chosen.crf,
        "preset": chosen.preset,
        "codec": chosen.codec,
        "pixels": chosen.pixel_format,
        "hardware": chosen.hwaccel,
        "strict": chosen.strict,
    }


def add_reading(parser: argparse.ArgumentParser) -> None:
    """What the input is, where its tags are missing or wrong."""
    group = parser.add_argument_group("input")
    group.add_argument("--input-range", choices=("limited", "full"), help="default: as tagged, else limited")
    group.add_argument("--input-matrix", choices=("bt601", "bt709", "bt2020"), help="default: as tagged, else by size")
    group.add_argument("--hdr", default="refuse", choices=("refuse", "as-is"), help="PQ and HLG (default: refuse)")


def reading(chosen: argparse.Namespace) -> InputOverrides:
    from realtime.media.pixel_formats import InputOverrides

    full = None if chosen.input_range is None else chosen.input_range == "full"
    return InputOverrides(chosen.input_matrix, full, hdr=chosen.hdr == "as-is")


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
