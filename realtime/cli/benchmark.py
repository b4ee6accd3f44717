"""``realtime benchmark``: how fast this machine captures, infers and writes, and the network by size."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from realtime.cli import options
from realtime.cli.arguments import seconds, size, whole_number
from realtime.cli.results import ResultCollector
from realtime.cli.tables import print_table

STAGE_COLUMNS = ("stage", "frames", "seconds", "fps", "of_slowest_stage", "of_inference")
LAYER_COLUMNS = ("layer", "precision", "times", "ms", "of_work", "of_whole", "teraflops")
NETWORK_COLUMNS = (
    *("what", "precision", "size", "batch", "fps", "p50_ms", "p95_ms"),
    *("teraflops", "of_peak", "of_predict", "memory_mb", "note"),
)


def add(commands: options.Subparsers) -> None:
    parser = commands.add_parser("benchmark", help="time the stages of the pipeline, and the network by size")
    parser.add_argument("input", nargs="?", metavar="INPUT", help="for the stages (default: a synthetic one)")
    parser.add_argument("--start", type=seconds, metavar="TIME", help="of INPUT")
    parser.add_argument("--duration", type=seconds, metavar="TIME", help="of INPUT")
    about = "in the synthetic input (default: 12)"
    parser.add_argument("--frames", type=whole_number(1), default=12, metavar="N", help=about)
    parser.add_argument(
        "--only", choices=("stages", "network", "layers"), help="one table; layers is printed only on request"
    )
    parser.add_argument("--sizes", type=size, nargs="+", metavar="WxH", help="default: 320x180 640x480")
    parser.add_argument("--batches", type=whole_number(1), nargs="+", default=[1], metavar="N", help="default: 1")
    parser.add_argument("--precisions", nargs="+", metavar="P", choices=("float32", "tf32", "bfloat16", "float16"))
    parser.add_argument("--rounds", type=whole_number(1), default=7, metavar="N", help="timings of each (default: 7)")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw the network's table")
    options.add_quality_options(parser)
    options.add_enhance_options(parser)
    options.add_report_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    results = ResultCollector("benchmark", args)
    sizes = args.sizes or [(320, 180), (640, 480)]
    for title, columns, rows in (
        ("stages", STAGE_COLUMNS, _stages(args, sizes[-1]) if args.only in (None, "stages") else []),
        ("network", NETWORK_COLUMNS, _network(args, sizes) if args.only in (None, "network") else []),
        ("layers", LAYER_COLUMNS, _layers(args, sizes[-1]) if args.only == "layers" else []),
    ):
        for row in rows:
            results.add_row(None, table=title, **row)
        if rows and not args.json:
            cells = [[row.get(name) for name in columns] for row in rows]
            print_table([name.replace("_", " ") for name in columns], cells)
    results.finish()
    return 0


def _stages(args: argparse.Namespace, largest: tuple[int, int]) -> list[dict[str, Any]]:
    from realtime.benchmarks.stages import stages, synthetic
    from realtime.sources.registry import open_source

    overrides = options.input_overrides(args)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = args.input or synthetic(folder / "dark.mp4", *largest, args.frames)
        enhancer, encoding = options.make_enhancer(args), options.quality_options(args)
        return stages(enhancer, lambda: open_source(path, overrides), folder, encoding)


def _network(args: argparse.Namespace, sizes: list[tuple[int, int]]) -> list[dict[str, Any]]:
    from realtime.benchmarks.engines import engines
    from realtime.enhance.device import choose_device, choose_precision, device_label
    from realtime.enhance.engines.registry import ENGINES
    from realtime.enhance.weights import find

    device = choose_device(args.device)
    best = choose_precision(args.precision, device)
    precisions = args.precisions or list(dict.fromkeys(["float32", best]))
    name = ENGINES[0].name if args.engine == "auto" else args.engine
    rows = engines(find(args.weights), device, sizes, args.batches, precisions, names=[name], rounds=args.rounds)
    if args.plot is not None:
        from realtime.benchmarks.plot import plot

        plot(rows, args.plot)
    return [row | {"size": f"{row['width']}x{row['height']}", "device": device_label(device)} for row in rows]


def _layers(args: argparse.Namespace, size: tuple[int, int]) -> list[dict[str, Any]]:
    from realtime.benchmarks.layers import layers
    from realtime.enhance.device import choose_device, choose_precision
    from realtime.enhance.weights import find

    device = choose_device(args.device)
    rows = [
        {"precision": precision} | row
        for precision in args.precisions or [choose_precision(args.precision, device)]
        for row in layers(find(args.weights), device, precision, *size, args.rounds)
    ]
    return [row | {"size": f"{size[0]}x{size[1]}"} for row in rows]
