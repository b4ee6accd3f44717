"""Reading the command line: wrong usage is one line, and values are checked where they are read."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any, NoReturn

from realtime.errors import redacted, redacted_address

Subparsers = Any  # argparse keeps the type of what add_subparsers() returns to itself


class UsageError(Exception):
    """Wrong usage. The text names option, value and range; `command` is the one whose ``--help`` explains them."""

    def __init__(self, text: str, command: str) -> None:
        super().__init__(text)
        self.command = command


class Parser(argparse.ArgumentParser):
    """A parser that raises `UsageError` instead of printing a page and ending the process."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(re.sub(r"^argument ([^:]+): ", r"\1: ", message), self.prog)


def hide_passwords(text: str, arguments: Sequence[str]) -> str:
    """A message of argparse without the passwords in the `arguments` that it quotes."""
    for argument in sorted(arguments, key=len, reverse=True):
        option, equals, value = argument.partition("=") if argument.startswith("-") else ("", "", argument)
        hidden = option + equals + redacted_address(value)
        if hidden != argument:
            text = text.replace(argument, hidden).replace(repr(argument), repr(hidden))
    return redacted(text)


def number(low: float, high: float) -> Callable[[str], float]:
    """A type for numbers from `low` to `high`."""

    def convert(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {low:g} to {high:g}") from None
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is outside {low:g}..{high:g}")
        return value

    return convert


def positive_number(text: str) -> float:
    """A type for numbers above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


def whole_number(low: int, high: int | None = None) -> Callable[[str], int]:
    """A type for whole numbers from `low` to `high`."""
    wanted = f"from {low}" if high is None else f"{low}..{high}"

    def convert(text: str) -> int:
        value = int(text) if re.fullmatch(r"[+-]?\d{1,9}", text) else low - 1
        if value < low or (high is not None and value > high):
            raise argparse.ArgumentTypeError(f"{text} is not a whole number {wanted}")
        return value

    return convert


def seconds(text: str) -> float:
    """A type for moments and lengths: ``90``, ``90.5``, ``1:30.5`` or ``00:01:30``, in seconds."""
    parts = text.split(":")
    try:
        if len(parts) > 3 or any(not part.isdigit() for part in parts[:-1]):
            raise ValueError
        values = [float(part) for part in parts]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time: seconds (90.5) or [hours:]minutes:seconds") from None
    total = sum(value * 60**power for power, value in enumerate(reversed(values)))
    if any(value >= 60 for value in values[1:]) or not isfinite(total):
        raise argparse.ArgumentTypeError(f"{text!r} is not a time: minutes and seconds behind a colon stay below 60")
    if total < 0 or text.startswith("-"):
        raise argparse.ArgumentTypeError(f"{text} is negative; times are 0 or more")
    return total


def word_or_number(*words: str, low: int, high: int | None = None) -> Callable[[str], int | str]:
    """A type for one of `words` or a whole number from `low` to `high`."""
    wanted = f"from {low}" if high is None else f"from {low} to {high}"

    def convert(text: str) -> int | str:
        if text in words:
            return text
        value = int(text) if re.fullmatch(r"\d{1,9}", text) else low - 1
        if value < low or (high is not None and value > high):
            raise argparse.ArgumentTypeError(f"{text} is not {', '.join(words)} or a number {wanted}")
        return value

    return convert


def cluster_address(text: str) -> str:
    """A type for where a cluster is; an input that ``--ray`` took for its address is told from a mistyped one."""
    if not re.fullmatch(r"|auto|(ray://)?(\[[\da-fA-F:.]+\]|[\w.-]+):\d{1,5}", text):
        wrong = f"{text!r} is neither auto nor HOST:PORT, with or without ray:// before it"
        is_input = os.path.exists(text) or "://" in text.removeprefix("ray://")
        raise argparse.ArgumentTypeError(f"{wrong}; give inputs before --ray" if is_input else wrong)
    return text


def key_value(text: str) -> tuple[str, str]:
    """A type for KEY=VALUE."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


def size(text: str) -> tuple[int, int]:
    """A type for WIDTHxHEIGHT."""
    found = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not WIDTHxHEIGHT, each 1..99999")
    return int(found[1]), int(found[2])
