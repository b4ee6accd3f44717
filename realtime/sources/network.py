"""Network cameras: RTSP, HTTP, RTMP and SRT streams through PyAV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from realtime.config import InputOverrides
from realtime.errors import redacted
from realtime.frame import Frame
from realtime.media.decode import Decoder
from realtime.media.opening import open_address
from realtime.media.probe import probe
from realtime.sources.base import Source

#: Seconds without data after which a camera is lost, and that connecting to it may take.
READ_TIMEOUT = OPEN_TIMEOUT = 10.0


class NetworkCamera(Source):
    """A stream behind an address such as ``rtsp://user:password@host/stream``; messages never show its password.

    Raises SourceError when nobody answers within `open_timeout` seconds, or nothing comes for `read_timeout` seconds.
    """

    def __init__(
        self,
        address: str,
        overrides: InputOverrides | None = None,
        *,
        open_timeout: float = OPEN_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
    ) -> None:
        name = redacted(address)
        self._overrides = overrides or InputOverrides()
        self._container = open_address(
            address,
            {"rtsp_transport": "tcp"} if address.lower().startswith("rtsp") else {},
            name,
            (open_timeout, read_timeout),
        )
        info = probe(self._container, name, self._overrides)
        self.info = replace(info, live=True, frames=None, seconds=None, time_span=(None, None))
        self._stopped = False

    def frames(self) -> Iterator[Frame]:
        for frame in Decoder(self._container, self.info, self._overrides).frames():
            if self._stopped:
                return
            yield frame

    def stop(self) -> None:
        self._stopped = True

    def close(self) -> None:
        self._container.close()
