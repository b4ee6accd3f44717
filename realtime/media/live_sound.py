"""The sound of a live stream: out of a connection into a relay, and out of the relay into a file."""

from __future__ import annotations

import io
from fractions import Fraction

from realtime.frame import StreamInfo
from realtime.media.libav import av
from realtime.sound import SoundRelay

#: Clock of the sound's packets in files, ticks per second; containers have their own.
CLOCK = Fraction(1, 1_000_000)


def relay_for(stream: av.stream.Stream) -> SoundRelay | None:
    """A relay for a sound stream of an input; None for a codec that no file can hold."""
    try:
        holder = av.open(io.BytesIO(), "w", format="matroska")  # an input's streams end with its connection
        return SoundRelay(holder.add_stream_from_template(stream, opaque=True), holder)
    except (av.error.FFmpegError, ValueError, RuntimeError):
        return None


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
