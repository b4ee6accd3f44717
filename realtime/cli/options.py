"""Options that several commands share, and the settings that they make. Below `cli` there are only settings."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

from realtime.cli.arguments import Subparsers, key_value, number, positive_number, whole_number, word_or_number
from realtime.color import Matrix
from realtime.config import (
    CODECS,
    CRF_RANGE,
    HWACCELS,
    PRECISIONS,
    PRESETS,
    EncodingOptions,
    EnhanceOptions,
    InputOverrides,
)
from realtime.enhance.engines.registry import engine_names
from realtime.errors import SettingError, SourceError

if TYPE_CHECKING:
    from realtime.enhance.enhancer import Enhancer

__all__ = ["Subparsers"]
#: Environment variable with the source of ``live`` where no argument names one.
SOURCE_VARIABLE = "REALTIME_SOURCE"


def add_enhance_options(parser: argparse.ArgumentParser) -> None:
    """What `enhance_options` reads."""
    group = parser.add_argument_group("enhancement")
    group.add_argument("--engine", default="auto", choices=engine_names(), help="how to compute (default: auto)")
    group.add_argument("--weights", metavar="NAME|PATH", help="which weights (default: the bundled ones)")
    group.add_argument("--strength", type=number(0, 1), default=1.0, metavar="0..1", help="1 is all, 0 the input")
    about = "auto: metered place by place; scene: one value for the frame; off: the plain network; EV: 0 to 6 stops"
    group.add_argument("--exposure", metavar="auto|scene|off|EV", help=about)
    group.add_argument("--device", default="auto", metavar="auto|cpu|gpu[:N]", help="where to compute")
    group.add_argument("--precision", default="auto", choices=PRECISIONS, help="default: the fastest")
    kind = word_or_number("auto", "off", low=2, high=60)
    about = "the longest memory over time, in frames from 2 to 60 (default: auto)"
    group.add_argument("--denoise", type=kind, default="auto", metavar="auto|off|N", help=about)
    kind = word_or_number("auto", low=1)
    group.add_argument("--batch", type=kind, default="auto", metavar="auto|N", help="frames at a time")


def enhance_options(args: argparse.Namespace) -> EnhanceOptions:
    """How to enhance. Raises SettingError."""
    return EnhanceOptions(
        weights=args.weights,
        engine=args.engine,
        precision=args.precision,
        device=args.device,
        strength=args.strength,
        exposure=args.exposure,
        batch=args.batch,
        denoise=args.denoise,
    )


def make_enhancer(args: argparse.Namespace) -> Enhancer:
    """The enhancer that the options ask for. Prepares the process to do nothing but enhance."""
    from realtime.enhance.host import configure_process

    options = enhance_options(args)
    configure_process(options.engine)
    from realtime.enhance.enhancer import Enhancer

    return Enhancer(options)


def add_quality_options(parser: argparse.ArgumentParser, preset: str = "veryfast") -> None:
    """``--crf`` and ``--preset``, which `quality_options` and `encoding_options` read."""
    worst = max(worst for _, worst in CRF_RANGE.values())
    about = "quality, 0 is best, for h264 lossless (h264: 0..51, default 18)"
    parser.add_argument("--crf", type=whole_number(0, worst), metavar="N", help=about)
    parser.add_argument("--preset", default=preset, choices=PRESETS, help=f"encoder speed (default: {preset})")


def quality_options(args: argparse.Namespace) -> EncodingOptions:
    """How to encode, for a command with `add_quality_options` alone. Raises SettingError."""
    return EncodingOptions(crf=args.crf, preset=args.preset)


def add_encoding_options(parser: argparse.ArgumentParser) -> None:
    """What `encoding_options` reads beside crf and preset."""
    group = parser.add_argument_group("encoding")
    group.add_argument("--codec", default="h264", choices=CODECS, help="default: h264; ffv1 is lossless")
    group.add_argument("--pixel-format", metavar="NAME|source", help="yuv420p10le, yuv444p, ... (default: yuv420p)")
    about = "limit of the output's video bit rate, as a multiple of the input's (1: like the input); costs quality"
    group.add_argument("--max-size-ratio", type=positive_number, metavar="N", help=about)
    group.add_argument("--hwaccel", choices=HWACCELS, help="encode in hardware, if a test frame comes through")
    about = "an option of the encoder by its own name; may be repeated"
    group.add_argument("-e", dest="encoder_options", type=key_value, action="append", metavar="KEY=VALUE", help=about)
    group.add_argument("--strict", action="store_true", help="refuse what cannot be carried instead of leaving it out")


def encoding_options(args: argparse.Namespace) -> EncodingOptions:
    """How to encode, for a command with all options. Raises SettingError."""
    return EncodingOptions(
        codec=args.codec,
        crf=args.crf,
        preset=args.preset,
        max_size_ratio=args.max_size_ratio,
        pixel_format=args.pixel_format,
        hwaccel=args.hwaccel,
        encoder_options=dict(args.encoder_options or ()),
        strict=args.strict,
    )


def add_input_options(parser: argparse.ArgumentParser) -> None:
    """What the input is, where its tags are missing or wrong; `input_overrides` reads it."""
    group = parser.add_argument_group("input")
    group.add_argument("--input-range", choices=("limited", "full"), help="default: as tagged, else limited")
    group.add_argument("--input-matrix", choices=("bt601", "bt709", "bt2020"), help="default: as tagged, else by size")
    group.add_argument("--hdr", default="refuse", choices=("refuse", "as-is"), help="PQ and HLG (default: refuse)")


def input_overrides(args: argparse.Namespace) -> InputOverrides:
    """What to read of an input; what the command has no option for is the default. Raises SettingError."""
    sample_range = getattr(args, "input_range", None)
    return InputOverrides(
        start=getattr(args, "start", None),
        duration=getattr(args, "duration", None),
        matrix=cast("Matrix | None", getattr(args, "input_matrix", None)),
        full_range=None if sample_range is None else sample_range == "full",
        hdr=getattr(args, "hdr", "refuse") == "as-is",
    )


def add_source_file(parser: argparse.ArgumentParser) -> None:
    """``--source-file`` beside an argument SOURCE; `source_address` reads both."""
    about = f"read SOURCE from a file's first line, or set {SOURCE_VARIABLE}: the process list shows arguments to all"
    parser.add_argument("--source-file", type=Path, metavar="FILE", help=about)


def source_address(args: argparse.Namespace, default: str = "0") -> str:
    """The source that was named: as argument, in a file, in the environment, or `default`.

    Raises SettingError for two, or an empty one, SourceError for a file that cannot be read.
    """
    file: Path | None = getattr(args, "source_file", None)
    if file is None:
        address = args.source if args.source is not None else os.environ.get(SOURCE_VARIABLE, default)
        given = "SOURCE" if args.source is not None else SOURCE_VARIABLE
    elif args.source is not None:
        raise SettingError("SOURCE and --source-file exclude each other; give one of them")
    else:
        given = f"--source-file {file}"
        try:
            lines = file.read_text("utf-8").splitlines()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise SourceError(f"--source-file {file} cannot be read: {reason}") from error
        address = lines[0] if lines else ""
    if not address.strip():
        raise SettingError(f"{given} is empty; give a camera's number or path, an address or a file")
    return str(address).strip()


def add_report_options(parser: argparse.ArgumentParser) -> None:
    """What `results.ResultCollector` and `results.progress_bar` read."""
    parser.add_argument("--json", action="store_true", help="print one JSON summary on stdout")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress, no summary; only errors and damage")
    parser.add_argument("-v", "--verbose", action="store_true", help="tracebacks with errors")
