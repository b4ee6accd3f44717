"""The command line: finds the command, runs it, turns errors into one line and an exit code.

0 done, 1 failed, 2 wrong usage, 130 interrupted with the output finished.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence

from realtime import __version__
from realtime.cli import benchmark, cameras, distil, doctor, enhance, evaluate, live, preview, train, verify, weights
from realtime.cli.results import complain
from realtime.errors import RealtimeError, SettingError

COMMANDS = (enhance, preview, live, cameras, doctor, benchmark, weights, verify, train, distil, evaluate)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="realtime", description="Low light video, enhanced as it happens, with MBLLEN.")
    top.add_argument("--version", action="version", version=f"realtime {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; answers the exit code."""
    chosen = parser().parse_args(arguments)
    say = logging.StreamHandler()  # what the package says of itself while it works: "compiling", "out of memory"
    say.setFormatter(logging.Formatter("realtime: %(message)s"))
    logging.getLogger("realtime").handlers = [say]
    logging.getLogger("realtime").setLevel(logging.WARNING if getattr(chosen, "quiet", False) else logging.INFO)
    try:
        code: int = chosen.run(chosen)
        return code
    except KeyboardInterrupt as error:
        kept = str(error) or "what was written is complete up to here"
        print(f"realtime: interrupted; {kept}", file=sys.stderr)
        return 130
    except (RealtimeError, OSError) as error:  # a full disk, a file in the place of a folder: it says which itself
        complain(error, chosen.verbose)
        if getattr(chosen, "json", False):
            failed = {
                "version": __version__,
                "command": chosen.command,
                "ok": False,
                "results": [{"error": str(error)}],
            }
            print(json.dumps(failed, indent=2))
        return 2 if isinstance(error, SettingError) else 1
