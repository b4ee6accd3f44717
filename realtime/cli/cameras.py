"""``realtime cameras``: which cameras are there."""

from __future__ import annotations

import argparse
import json

from realtime import __version__
from realtime.cli import options


def add(commands: options.Subparsers) -> None:
    parser = commands.add_parser("cameras", help="list the cameras that open")
    options.add_output(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    from realtime.sources.camera import cameras

    found = cameras()
    if chosen.json:
        print(json.dumps({"version": __version__, "command": "cameras", "ok": True, "results": found}, indent=2))
    elif not found:
        print("no camera found")
    else:
        for camera in found:
            print("{address}  {name}  {width}x{height} at {fps} fps".format(**camera))
    return 0
