"""``realtime benchmark``: how fast this machine captures, infers and writes, apart and together."""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from pathlib import Path

from realtime import __version__
from realtime.cli import options
from realtime.errors import SettingError


def add(commands: options.Subparsers) -> None:
    parser = commands.add_parser("benchmark", help="time capture, inference and writing, apart and together")
    parser.add_argument("input", nargs="?", metavar="INPUT", help="a video file (default: a synthetic one)")
    parser.add_argument("--start", type=options.seconds, metavar="SECONDS", help="of INPUT")
    parser.add_argument("--duration", type=options.seconds, metavar="SECONDS", help="of INPUT")
    parser.add_argument("--size", default="640x480", metavar="WxH", help="of the synthetic input (default: 640x480)")
    parser.add_argument("--frames", type=int, default=12, metavar="N", help="in the synthetic input (default: 12)")
    options.add_encoder(parser)
    options.add_engine(parser)
    options.add_output(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    size = re.fullmatch(r"(\d+)x(\d+)", chosen.size)
    if size is None or chosen.frames < 1:
        raise SettingError(f"size {chosen.size!r} is not WIDTHxHEIGHT, or frames {chosen.frames} not 1 or more")
    from realtime.benchmark import stages, synthetic
    from realtime.capture.source import open_source

    enhancer = options.make_enhancer(chosen)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = chosen.input or synthetic(folder / "dark.mp4", int(size[1]), int(size[2]), chosen.frames)
        rows = stages(
            enhancer,
            lambda: open_source(path, start=chosen.start, duration=chosen.duration),
            folder,
            crf=chosen.crf,
            preset=chosen.preset,
        )
    if chosen.json:
        answer = {"version": __version__, "command": "benchmark", "ok": True, **enhancer.describe(), "results": rows}
        print(json.dumps(answer, indent=2))
        return 0
    print("{engine} on {device} in {precision}".format(**enhancer.describe()))
    for row in rows:
        extra = [f"{row[key]:.2f} times {what}" for key, what in RATIOS.items() if key in row]
        print(f"{row['stage']:14} {row['seconds']:8.3f} s  {row['fps']:8.2f} fps  {''.join(extra)}")
    return 0


RATIOS = {"of_slowest_stage": "the slowest stage", "of_inference": "inference"}
