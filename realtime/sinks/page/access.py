"""Who may use the page: the token, and the checks against foreign web pages that reach for it through a browser.

Nothing here knows a web library; all values are those of the request's headers.
"""

from __future__ import annotations

import hmac
import secrets
import socket
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

from realtime.errors import SettingError

LOOPBACK = "127.0.0.1"
#: Shortest token that a user may choose. One that is made here has 128 random bits.
SHORTEST_TOKEN = 8
#: An address of the documentation range (RFC 5737): a route to it names this machine's own address.
ELSEWHERE = ("192.0.2.1", 9)


@dataclass(frozen=True)
class Access:
    """Where the page listens and who may use it: `token` is None when everybody on this machine may.

    Raises SettingError for a port outside 0..65535 (0 is any free one) or a token that is too short.
    """

    host: str
    port: int
    token: str | None

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise SettingError(f"port {self.port} is outside 0..65535")
        if self.token is not None and (len(self.token) < SHORTEST_TOKEN or not self.token.isprintable()):
            raise SettingError(f"the page's token needs at least {SHORTEST_TOKEN} printable characters")

    @classmethod
    def for_host(cls, host: str, port: int, token: str | None) -> Access:
        """As given; beyond loopback a missing token is made."""
        if token is None and not is_loopback(host):
            token = secrets.token_urlsafe(16)
        return cls(host, port, token)

    def allows_host(self, header: str) -> bool:
        """Whether a Host header names this machine by a number or by a name of its own.

        A page of another site that lets its name point here (DNS rebinding) comes with that name and is refused.
        """
        name = _host_name("//" + header)
        return name is not None and (_is_number(name) or name in self._names())

    def allows_origin(self, origin: str, host_header: str) -> bool:
        """Whether an Origin header is that of the page itself. Browsers send it with every websocket."""
        scheme, _, authority = origin.partition("://")
        return scheme in ("http", "https") and authority != "" and authority.lower() == host_header.lower()

    def allows_token(self, *candidates: str | None) -> bool:
        """Whether one of them is the token; compared in constant time."""
        if self.token is None:
            return True
        wanted = self.token.encode()
        return any(hmac.compare_digest(wanted, (given or "").encode(errors="replace")) for given in candidates)

    def address(self, port: int) -> str:
        """The page's address with its token, to be opened in a browser, when it listens at `port`."""
        host = _own_address() if self.host in ("", "0.0.0.0", "::") else self.host
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{port}/" + (f"?token={quote(self.token, safe='')}" if self.token else "")

    def _names(self) -> set[str]:
        machine = socket.gethostname().lower()
        label = machine.partition(".")[0]
        return {"localhost", self.host.lower(), machine, label, f"{label}.local"}


def parse_address(text: str) -> tuple[str, int]:
    """Host and port of ``[HOST:]PORT``; the host is `LOOPBACK` when it is left out. Raises SettingError."""
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdigit() or (":" in host and not (host.startswith("[") and host.endswith("]"))):
        raise SettingError(f"{text!r} is not [HOST:]PORT, such as 8080, 0.0.0.0:8080 or [::1]:8080")
    return host.strip("[]") or LOOPBACK, int(port)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server on `host`; names other than localhost count as reached by others."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _host_name(address: str) -> str | None:
    try:
        name = urlsplit(address).hostname
    except ValueError:
        return None
    return name.rstrip(".") if name else None


def _is_number(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _own_address() -> str:
    """The address by which others reach this machine, as far as it can tell. No packet is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(ELSEWHERE)
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
