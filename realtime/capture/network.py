"""Network cameras: RTSP and HTTP streams through PyAV."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from realtime.capture.source import Source
from realtime.capture.video import decode, describe, open_container
from realtime.frame import Frame

#: Connection and read time limits, in microseconds, as libavformat's rtsp and http protocols take them.
TIMEOUT = "10000000"


class NetworkCamera(Source):
    """A stream behind an address such as ``rtsp://user:password@host/stream``; passwords never show in messages.

    Raises SourceError when nobody answers within ten seconds.
    """

    def __init__(self, address: str) -> None:
        # TCP: over UDP a lost packet is a torn picture, and most cameras' firewalls pass it better.
        options = {"timeout": TIMEOUT} | ({"rtsp_transport": "tcp"} if address.startswith("rtsp") else {})
        self._name = redacted(address)
        self._container = open_container(address, options, name=self._name)
        self.info = replace(
            describe(self._container, self._name), live=True, frames=None, seconds=None, span=(None, None)
        )
        self._stopped = False

    def frames(self) -> Iterator[Frame]:
        for frame in decode(self._container, self._name):
            if self._stopped:
                return
            yield frame

    def stop(self) -> None:
        self._stopped = True

    def close(self) -> None:
        self._container.close()


def redacted(address: str) -> str:
    """The address with user and password replaced."""
    return re.sub(r"//[^/@]*@", "//***@", address)
