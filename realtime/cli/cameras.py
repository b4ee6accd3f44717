"""``realtime cameras``: which cameras are there, and what they offer."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from realtime import __version__
from realtime.cli import options
from realtime.cli.terminal import print_line

if TYPE_CHECKING:
    from realtime.sources.camera_list import CameraInfo


def add(commands: options.Subparsers) -> None:
    parser = commands.add_parser("cameras", help="list the cameras and what they offer")
    options.add_report_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from realtime.sources.camera_list import EXTRA, NO_LIBRARY, list_cameras

    cameras = list_cameras()
    if args.json:
        results = [asdict(camera) for camera in cameras]
        print(json.dumps({"version": __version__, "command": "cameras", "ok": True, "results": results}, indent=2))
        return 0
    if not cameras:
        print_line("no camera found; 'realtime live' also takes the address of a network camera, or a file")
    wide = max((len(camera.address) for camera in cameras), default=0)
    indent = " " * (wide + 2)
    for camera in cameras:
        print_line(f"{camera.address:>{wide}}  {camera.name}")
        for line in _modes(camera):
            print_line(indent + line)
        if camera.problem and camera.problem != NO_LIBRARY:
            print_line(indent + camera.problem)
    if any(camera.problem == NO_LIBRARY for camera in cameras):
        print_line(f"what they offer is told with {EXTRA}")
    return 0


def _modes(camera: CameraInfo) -> list[str]:
    """A line for each size and format, in columns."""
    sizes = [f"{mode.width}x{mode.height}" for mode in camera.modes]
    wide = max(map(len, sizes), default=0)
    lines = []
    for size, mode in zip(sizes, camera.modes):
        rates = ", ".join(f"{rate:g}" for rate in mode.rates)
        lines.append(f"{size:<{wide}}  {mode.fourcc:<4}  {rates} fps" if rates else f"{size:<{wide}}  {mode.fourcc}")
    return lines
