"""``realtime verify``: whether files are still those that a manifest recorded."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from realtime.cli import options
from realtime.cli.results import ResultCollector
from realtime.cli.terminal import error_line, print_error
from realtime.errors import SourceError, redacted_address


def add(commands: options.Subparsers) -> None:
    parser = commands.add_parser("verify", help="compare files with the checksums in a manifest")
    about = "from enhance --manifest; a folder stands for all manifests in it and below"
    parser.add_argument("manifests", nargs="+", type=Path, metavar="MANIFEST", help=about)
    parser.add_argument("--weights", type=Path, metavar="FILE", help="compare a weights file as well")
    about = "check recorded files outside of the manifest's folder too; only for manifests that you trust"
    parser.add_argument("--anywhere", action="store_true", help=about)
    options.add_report_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from realtime.manifest import AS_RECORDED, OUTSIDE, check_manifest

    results = ResultCollector("verify", args)
    for path in args.manifests:
        try:
            for manifest in _find_manifests(path):
                for file in check_manifest(manifest, args.weights, anywhere=args.anywhere):
                    results.damaged |= file.state not in (AS_RECORDED, OUTSIDE)
                    hint = "; --anywhere checks it" if file.state == OUTSIDE else ""
                    text = f"{manifest}: {file.role} {file.path}: {file.state}{hint}"
                    results.add_row(text, manifest=str(manifest), file=file.path, state=file.state)
        except (SourceError, OSError) as error:
            results.last_error = error
            print_error(error, args, str(path))
            named = redacted_address(str(path))
            results.add_row(None, manifest=named, file=None, state="failed", error=error_line(error, args))
    results.finish()
    return results.exit_code


def _find_manifests(path: Path) -> Iterator[Path]:
    from realtime.manifest import MANIFEST_SUFFIX

    if not path.is_dir():
        yield path
        return
    found = sorted(p for p in path.rglob(f"*{MANIFEST_SUFFIX}") if p.is_file() and not p.name.startswith("."))
    if not found:
        raise SourceError(f"{path} holds no manifest, nor does a folder below it")
    yield from found
