"""``realtime benchmark``: how fast this machine captures, infers and writes, and the network by size."""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path
from typing import Any

from realtime.cli import options
from realtime.cli.results import Outcome

STAGES = ("stage", "frames", "seconds", "fps", "of_slowest_stage", "of_inference")
LAYERS = ("layer", "precision", "times", "ms", "of_work", "of_whole", "teraflops")
ENGINES = (
    *("what", "precision", "size", "batch", "fps", "p50_ms", "p95_ms"),
    *("teraflops", "of_peak", "of_predict", "memory_mb", "note"),
)


def size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text} is not WIDTHxHEIGHT")
    return int(found[1]), int(found[2])


def positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1")
    return int(text)


def add(commands: options.Subparsers) -> None:
    parser = commands.add_parser("benchmark", help="time the stages of the pipeline, and the network by size")
    parser.add_argument("input", nargs="?", metavar="INPUT", help="for the stages (default: a synthetic one)")
    parser.add_argument("--start", type=options.seconds, metavar="SECONDS", help="of INPUT")
    parser.add_argument("--duration", type=options.seconds, metavar="SECONDS", help="of INPUT")
    parser.add_argument("--frames", type=positive, default=12, metavar="N", help="in the synthetic input (default: 12)")
    parser.add_argument("--only", choices=("stages", "network", "layers"), help="one table (layers: only so)")
    parser.add_argument("--sizes", type=size, nargs="+", metavar="WxH", help="default: 320x180 640x480")
    parser.add_argument("--batches", type=positive, nargs="+", default=[1], metavar="N", help="default: 1")
    parser.add_argument("--precisions", nargs="+", metavar="P", choices=("float32", "tf32", "bfloat16", "float16"))
    parser.add_argument("--rounds", type=positive, default=7, metavar="N", help="timings of each (default: 7)")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw the network's table")
    options.add_encoder(parser)
    options.add_engine(parser)
    options.add_output(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    outcome = Outcome("benchmark", chosen)
    sizes = chosen.sizes or [(320, 180), (640, 480)]
    for title, columns, rows in (
        ("stages", STAGES, _stages(chosen, sizes[-1]) if chosen.only in (None, "stages") else []),
        ("network", ENGINES, _network(chosen, sizes) if chosen.only in (None, "network") else []),
        ("layers", LAYERS, _layers(chosen, sizes[-1]) if chosen.only == "layers" else []),
    ):
        for row in rows:
            outcome.note(None, table=title, **row)
        if rows and not chosen.json:
            _print(columns, rows)
    outcome.finish()
    return 0


def _stages(chosen: argparse.Namespace, largest: tuple[int, int]) -> list[dict[str, Any]]:
    from realtime.benchmarks.stages import stages, synthetic
    from realtime.sources.registry import open_source

    enhancer = options.make_enhancer(chosen)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = chosen.input or synthetic(folder / "dark.mp4", *largest, chosen.frames)

        def again() -> Any:
            return open_source(path, start=chosen.start, duration=chosen.duration)

        rows = stages(enhancer, again, folder, crf=chosen.crf, preset=chosen.preset)
    return [row | enhancer.describe() for row in rows]


def _network(chosen: argparse.Namespace, sizes: list[tuple[int, int]]) -> list[dict[str, Any]]:
    from realtime.benchmarks.engines import engines
    from realtime.enhance.device import choose_device, choose_precision, named
    from realtime.enhance.weights import find

    device = choose_device(chosen.device)
    best = choose_precision(chosen.precision, device)
    precisions = chosen.precisions or list(dict.fromkeys(["float32", best]))
    name = "exact" if chosen.engine == "auto" else chosen.engine
    rows = engines(find(chosen.weights), device, sizes, chosen.batches, precisions, names=[name], rounds=chosen.rounds)
    if chosen.plot is not None:
        from realtime.benchmarks.plot import plot

        plot(rows, chosen.plot)
    return [row | {"size": f"{row['width']}x{row['height']}", "device": named(device)} for row in rows]


def _layers(chosen: argparse.Namespace, size: tuple[int, int]) -> list[dict[str, Any]]:
    from realtime.benchmarks.layers import layers
    from realtime.enhance.device import choose_device, choose_precision
    from realtime.enhance.weights import find

    device = choose_device(chosen.device)
    rows = [
        {"precision": precision} | row
        for precision in chosen.precisions or [choose_precision(chosen.precision, device)]
        for row in layers(find(chosen.weights), device, precision, *size, chosen.rounds)
    ]
    return [row | {"size": f"{size[0]}x{size[1]}"} for row in rows]


def _print(columns: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    cells = [[name.replace("_", " ") for name in columns]]
    cells += [["" if row.get(name) is None else str(row[name]) for name in columns] for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(len(columns))]
    for line in cells:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip())
    print()
