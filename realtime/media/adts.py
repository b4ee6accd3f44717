"""AAC with a header in each packet (ADTS), as MPEG-TS has it."""

from __future__ import annotations

from realtime.media.libav import av


def has_adts(stream: av.stream.Stream) -> bool:
    """Whether the packets of a stream are AAC with a header each."""
    codec = stream.codec_context
    return stream.type == "audio" and codec is not None and codec.name == "aac" and not codec.extradata


class AdtsRemover:
    """Makes one header for all packets of them, as MP4 wants it: libav's muxer does not where it writes fragments."""

    def __init__(self, stream: av.stream.Stream) -> None:
        self._filter = av.bitstream.BitStreamFilterContext("aac_adtstoasc", stream)

    def packets(self, packet: av.Packet) -> list[av.Packet]:
        """What becomes of a packet of that stream. Raises av.error.InvalidDataError for one without a header."""
        stream, time_base = packet.stream, packet.time_base
        rewritten: list[av.Packet] = self._filter.filter(packet)
        for each in rewritten:
            each.stream, each.time_base = stream, time_base
        return rewritten


def is_malformed_aac(packet: av.Packet) -> bool:
    """True for AAC without the ADTS header that MPEG-TS wants. libav's muxer notices when it writes the packet, which
    may be as late as the end of the file, where it would give up the rest."""
    codec = packet.stream.codec_context
    if codec is None or codec.name != "aac":
        return False
    head = bytes(packet)[:2]
    adts = len(head) == 2 and head[0] == 0xFF and head[1] & 0xF0 == 0xF0
    return len(head) < 2 or not (adts or codec.extradata)
