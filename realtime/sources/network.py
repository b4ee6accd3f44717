"""Network cameras: RTSP and HTTP streams through PyAV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from realtime.errors import redacted
from realtime.frame import Frame
from realtime.media.decode import Decoder
from realtime.media.opening import open_address
from realtime.media.pixel_formats import InputOverrides
from realtime.media.probe import describe
from realtime.sources.base import Source

#: Connection and read time limits, in microseconds, as libavformat's rtsp and http protocols take them.
TIMEOUT = "10000000"


class NetworkCamera(Source):
    """A stream behind an address such as ``rtsp://user:password@host/stream``; passwords never show in messages.

    Raises SourceError when nobody answers within ten seconds.
    """

    def __init__(self, address: str, reading: InputOverrides | None = None) -> None:
        # TCP: over UDP a lost packet is a torn picture, and most cameras' firewalls pass it better.
        options = {"timeout": TIMEOUT} | ({"rtsp_transport": "tcp"} if address.lower().startswith("rtsp") else {})
        name = redacted(address)
        self._reading = reading or InputOverrides()
        self._container = open_address(address, options, name)
        info = describe(self._container, name, self._reading)
        self.info = replace(info, live=True, frames=None, seconds=None, time_span=(None, None))
        self._stopped = False

    def frames(self) -> Iterator[Frame]:
        for frame in Decoder(self._container, self.info, self._reading).frames():
            if self._stopped:
                return
            yield frame

    def stop(self) -> None:
        self._stopped = True

    def close(self) -> None:
        self._container.close()
