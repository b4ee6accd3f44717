"""``realtime doctor``: what this installation can do, and what it lacks."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from importlib import metadata

from realtime import __version__
from realtime.cli import options
from realtime.cli.results import print_json
from realtime.cli.terminal import print_line

PACKAGES = ("tensorflow", "keras", "opencv-python", "numpy", "av", "rich")
#: Encoders people ask for; a name in the list of a build says nothing, so each is opened and given a frame.
ENCODERS = (
    "libx264",
    "libx265",
    "libsvtav1",
    "h264_nvenc",
    "hevc_nvenc",
    "h264_qsv",
    "h264_vaapi",
    "h264_videotoolbox",
)


def add(commands: options.Subparsers) -> None:
    parser = commands.add_parser("doctor", help="check versions, devices, display, encoders and weights")
    options.add_report_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    sections = {
        "versions": _versions(),
        "import order": _import_order(),
        "display": _display(),
        "devices": _devices(),
        "encoders": _encoders(),
        "weights": _weights(),
    }
    ok = not any(text.startswith("PROBLEM") for lines in sections.values() for text in lines.values())
    if args.json:
        print_json("doctor", ok=ok, results=sections)
    else:
        for topic, lines in sections.items():
            print_line(topic)
            for name, text in lines.items():
                print_line(f"  {name:18} {text}")
    return 0 if ok else 1


def _versions() -> dict[str, str]:
    found = {"realtime": __version__, "python": f"{sys.version.split()[0]} on {platform.platform()}"}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "PROBLEM: not installed"
    from realtime.enhance.native import library

    found["native functions"] = (
        "compiled"
        if library.available()
        else "not compiled: enhancing takes longer; install again where there is a C compiler"
    )
    return found


def _import_order() -> dict[str, str]:
    loaded = list(sys.modules)
    import realtime.media.libav  # noqa: F401

    wrong = "av" in loaded and ("cv2" not in loaded or loaded.index("av") < loaded.index("cv2"))
    return {"cv2 before av": "PROBLEM: av came first, windows will hang" if wrong else "yes"}


def _display() -> dict[str, str]:
    from realtime.errors import SinkError
    from realtime.sinks.window import check_display

    try:
        check_display()
    except SinkError:
        return {"window": "none: only --no-window and files"}
    return {"window": os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY") or platform.system()}


def _devices() -> dict[str, str]:
    from realtime.enhance.device import choose_precision
    from realtime.enhance.tensorflow_loader import tf

    found = {}
    for device in tf.config.list_physical_devices():
        kind, _, number = device.name.split(":", 1)[1].partition(":")
        name = "cpu" if kind == "CPU" else f"gpu:{number}"
        about = tf.config.experimental.get_device_details(device).get("device_name", f"{os.cpu_count()} cores")
        found[name] = f"{about}, computes in {choose_precision('auto', name)}"
    return found


def _encoders() -> dict[str, str]:
    from realtime.media.encoders import try_encoder

    return {name: try_encoder(name) or "works" for name in ENCODERS}


def _weights() -> dict[str, str]:
    from realtime.enhance.weights import file_path, index, verify
    from realtime.errors import WeightsError

    found = {}
    for name, entry in index().items():
        path = file_path(entry)
        try:
            if path.is_file():
                verify(path, entry["sha256"])
            found[name] = f"SHA-256 as recorded, {path}" if path.is_file() else "not here"
        except WeightsError as error:
            found[name] = f"PROBLEM: {error}"
    return found
