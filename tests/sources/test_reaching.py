"""Why a network camera is not reached, in plain words."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

import pytest

from realtime import SourceError
from realtime.sources.network import NetworkCamera
from realtime.sources.reaching import NO_ROUTE, REFUSED, UNKNOWN_HOST, in_plain_words, not_reached


def opened(number: int) -> SourceError:
    """What opening raises after an error of the system."""
    try:
        try:
            raise OSError(number, "the library's words")
        except OSError:
            raise SourceError("camera cannot be read as video: the library's words") from None
    except SourceError as error:
        return error


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port at which nothing listens; it stays taken, so that nobody else does."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.mark.parametrize("scheme", ["rtsp", "http", "rtmp"])
def test_an_unknown_host(scheme: str) -> None:
    with pytest.raises(SourceError) as caught:
        NetworkCamera(f"{scheme}://user:hush@camera.invalid/stream")
    assert str(caught.value) == f"{scheme}://***@camera.invalid/stream cannot be reached: {UNKNOWN_HOST}"


@pytest.mark.parametrize("scheme", ["rtsp", "http", "rtmp"])
def test_a_port_at_which_nothing_listens(scheme: str, closed_port: int) -> None:
    with pytest.raises(SourceError) as caught:
        NetworkCamera(f"{scheme}://127.0.0.1:{closed_port}/stream")
    assert str(caught.value) == f"{scheme}://127.0.0.1:{closed_port}/stream cannot be reached: {REFUSED}"


@pytest.mark.parametrize(
    ("number", "address", "says"),
    [
        (errno.EHOSTUNREACH, "rtsp://10.0.0.1/x", NO_ROUTE),
        (errno.ENETUNREACH, "rtsp://10.0.0.1/x", NO_ROUTE),
        (errno.EIO, "rtsp://127.0.0.1/x", "the library's words"),
        (errno.EIO, "rtsp://[bad/x", "the library's words"),
        (errno.EPIPE, "rtsp://camera.invalid/x", "the library's words"),
    ],
)
def test_other_errors(number: int, address: str, says: str) -> None:
    assert says in str(not_reached(opened(number), address, "camera"))


def test_a_read_that_pyav_ended_first_says_the_same() -> None:
    def packets(said: str) -> Iterator[int]:
        yield 1
        raise SourceError(f"camera broke off: {said}")

    with pytest.raises(SourceError, match=r"^camera broke off: nothing came for 5 s$"):
        list(in_plain_words(packets("Immediate exit requested"), 5.0))
    with pytest.raises(SourceError, match=r"^camera broke off: the connection was closed$"):
        list(in_plain_words(packets("the connection was closed"), 5.0))
