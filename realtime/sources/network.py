"""Network cameras: RTSP, HTTP, RTMP and SRT streams through PyAV."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

from realtime.config import InputOverrides
from realtime.errors import redacted_address
from realtime.frame import Frame
from realtime.media.decode import Decoder
from realtime.media.interrupt import Interrupt
from realtime.media.live import ARRIVAL_TIME_BASE, lacks_timestamps, live_packets, with_arrival_times
from realtime.media.opening import open_address
from realtime.media.probe import probe
from realtime.sources.base import Source

#: Seconds that connecting may take, and after which a camera that sends nothing is lost.
OPEN_TIMEOUT = READ_TIMEOUT = 5.0


class NetworkCamera(Source):
    """A stream behind an address such as ``rtsp://user:password@host/stream``; messages never show its password.

    Raises SourceError when nobody answers within `open_timeout` seconds, and in `frames` when the stream is lost:
    after an error, an end, or `read_timeout` seconds without data. `stop` ends a read that waits.
    """

    def __init__(
        self,
        address: str,
        overrides: InputOverrides | None = None,
        *,
        open_timeout: float = OPEN_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
    ) -> None:
        name = redacted_address(address)
        self._overrides = overrides or InputOverrides()
        self._interrupt = Interrupt()
        self._read_timeout = read_timeout
        self._container = open_address(address, name, self._interrupt, open_timeout)
        with ExitStack() as stack:
            stack.callback(self._container.close)
            info = probe(self._container, name, self._overrides)
            stack.pop_all()
        self.info = replace(info, live=True, frames=None, seconds=None, time_span=(None, None))
        if lacks_timestamps(self._container):
            self.info = replace(self.info, time_base=ARRIVAL_TIME_BASE, rate=None)

    def frames(self) -> Iterator[Frame]:
        packets = live_packets(self._container, self._interrupt, self._read_timeout, self.info.name)
        if lacks_timestamps(self._container):
            packets = with_arrival_times(packets)
        for frame in Decoder(self._container, self.info, self._overrides).frames(packets):
            if self._interrupt.requested.is_set():
                return
            yield frame

    def stop(self) -> None:
        self._interrupt.requested.set()

    def close(self) -> None:
        self._container.close()
