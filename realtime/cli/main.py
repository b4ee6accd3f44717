"""The command line: finds the command, runs it, turns errors into one line and an exit code.

0 done, 1 failed (in a batch: any file), 2 wrong usage, 3 a live source was lost, 130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

from realtime import __version__
from realtime.cli.arguments import Parser, UsageError, hide_passwords
from realtime.cli.results import print_json
from realtime.cli.terminal import error_line, open_standard_streams, print_error, print_line
from realtime.concurrency import LOADER
from realtime.errors import SettingError, SourceLost

#: Modules of this package, each with ``add(commands)``, which sets ``run(args) -> int`` as a default of its parser.
COMMANDS = (
    "enhance",
    "preview",
    "live",
    "cameras",
    "doctor",
    "benchmark",
    "weights",
    "verify",
    "train",
    "distil",
    "evaluate",
)


def parser() -> argparse.ArgumentParser:
    """The parser with all commands."""
    top = Parser(prog="realtime", description="Low light video, enhanced as it happens, with MBLLEN.")
    top.add_argument("--version", action="version", version=f"realtime {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        importlib.import_module(f"realtime.cli.{name}").add(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit code; ``--help`` and ``--version`` raise SystemExit."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        args = parser().parse_args(words)
    except UsageError as error:
        command = f"realtime {words[0]}" if words and words[0] in COMMANDS else error.command
        print_line(f"realtime: {hide_passwords(str(error), words)}; see '{command} --help'", error=True)
        return 2
    args.arguments = words
    try:
        with _process_settings(args):
            code: int = args.run(args)
            return code
    except KeyboardInterrupt as interrupt:
        print_line(f"realtime: interrupted; {interrupt}" if str(interrupt) else "realtime: interrupted", error=True)
        return 130
    except Exception as error:  # also that of a library that does not load
        print_error(error, args)
        if getattr(args, "json", False):
            print_json(args.command, ok=False, results=[{"error": error_line(error, args)}])
        return 2 if isinstance(error, SettingError) else 3 if isinstance(error, SourceLost) else 1


def program() -> NoReturn:
    """`main` as a process of its own. It ends at once: Python would wait for TensorFlow if that is still loading."""
    open_standard_streams()
    code = main()
    if any(thread.name == LOADER for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


@contextmanager
def _process_settings(args: argparse.Namespace) -> Iterator[None]:
    """What a program may change in its process and a library may not: signals, logs, and what libraries print."""
    from realtime.enhance.host import quieten_tensorflow

    quieten_tensorflow()
    os.environ.setdefault("SVT_LOG", "1")  # the AV1 encoder's pages about itself: errors only
    if getattr(args, "media", True):
        from realtime.media.libav import silence_logging

        silence_logging()
    # Ending a session or a service is an interrupt like Ctrl-C. Windows has no SIGHUP.
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    previous = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    logger, handler = logging.getLogger("realtime"), _LogHandler()
    handlers, level, propagate = logger.handlers, logger.level, logger.propagate
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.WARNING if getattr(args, "quiet", False) else logging.INFO)
    try:
        yield
    finally:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)
        for number, action in previous.items():
            signal.signal(number, action)


class _LogHandler(logging.Handler):
    """What the package says while it works, such as "out of memory", above a progress bar."""

    def emit(self, record: logging.LogRecord) -> None:
        print_line(f"realtime: {record.getMessage()}", error=True)
