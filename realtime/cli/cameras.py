"""``realtime cameras``: which cameras are there, and what they offer."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from realtime import __version__
from realtime.cli import options


def add(commands: options.Subparsers) -> None:
    parser = commands.add_parser("cameras", help="list the cameras and what they offer")
    options.add_report_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from realtime.sources.camera_list import list_cameras

    cameras = list_cameras()
    if args.json:
        results = [asdict(camera) for camera in cameras]
        print(json.dumps({"version": __version__, "command": "cameras", "ok": True, "results": results}, indent=2))
        return 0
    if not cameras:
        print("no camera found")
    for camera in cameras:
        print(f"{camera.address}  {camera.name}")
        for mode in camera.modes:
            rates = ", ".join(f"{rate:g}" for rate in mode.rates)
            print(f"     {mode.width}x{mode.height} {mode.fourcc} at {rates} frames a second")
    return 0
