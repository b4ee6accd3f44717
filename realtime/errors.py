"""What can go wrong, as a caller sees it.

    RealtimeError               everything this package raises on purpose
    |-- SettingError            an argument outside its range, or two that exclude each other (also a ValueError)
    |-- SourceError             an input that cannot be read: missing, empty, not a video, a camera that is not there
    |   `-- SourceLost          a live input that was lost and did not come back in time
    |-- SinkError               an output that cannot be written: no folder, no permission, no display, disk full
    |-- WeightsError            a weights file that is missing, altered or of another network
    |-- DeviceError             a device that was asked for and is not there
    `-- TrainingError           data or a checkpoint that training cannot use, or a loss that is not a number

Messages name the value, the limit and the remedy, on one line, and never hold a password. The library error behind one
is its ``__cause__``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping


class RealtimeError(Exception):
    """Base of the errors that this package raises on purpose.

    `remedies` maps an argument that helps, such as ``overwrite=True`` or ``hwaccel``, to what it does, with ``{}`` in
    the argument's position: ``"{} replaces it"``. The text of the error ends with them; a command line spells them as
    its options instead.
    """

    def __init__(self, message: str = "", *, remedies: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.remedies = dict(remedies or {})

    @property
    def problem(self) -> str:
        """The message without remedies and without passwords."""
        return redacted(super().__str__())

    def __str__(self) -> str:
        remedies = ", ".join(text.format(argument) for argument, text in self.remedies.items())
        return f"{self.problem}; {remedies}" if remedies else self.problem


class SettingError(RealtimeError, ValueError):
    """An argument outside its range, or two that exclude each other."""


class SourceError(RealtimeError):
    """An input that cannot be read."""


class SourceLost(SourceError):
    """A live input that was lost and did not come back within the time that was given."""


class SinkError(RealtimeError):
    """An output that cannot be written."""


class WeightsError(RealtimeError):
    """A weights file that is missing, altered or of another network."""


class DeviceError(RealtimeError):
    """A device that was asked for and is not there."""


class TrainingError(RealtimeError):
    """Data or a checkpoint that training cannot use, or a loss that is not a number."""


class StopStreaming(Exception):
    """A sink wants no more frames: the viewer closed the window. Ends a run quietly; not an error."""


HIDDEN = "***"
#: Schemes that mean an address even without slashes behind them.
_SCHEMES = "rtsps?|rtmp[a-z]{0,2}|https?|srtp?|rtp|udp|tcp|tls|mms[ht]?|ftps?"
_START = re.compile(rf"(?i)\b(?:[a-z][a-z0-9+.-]{{1,20}}:/{{1,2}}|(?:{_SCHEMES}):)(?=\S)")
_ADDRESS = re.compile(rf"(?is)((?:[a-z][a-z0-9+.-]{{1,20}}:/{{1,2}})|(?:{_SCHEMES}):)(.+)")
_HOST = re.compile(r"(?:\[[0-9a-fA-F:.%]+\]|[\w.~-]*)(?::\d*)?")
_PATH = re.compile(r"(?s)(/[\w.~-]*(?=[/?#;]|$))?(.*)")
_STORE_PATH = re.compile(r"(?s)(/[^?#;]*)?(.*)")
#: Schemes of stores, whose paths are names of files and hold no secret, unlike those of cameras.
_STORES = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "hdfs", "sftp", "memory")
#: A token without a scheme that holds user:password@host, and values of queries or with a secret's name.
_LOGIN = re.compile(r"[^\s/@'\"]+:[^\s'\"]*@[^\s'\"]*")
_VALUE = re.compile(r"(?i)([?&;#][\w.\[\]-]+=|\b\w*(?:passw|pwd|psw|token|secret|jwt|signature)\w*=)[^\s&;#'\"]+")


def redacted_address(address: str) -> str:
    """An address with everything hidden but scheme, host, port and the first part of the path, or the whole path in a
    store of files (``s3://``); what is no address only loses logins and values of queries.

    Where it cannot be told which ``@`` ends a password, the host is hidden as well.
    """
    found = _ADDRESS.match(address.strip())
    if found is None:
        return _without_scheme(address)
    return found[1] + _visible(found[2], found[1].partition(":")[0].lower() in _STORES)


def redacted(text: str) -> str:
    """A text in which every address is a `redacted_address`."""
    result, position = "", 0
    for found in _START.finditer(text):
        if found.start() < position:
            continue
        following = _START.search(text, found.end())
        end = _end_of_address(text, found.end(), following.start() if following else len(text))
        address = text[found.start() : end].rstrip(".,:;'\")]}")
        result += _without_scheme(text[position : found.start()]) + redacted_address(address)
        position = found.start() + len(address)
    return result + _without_scheme(text[position:])


def _end_of_address(text: str, begin: int, limit: int) -> int:
    """Where an address in a text ends: at white space, unless a password with white space goes on to an ``@``."""
    space = re.compile(r"\s|$").search(text, begin)
    end = min(space.start() if space else len(text), limit) if limit > begin else limit
    token = text[begin:end]
    last_at = text.rfind("@", end, limit)
    if ":" in token and "@" not in token and last_at >= 0:
        space = re.compile(r"\s|$").search(text, last_at)
        end = space.start() if space else len(text)
    return end


def _visible(rest: str, is_store: bool = False) -> str:
    """What may be shown of an address behind its scheme."""
    authority = re.split(r"[/?#;\\]", rest, maxsplit=1)[0]
    behind = rest[len(authority) :]
    _, at, host = authority.rpartition("@")
    if not at and "@" in behind and not _HOST.fullmatch(authority) and rest.count("@") == 1:
        at, behind = "@", rest.rpartition("@")[2]  # the password holds a slash
        host = re.split(r"[/?#;\\]", behind, maxsplit=1)[0]
        behind = behind[len(host) :]
    if "@" in behind or not _HOST.fullmatch(host):
        return HIDDEN
    path = (_STORE_PATH if is_store else _PATH).fullmatch(behind)
    first, hidden = (path[1] or "", path[2]) if path else ("", behind)
    tail = hidden if hidden in ("", "/") else hidden[0] + HIDDEN
    return (HIDDEN + "@" if at else "") + host + first + tail


def _without_scheme(text: str) -> str:
    hidden = _LOGIN.sub(lambda login: HIDDEN + "@" + _visible(login[0].rpartition("@")[2]), text)
    return _VALUE.sub(rf"\1{HIDDEN}", hidden)
