"""The sound of a live stream or a played file: into a relay, and out of the relay into a recording."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from realtime.frame import StreamInfo
from realtime.media.demux import packets, seek
from realtime.media.libav import av
from realtime.media.opening import open_path
from realtime.sound import SoundPacket, SoundRelay

#: Clock of the sound's packets in files, ticks per second; containers have their own.
CLOCK = Fraction(1, 1_000_000)


def relay_for(stream: av.stream.Stream) -> SoundRelay | None:
    """A relay for a sound stream of an input; None for a codec that no file can hold."""
    try:
        holder = av.open(io.BytesIO(), "w", format="matroska")  # an input's streams end with its connection
        return SoundRelay(holder.add_stream_from_template(stream, opaque=True), holder)
    except (av.error.FFmpegError, ValueError, RuntimeError):
        return None


class FileSound:
    """The first sound of a file, read beside its frames while they are played. `relay` is None where there is none, or
    none that can be recorded. Raises SourceError as `open_path`."""

    def __init__(self, path: Path) -> None:
        self._container = open_path(path)
        self._stream = next(iter(self._container.streams.audio), None)
        self.relay: SoundRelay | None = None
        if self._stream is not None and self._stream.codec_context is not None:
            self.relay = relay_for(self._stream)
        self._packets: Iterator[av.Packet] = iter(())
        self._next: av.Packet | None = None
        self._shift = Fraction(0)

    def begin(self, seconds: Fraction, shift: Fraction) -> None:
        """Goes to that moment of the file; what is played there is `shift` seconds later in the relay."""
        self._shift, self._next = shift, None
        if self._stream is None:
            return
        index = self._stream.index
        try:
            seek(self._container, seconds)
        except av.error.FFmpegError:
            pass  # no index: what comes too early is left out
        self._packets = (
            packet
            for packet in packets(self._container, lambda: None)
            if packet.size
            and packet.stream.index == index
            and packet.pts is not None
            and packet.pts * packet.time_base >= seconds
        )

    def put_until(self, seconds: Fraction) -> None:
        """Hands on what begins before that moment of the file."""
        while self.relay is not None:
            packet = self._next or next(self._packets, None)
            self._next = packet
            if packet is None or packet.pts * packet.time_base >= seconds:
                return
            base = packet.time_base
            time = packet.pts * base + self._shift
            self.relay.put(SoundPacket(bytes(packet), time, (packet.duration or 0) * base))
            self._next = None

    def close(self) -> None:
        """Closes the file."""
        self._container.close()


class LiveSound:
    """Writes what ``info.sound`` holds into `output`, between the frames. A container that cannot hold the codec is a
    warning in ``info.diagnostics``."""

    def __init__(self, output: av.container.OutputContainer, info: StreamInfo) -> None:
        self._output, self._relay = output, info.sound
        self._stream: av.stream.Stream | None = None
        self._last = -1
        if self._relay is None:
            return
        try:
            with av.open(io.BytesIO(), "w", format=output.format.name) as trial:
                trial.add_stream_from_template(self._relay.template, opaque=True)
                trial.start_encoding()
            self._stream = output.add_stream_from_template(self._relay.template, opaque=True)
        except (av.error.FFmpegError, ValueError, RuntimeError):
            name = self._relay.template.codec_context.name
            info.diagnostics.warn(f"the sound ({name}) does not fit into {output.format.name} and is left out")

    def write_until(self, seconds: Fraction) -> None:
        """Writes the sound that begins before that moment of the output's time."""
        if self._relay is None:
            return
        for sound in self._relay.take_until(seconds):
            if self._stream is None:
                continue
            packet = av.Packet(sound.data)
            packet.stream, packet.time_base = self._stream, CLOCK
            # Across a gap, times may overlap by a packet; muxers insist that they rise.
            time = max(round(sound.seconds / CLOCK), self._last + 1)
            packet.pts = packet.dts = self._last = time
            packet.duration = round(sound.duration / CLOCK)
            try:
                self._output.mux(packet)
            except av.error.InvalidDataError:
                pass  # damaged sound must not cost the picture
