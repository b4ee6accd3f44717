"""What reaches the terminal: whole lines, without passwords and without characters that control it."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
import unicodedata

from realtime.errors import RealtimeError, SettingError, redacted

#: Unicode categories that are shown as escapes: control, format (direction marks), surrogates, line and paragraph ends.
_ESCAPED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def open_standard_streams() -> None:
    """Opens those of stdin, stdout and stderr on nothing that were closed before the program began (``realtime >&-``).

    The next file that is opened would get the number of a closed one, and what libraries print would go into a video.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is that of the closed one
            os.set_inheritable(descriptor, True)
            setattr(sys, name, os.fdopen(descriptor, mode, encoding="utf-8"))


def escape(text: str) -> str:
    """One line of printable text: other characters than printable ones are shown as escapes.

    File names, tags and messages of libraries come from elsewhere, and could otherwise clear a screen or fake a line.
    """
    return "".join(
        character.encode("unicode_escape").decode() if unicodedata.category(character) in _ESCAPED else character
        for character in text
    )


def clean(text: str) -> str:
    """One line of printable text without passwords."""
    return escape(redacted(text))


def print_line(text: str, *, error: bool = False, hide_passwords: bool = True) -> None:
    """Prints one line to stdout, or with `error` to stderr, above a progress bar if there is one.

    The line is `clean`; without `hide_passwords` it is only an `escape`, for what the user must be able to copy.
    """
    write((clean(text) if hide_passwords else escape(text)) + "\n", error=error)


def write(text: str, *, error: bool = False) -> None:
    """Writes text that is clean already. A reader of stdout that has gone (``realtime … | head``) is no failure, nor is
    a full disk behind stderr. Raises OSError for one behind stdout, once."""
    stream = sys.stderr if error else sys.stdout
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except OSError as failure:
        # What is still buffered would raise again when the interpreter ends.
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, stream.fileno())
        os.close(devnull)
        if not error and not isinstance(failure, BrokenPipeError):
            raise OSError(failure.errno, failure.strerror, "standard output") from failure


def error_line(error: BaseException, args: argparse.Namespace | None = None) -> str:
    """What went wrong, without passwords, and those of the error's remedies for which the command has an option."""
    if isinstance(error, RealtimeError):
        remedies = [text.format(_option(argument)) for argument, text in error.remedies.items() if _has(args, argument)]
        text = "; ".join([error.problem, ", ".join(remedies)]) if remedies else error.problem
        command = getattr(args, "command", None)
        if isinstance(error, SettingError) and command:
            text += f"; see 'realtime {command} --help'"
        return text
    said = (str(error).strip().splitlines() or [""])[0]
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    elif isinstance(error, MemoryError):
        text = "out of memory; close other programs, or enhance smaller frames"
    elif isinstance(error, ImportError):
        text = f"a library cannot be loaded ({said or type(error).__name__}); see 'realtime doctor'"
    else:
        text = f"unexpected {type(error).__name__}{f': {said}' if said else ''}; -v shows where"
    return redacted(text)


def print_error(error: BaseException, args: argparse.Namespace, name: str = "") -> None:
    """One line for an error, with the `name` of its file unless the message has it; with ``-v`` the traceback first."""
    if getattr(args, "verbose", False):
        for line in _traceback(error):
            print_line(line, error=True)
    text = error_line(error, args)
    # As a path an address has lost a slash.
    named = not name or redacted(name) in text or redacted(name).replace(":/", "://", 1) in text
    print_line(f"realtime: {text if named else f'{name}: {text}'}", error=True)


def _traceback(error: BaseException, shown: tuple[BaseException, ...] = ()) -> list[str]:
    """The lines of a traceback, with the message of each exception on one line: it may quote what a file says."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    lines = [] if cause is None or cause in shown else [*_traceback(cause, (*shown, error)), "", "which led to:", ""]
    lines += ["Traceback (most recent call last):"]
    lines += "".join(traceback.format_tb(error.__traceback__)).splitlines()
    return [*lines, f"{type(error).__name__}: {error}" if str(error) else type(error).__name__]


def _option(argument: str) -> str:
    name, _, value = argument.partition("=")
    return f"--{name.replace('_', '-')}" + (f" {value}" if value not in ("", "True") else "")


def _has(args: argparse.Namespace | None, argument: str) -> bool:
    return hasattr(args, argument.partition("=")[0])
