"""The error tree: texts, remedies, and passwords that never show."""

from __future__ import annotations

import pickle
import re

import pytest

from realtime import errors
from realtime.errors import RealtimeError, SettingError, SinkError, SourceError, SourceLost, redacted, redacted_address

SECRET = "PW"
ADDRESSES = [
    ("rtsp://u:PW@host:554/stream/main", "rtsp://***@host:554/stream/***"),
    ("rtsp://PW@host/live", "rtsp://***@host/live"),
    ("rtsp://u:a@PW@host/live", "rtsp://***@host/live"),
    ("rtsp://u:a/PW@host/live", "rtsp://***@host/live"),
    ("rtsp://u:a PW@host/live", "rtsp://***@host/live"),
    ("rtsp://u:PW\nb@host/live", "rtsp://***@host/live"),
    ("rtsp://u:12 PW@host/live", "rtsp://***@host/live"),
    ("rtsp://u:a/b@PW@host/live", "rtsp://***"),
    ("rtsp://u:1/PW@host/live", "rtsp://***"),
    ("rtsp://u:PW?x@host/live", "rtsp://***@host/live"),
    ("http://host/video.cgi?loginuse=a&loginpas=PW", "http://host/video.cgi?***"),
    ("http://host/video?pw=PW", "http://host/video?***"),
    ("http://host/video?psw=PW", "http://host/video?***"),
    ("http://host/video?p=PW", "http://host/video?***"),
    ("http://host/video?PW", "http://host/video?***"),
    ("http://host/video;password=PW", "http://host/video;***"),
    ("http://host/video#password=PW", "http://host/video#***"),
    ("http://host/video?password=a@PW", "http://***"),
    ("rtsp://host/user=admin_password=PW_channel=1", "rtsp://host/***"),
    ("srt://host:9000?streamid=#!::u=admin,s=PW", "srt://host:9000?***"),
    ("srt://host:9000?passphrase=PW&mode=caller", "srt://host:9000?***"),
    ("https://host/live/index.m3u8?jwt=PW", "https://host/live/***"),
    ("https://host/a?sid=PW", "https://host/a?***"),
    ("https://host/a/b?X-Amz-Signature=PW", "https://host/a/***"),
    ("rtsp:/u:PW@host/live", "rtsp:/***@host/live"),
    ("rtsp:u:PW@host/live", "rtsp:***@host/live"),
    ("u:PW@host:554/live", "***@host:554/live"),
    ("host/video?loginuse=a&loginpas=PW", "host/video?loginuse=***&loginpas=***"),
    ("rtsp://[fe80::1]:554/live/PW", "rtsp://[fe80::1]:554/live/***"),
    ("RTSP://U:PW@HOST/LIVE", "RTSP://***@HOST/LIVE"),
    ("http://", "http://"),
    ("http://host/", "http://host/"),
    ("rtsp://camera:554/stream", "rtsp://camera:554/stream"),
]


@pytest.mark.parametrize(("address", "shown"), ADDRESSES)
def test_an_address_shows_host_and_the_first_part_of_its_path(address: str, shown: str) -> None:
    assert redacted_address(address) == shown
    assert SECRET not in redacted_address(address)


@pytest.mark.parametrize(("address", "shown"), ADDRESSES)
@pytest.mark.parametrize(
    "text",
    ["{} is not there", "unrecognized arguments: {}", "'{}': refused", "({}), and more", "{}: no route\nto host"],
)
def test_texts_hide_what_their_addresses_hide(text: str, address: str, shown: str) -> None:
    hidden = redacted(text.format(address))
    assert SECRET not in hidden
    assert redacted(hidden) == hidden
    for word in re.findall(r"[a-z]{3,}", text):
        assert word in hidden


def test_two_addresses_in_one_text() -> None:
    text = "rtsp://a:PW@one/x and http://b:PW@two:80/y?z=PW, both"
    assert redacted(text) == "rtsp://***@one/x and http://***@two:80/y?***, both"


@pytest.mark.parametrize(
    "text",
    [
        "night.mp4 -> night_enhanced.mp4: 8 frames in 1.0 s",
        "C:/clips/night.mp4 does not exist",
        "clips/2026-01-01 12:30:00.mp4",
        "rtsp://camera/stream -> mail@home.mkv",
        "crf 99 is outside 0..51 of h264; keyint=250",
    ],
)
def test_other_texts_stay(text: str) -> None:
    assert redacted(text) == text


def test_an_error_hides_passwords_and_lists_remedies() -> None:
    remedies = {"resume=True": "{} continues it", "overwrite=True": "{} starts over"}
    error = SinkError("rtsp://u:PW@host/live.part is left from an interrupted run", remedies=remedies)
    assert error.problem == "rtsp://***@host/live.part is left from an interrupted run"
    assert str(error) == f"{error.problem}; resume=True continues it, overwrite=True starts over"
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.remedies) == (str(error), remedies)


def test_the_tree_is_as_documented() -> None:
    kinds = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, RealtimeError)]
    assert all(kind.__name__ in str(errors.__doc__) for kind in kinds)
    assert issubclass(SettingError, ValueError)
    assert issubclass(SourceLost, SourceError)
