"""Subtitle tracks in MP4: their beginning, and their end, which must not outlast the pictures."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from realtime.media.libav import av
from realtime.media.timestamps import writable_duration

#: Seconds that a fragment of MP4 may last, rounded up to whole pictures.
FRAGMENT_SECONDS = 1


def is_mov_text(stream: av.stream.Stream) -> bool:
    """Whether a stream is a subtitle track as MP4 has it."""
    return stream.codec_context is not None and stream.codec_context.name == "mov_text"


def first_packet(stream: av.stream.Stream, seconds: float) -> av.Packet:
    """The empty packet at 0 with which such a track begins, as long as the pictures, or up to the first subtitle. libav
    would add one in each fragment that has none."""
    packet = av.Packet(bytes(2))
    packet.stream, packet.time_base, packet.pts, packet.dts = stream, stream.time_base, 0, 0
    packet.duration = writable_duration(round(seconds / stream.time_base), stream.time_base, stream.time_base, True)
    return packet


@dataclass(frozen=True)
class LastSubtitle:
    """The last subtitle written to an MP4. libav appends an empty packet to subtitle tracks. It should have no
    duration, but gets that of the subtitle before it where both lie in one fragment."""

    stream: av.stream.Stream
    time_base: Fraction
    pts: int
    duration: int

    def extends_file(self, end: Fraction) -> bool:
        """True if the empty packet that libav appends would extend the file past the last frame (`end`, seconds)."""
        seconds = self.duration * self.time_base
        return seconds < FRAGMENT_SECONDS and self.pts * self.time_base + 2 * seconds > end

    def spacer(self) -> av.Packet:
        """An empty packet of the shortest duration behind the subtitle, which libav's own then copies."""
        packet = av.Packet(bytes(2))
        packet.stream, packet.time_base, packet.duration = self.stream, self.time_base, 1
        packet.pts = packet.dts = self.pts + self.duration
        return packet
