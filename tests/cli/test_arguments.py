"""Types of options, wrong usage in one line, and passwords in what argparse quotes."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.cli.arguments import (
    Parser,
    UsageError,
    hide_passwords,
    key_value,
    number,
    positive_number,
    seconds,
    size,
    whole_number,
    word_or_number,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("90", 90), ("90.5", 90.5), ("1:30.5", 90.5), ("00:01:30", 90), ("2:00:00.25", 7200.25), (".5", 0.5)],
)
def test_a_time_is_seconds_or_has_colons(text: str, value: float) -> None:
    assert seconds(text) == value


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59))
def test_a_time_with_colons_is_its_seconds(hours: int, minutes: int, rest: int) -> None:
    assert seconds(f"{hours}:{minutes:02}:{rest:02}") == hours * 3600 + minutes * 60 + rest


@pytest.mark.parametrize(
    ("convert", "text", "says"),
    [
        (seconds, "-4", "-4 is negative; times are 0 or more"),
        (seconds, "-0:05", "is not a time"),
        (seconds, "soon", "'soon' is not a time: seconds (90.5) or [hours:]minutes:seconds"),
        (seconds, "1:60", "stay below 60"),
        (seconds, "1:2:3:4", "is not a time"),
        (seconds, "1:", "is not a time"),
        (seconds, "nan", "is not a time"),
        (seconds, "inf", "is not a time"),
        (number(0, 1), "3", "3 is outside 0..1"),
        (number(0, 1), "nan", "nan is outside 0..1"),
        (number(0, 1), "much", "'much' is not a number from 0 to 1"),
        (positive_number, "0", "'0' is not a number above 0"),
        (positive_number, "inf", "is not a number above 0"),
        (whole_number(0, 63), "99", "99 is not a whole number 0..63"),
        (whole_number(0, 63), "high", "high is not a whole number 0..63"),
        (whole_number(1), "0", "0 is not a whole number from 1"),
        (whole_number(1), "1.5", "1.5 is not a whole number from 1"),
        (word_or_number("auto", low=1), "0", "0 is not auto or a number from 1"),
        (word_or_number("auto", "off", low=2, high=60), "61", "61 is not auto, off or a number from 2 to 60"),
        (key_value, "crf", "'crf' is not KEY=VALUE"),
        (key_value, "=1", "'=1' is not KEY=VALUE"),
        (size, "0x48", "'0x48' is not WIDTHxHEIGHT, each 1..99999"),
        (size, "64x48x3", "is not WIDTHxHEIGHT"),
    ],
)
def test_a_wrong_value_names_itself_and_what_may_be(convert: Callable[[str], Any], text: str, says: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        convert(text)
    assert says in str(caught.value)


def test_right_values() -> None:
    assert [number(0, 1)("0.25"), positive_number("2.5"), whole_number(0, 63)("63")] == [0.25, 2.5, 63]
    assert [
        word_or_number("auto", low=1)("auto"),
        word_or_number("auto", low=1)("4"),
        key_value("tune=film=x"),
        size("64x48"),
    ] == [
        *("auto", 4),
        ("tune", "film=x"),
        (64, 48),
    ]


def test_wrong_usage_raises_one_line_with_option_and_value() -> None:
    parser = Parser(prog="program")
    parser.add_argument("--strength", type=number(0, 1))
    with pytest.raises(UsageError) as caught:
        parser.parse_args(["--strength", "3"])
    assert (str(caught.value), caught.value.command) == ("--strength: 3 is outside 0..1", "program")


@pytest.mark.parametrize(
    "argument",
    [
        "rtsp://u:PW@host/live",
        "rtsp://u:a PW@host/live",
        "rtsp://u:a\nPW@host/live",
        "--source=http://host/video?x=1&pw=PW",
        "http://host/a?password=a PW",
        "srt://host:9000?streamid=a,PW",
        "rtsp:/u:PW@host/live",
        "host/video?loginpas=PW",
    ],
)
@pytest.mark.parametrize("quoted", [str, repr])
def test_messages_quote_arguments_without_passwords(argument: str, quoted: Callable[[str], str]) -> None:
    text = hide_passwords(f"unrecognized arguments: x {quoted(argument)}", ["x", argument])
    assert "PW" not in text
    assert text.startswith("unrecognized arguments: x ")
    assert "host" in text
