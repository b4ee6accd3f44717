"""Network cameras: RTSP, HTTP, RTMP and SRT streams through PyAV."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from time import perf_counter

from realtime.config import InputOverrides
from realtime.errors import SourceError, redacted_address
from realtime.frame import Frame
from realtime.media.decode import Decoder
from realtime.media.interrupt import Interrupt
from realtime.media.joining import JitterBuffer, Joining, is_fetched
from realtime.media.libav import av
from realtime.media.live import ARRIVAL_TIME_BASE, lacks_timestamps, live_packets, with_arrival_times
from realtime.media.live_sound import relay_for
from realtime.media.opening import open_address
from realtime.media.probe import probe
from realtime.sound import SoundPacket
from realtime.sources.base import Source
from realtime.sources.reaching import in_plain_words, not_reached

#: Seconds that connecting may take, and after which a camera that sends nothing is lost.
OPEN_TIMEOUT = READ_TIMEOUT = 5.0
#: The same for UDP, whose next key frame may be far.
UDP_OPEN_TIMEOUT = 20.0
CLOSE_TIMEOUT = 1.0


class NetworkCamera(Source):
    """A stream behind an address such as ``rtsp://user:password@host/stream``; messages never show its password.

    Raises SourceError when nobody answers within `open_timeout` seconds (None: 5, or 20 for UDP), and in `frames` when
    the stream is lost: after an error, an end, or `read_timeout` seconds without data. `stop` ends a read that waits.
    `skip_backlog` leaves out what had been collected before somebody watched.
    """

    def __init__(
        self,
        address: str,
        overrides: InputOverrides | None = None,
        *,
        open_timeout: float | None = None,
        read_timeout: float = READ_TIMEOUT,
        skip_backlog: bool = False,
    ) -> None:
        name = redacted_address(address)
        self._overrides = overrides or InputOverrides()
        self._interrupt = Interrupt()
        self._read_timeout, self._skip_backlog = read_timeout, skip_backlog
        if open_timeout is None:
            open_timeout = UDP_OPEN_TIMEOUT if address.lower().startswith("udp") else OPEN_TIMEOUT
        try:
            self._container = open_address(address, name, self._interrupt, open_timeout)
        except SourceError as error:
            raise not_reached(error, address, name) from error.__cause__
        with ExitStack() as stack:
            stack.callback(self._container.close)
            info = probe(self._container, name, self._overrides)
            stack.pop_all()
        self.info = replace(info, live=True, frames=None, seconds=None, time_span=(None, None))
        if lacks_timestamps(self._container):
            self.info = replace(self.info, time_base=ARRIVAL_TIME_BASE, rate=None)
        self._sound = next(iter(self._container.streams.audio), None)
        if self._sound is not None and self._sound.codec_context is not None:
            self.info = replace(self.info, sound=relay_for(self._sound))
        self._fetched = is_fetched(self._container)
        self._arrived = 0.0

    def frames(self) -> Iterator[Frame]:
        packets = live_packets(self._container, self._interrupt, self._read_timeout, self.info.name)
        packets = in_plain_words(packets, self._read_timeout)
        if lacks_timestamps(self._container):
            packets = with_arrival_times(packets)
        joining = Joining(self._container.streams[self.info.stream_index], self.info.diagnostics)
        frames = Decoder(self._container, self.info, self._overrides).frames(joining.packets(self._relayed(packets)))
        buffer, delay = JitterBuffer(self._fetched), 0.0
        for frame in frames:
            if self._skip_backlog and not (joining.at_present or self._fetched):
                continue
            pause = buffer.wait(frame.seconds, perf_counter())
            if buffer.delay and not delay:
                self.info.diagnostics.info(f"comes in bursts; shown {buffer.delay:.1f} s later, so that it runs evenly")
            delay = buffer.delay
            if self._interrupt.requested.wait(pause):
                return
            # The delay of a buffer is said above; that of this program counts from here. What the decoder gives back
            # only when the stream is lost had arrived before.
            yield replace(frame, captured_at=perf_counter() if pause else self._arrived)

    def _relayed(self, packets: Iterator[av.Packet]) -> Iterator[av.Packet]:
        """Hands the packets of the sound to recordings, and gives the others. Notes when the latest came."""
        for packet in packets:
            if packet.size:
                self._arrived = perf_counter()
            if self._sound is None or packet.stream.index != self._sound.index:
                yield packet
            elif self.info.sound is not None and packet.size and packet.pts is not None:
                base = packet.time_base
                self.info.sound.put(SoundPacket(bytes(packet), packet.pts * base, (packet.duration or 0) * base))

    def stop(self) -> None:
        self._interrupt.requested.set()

    def close(self) -> None:
        # Saying goodbye must not take long, and the clock of an interrupted call must not go back.
        with self._interrupt.watch(CLOSE_TIMEOUT):
            self._container.close()
