"""``realtime verify``: whether files are still those that a manifest recorded."""

from __future__ import annotations

import argparse
from pathlib import Path

from realtime.cli import options
from realtime.cli.results import Outcome


def add(commands: options.Subparsers) -> None:
    parser = commands.add_parser("verify", help="compare files with the checksums in a manifest")
    parser.add_argument("manifests", nargs="+", type=Path, metavar="MANIFEST", help="from enhance --manifest")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="compare a weights file as well")
    options.add_output(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    from realtime.manifest import check_manifest

    outcome = Outcome("verify", chosen)
    fine = True
    for manifest in chosen.manifests:
        for which, path, state in check_manifest(manifest, chosen.weights):
            fine = fine and state == "as recorded"
            outcome.note(f"{manifest}: {which} {path}: {state}", manifest=str(manifest), file=path, state=state)
    outcome.damaged = not fine
    outcome.finish()
    return 0 if fine else 1
