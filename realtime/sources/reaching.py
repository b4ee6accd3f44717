"""Why a network camera is not reached or was lost, in plain words: whole for the terminal, short for the picture."""

from __future__ import annotations

import errno
import re
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from realtime.errors import SourceError

#: Letters that a reason may have on a picture: at 320 pixels more could not be read.
LONGEST_REASON = 36
#: What the system's numbers mean for an address that is opened. libav says "Input/output error" for an unknown host.
REFUSED = "the connection is refused, nothing serves at that port"
UNKNOWN_HOST = "the host cannot be found"
NO_ROUTE = "there is no way to that host; check this machine's network"
REASONS = {errno.ECONNREFUSED: REFUSED, errno.ENETUNREACH: NO_ROUTE, errno.EHOSTUNREACH: NO_ROUTE}
#: libav's word for a read that was ended from outside: by our clock, or by PyAV's own, which may be first.
ENDED_READ = "Immediate exit requested"
#: What stands between the name of a source and the reason.
_VERB = re.compile(r"^(?:broke off|cannot be read as video|cannot be reached): ")


def not_reached(error: SourceError, address: str, name: str) -> SourceError:
    """The error of opening `address`, which messages call `name`; in plain words if it is about reaching the host."""
    number = getattr(error.__context__, "errno", None)
    reason = REASONS.get(number) if number is not None else None
    if number == errno.EIO and not _is_known(address):
        reason = UNKNOWN_HOST
    return error if reason is None else SourceError(f"{name} cannot be reached: {reason}")


def in_plain_words(packets: Iterator[Any], seconds: float) -> Iterator[Any]:
    """The packets of a stream that is lost after so many `seconds` without one; whichever clock ended the read, the
    error says so."""
    try:
        yield from packets
    except SourceError as error:
        if ENDED_READ not in str(error):
            raise
        said = str(error).replace(ENDED_READ, f"nothing came for {seconds:g} s")
        raise SourceError(said) from error.__cause__


def in_short(reason: str, name: str) -> str:
    """The reason of a loss for a picture: without the name of the source, remarks and remedies. Empty if that is still
    too long."""
    text = _VERB.sub("", reason.removeprefix(name).strip())
    text = re.split(r"[;(,]", text)[0].strip()
    return text if len(text) <= LONGEST_REASON else ""


def _is_known(address: str) -> bool:
    """Whether the host of an address has a number; True where that cannot be told."""
    try:
        host = urlsplit(address).hostname
        if host:
            socket.getaddrinfo(host, None)
    except socket.gaierror:
        return False
    except (ValueError, OSError):  # no host that Python understands
        pass
    return True
