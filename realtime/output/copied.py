"""Sound and subtitles, copied packet by packet from the file that the pictures came from."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from realtime.frame import StreamInfo
from realtime.media import av

KINDS = ("audio", "subtitle")


class CopiedStreams:
    """The streams of `info.path` that are not pictures, interleaved with the pictures as they are written."""

    def __init__(self, output: av.container.OutputContainer, info: StreamInfo) -> None:
        self._output = output
        self._input: av.container.InputContainer | None = None
        self._packets: Iterator[av.Packet] = iter(())
        self._waiting: av.Packet | None = None
        self._begin, self._end = info.span
        if info.path is None or info.live:
            return
        self._input = av.open(str(info.path))
        self._streams = {}
        for stream in self._input.streams:
            if stream.type in KINDS and _fits(stream, output):
                self._streams[stream.index] = output.add_stream_from_template(stream)
        if self._streams:
            if self._begin:
                self._input.seek(round(self._begin * av.time_base))
            self._packets = self._input.demux([self._input.streams[index] for index in self._streams])

    def write_until(self, seconds: float | None) -> None:
        """Writes the packets of up to `seconds` of the output's time; None writes all that are left."""
        while (packet := self._waiting or self._next()) is not None:
            self._waiting = packet
            if seconds is not None and float(packet.dts * packet.time_base) > seconds:
                return
            self._output.mux(packet)
            self._waiting = None

    def close(self) -> None:
        if self._input is not None:
            self._input.close()
            self._input = None
        self._packets, self._waiting = iter(()), None

    def _next(self) -> av.Packet | None:
        for packet in self._packets:
            if packet.size == 0 or packet.dts is None or packet.pts is None:
                continue  # the empty packets that end a stream
            time = packet.pts * packet.time_base
            if self._begin is not None and time < self._begin:
                continue
            if self._end is not None and time >= self._end:
                continue
            if self._begin is not None:
                shift = round(Fraction(self._begin).limit_denominator(1_000_000) / packet.time_base)
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            packet.stream = self._streams[packet.stream.index]
            return packet
        return None


def _fits(stream: av.stream.Stream, output: av.container.OutputContainer) -> bool:
    """Whether the container can hold that codec, as libavformat's muxer says."""
    return stream.codec_context is not None and stream.codec_context.name in output.supported_codecs
