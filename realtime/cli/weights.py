"""``realtime weights``: which weights there are, whether they are intact, and the published ones by download."""

from __future__ import annotations

import argparse
import json

from realtime import __version__
from realtime.cli import options

#: What belongs to some weights beside their own file: the fast engine's student, the meter.
PARTS = ("fast", "meter")


def add(commands: options.Subparsers) -> None:
    parser = commands.add_parser("weights", help="list, fetch or verify weights")
    parser.add_argument("action", nargs="?", default="list", choices=("list", "fetch", "verify"))
    parser.add_argument("names", nargs="*", metavar="NAME", help="which (default: all)")
    options.add_output(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    from realtime.enhance.weights import fetch, fetchable, index, place, verify
    from realtime.errors import SettingError, WeightsError

    known = index()
    if unknown := set(chosen.names) - set(known):
        raise SettingError(f"weights {', '.join(sorted(unknown))} are not known; known are {', '.join(known)}")
    if chosen.action == "fetch":
        for name in chosen.names or fetchable():
            fetch(name)
    rows = []
    for name, entry in known.items():
        if chosen.names and name not in chosen.names:
            continue
        path = place(entry)
        state = "here" if path.is_file() else "not here"
        if chosen.action == "verify" and (path.is_file() or "url" not in entry):
            try:
                for part in (entry, *(entry[name] for name in PARTS if name in entry)):
                    verify(path.with_name(part["file"]), part["sha256"])
                state = "intact"
            except (WeightsError, OSError):
                state = "ALTERED"
        rows.append({"name": name, "state": state, "path": str(path), "about": entry["about"]})
    wrong = {"ALTERED"} | ({"not here"} if chosen.action == "verify" and chosen.names else set())
    ok = all(row["state"] not in wrong for row in rows)
    if chosen.json:
        print(json.dumps({"version": __version__, "command": "weights", "ok": ok, "results": rows}, indent=2))
    else:
        for row in rows:
            print(f"{row['name']:12} {row['state']:9} {row['about']}")
    return 0 if ok else 1
