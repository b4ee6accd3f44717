"""``realtime weights``: which weights there are, whether they are intact, and the published ones by download."""

from __future__ import annotations

import argparse
from typing import Any

from realtime.cli import options
from realtime.cli.results import print_json
from realtime.cli.terminal import print_line
from realtime.errors import SettingError, WeightsError


def add(commands: options.Subparsers) -> None:
    parser = commands.add_parser("weights", help="list, fetch or verify weights")
    parser.add_argument("action", nargs="?", default="list", choices=("list", "fetch", "verify"))
    parser.add_argument("names", nargs="*", metavar="NAME", help="which (default: all)")
    options.add_report_options(parser)
    parser.set_defaults(run=run, media=False)


def run(args: argparse.Namespace) -> int:
    from realtime.enhance.weights import fetch, fetchable, file_path, index

    known = index()
    if unknown := set(args.names) - set(known):
        raise SettingError(f"weights {', '.join(sorted(unknown))} are not known; known are {', '.join(known)}")
    if args.action == "fetch":
        for name in args.names or fetchable():
            fetch(name)
    verifying = args.action == "verify"
    rows = [
        {"name": name, "state": _state(entry, verifying), "path": str(file_path(entry)), "about": entry["about"]}
        for name, entry in known.items()
        if not args.names or name in args.names
    ]
    wrong = {"ALTERED"} | ({"not here"} if verifying and args.names else set())
    ok = all(row["state"] not in wrong for row in rows)
    if args.json:
        print_json("weights", ok=ok, results=rows)
    else:
        for row in rows:
            print_line(f"{row['name']:12} {row['state']:9} {row['about']}")
    return 0 if ok else 1


def _state(entry: dict[str, Any], verifying: bool) -> str:
    """``here``, ``not here``, or after a check of the file and its companions ``intact`` or ``ALTERED``."""
    from realtime.enhance.weights import COMPANIONS, file_path, verify

    path = file_path(entry)
    if not verifying or ("url" in entry and not path.is_file()):
        return "here" if path.is_file() else "not here"
    try:
        for part in (entry, *(entry[kind] for kind in COMPANIONS if kind in entry)):
            verify(path.with_name(part["file"]), part["sha256"])
    except (WeightsError, OSError):
        return "ALTERED"
    return "intact"
