"""Everything in a file that is not the enhanced picture: sound, subtitles, position data, chapters, tags."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from realtime.errors import SinkError
from realtime.frame import StreamInfo
from realtime.media.libav import TimestampFixer, av, open_file, packets

#: Tags that describe the old file rather than the recording.
STRUCTURE = frozenset({"major_brand", "minor_version", "compatible_brands", "encoder", "duration", "number_of_frames"})
#: Seconds by which sound may lie before the picture of its time.
EARLY = 1
#: Formats without a place for tags of any name, and for a rotation.
TAGLESS = frozenset({"mpegts", "avi"})
#: Seconds that a fragment of MP4 may last, with what rounding to whole pictures adds.
FRAGMENT = 1


@dataclass(frozen=True)
class _Text:
    """A subtitle of MP4. Its muxer ends subtitles with an empty one, which should have no length, and gets that of the
    text before it where both fall into one fragment."""

    stream: av.stream.Stream
    time_base: Fraction
    pts: int
    duration: int

    def lengthens(self, end: Fraction) -> bool:
        """Whether the muxer's empty one behind it may make the file longer than its pictures, which `end` then."""
        length = self.duration * self.time_base
        return length < FRAGMENT and self.pts * self.time_base + 2 * length > end

    def blank(self) -> av.Packet:
        """An empty one of a moment behind it, whose length the muxer's gets instead."""
        blank = av.Packet(bytes(2))
        blank.stream, blank.time_base, blank.duration = self.stream, self.time_base, 1
        blank.pts = blank.dts = self.pts + self.duration
        return blank


class StreamCopier:
    """The other streams of `info.path`, written packet by packet between the pictures.

    What the container cannot hold is named in ``info.diagnostics``; with `strict` that is a SinkError instead.
    """

    def __init__(self, output: av.container.OutputContainer, info: StreamInfo, strict: bool = False) -> None:
        self._output, self._info, self._strict = output, info, strict
        self._streams: dict[int, av.stream.Stream] = {}
        self._clocks: dict[int, TimestampFixer] = {}
        self._before: dict[int, int] = {}
        self._texts: dict[int, _Text] = {}
        self._input: av.container.InputContainer | None = None
        self._packets: Iterator[av.Packet] = iter(())
        self._waiting: av.Packet | None = None
        begin, self._end = info.time_span
        self._begin = Fraction(begin or 0).limit_denominator(1_000_000)

    def open(self, picture: av.stream.Stream) -> None:
        """Announces the streams; `picture` is the output's own and gets the tags of the one it is made from."""
        info = self._info
        if info.path is None or info.live:
            return
        self._input = open_file(info.path)
        for stream in self._input.streams:
            if stream.index == info.stream_index:
                picture.metadata.update(_tags(stream.metadata))
                picture.disposition = stream.disposition
                continue
            if _made_anew(stream) or self._attached(stream, info.path):
                continue
            made = self._holding(stream)
            if made is None:
                self._leave_out(stream)
            else:
                self._streams[stream.index] = made
        tags = _tags(self._input.metadata)
        self._output.metadata.update(tags)
        if tags and self._output.format.name in TAGLESS:
            self._complain(f"{self._output.format.name} has no place for the tags {', '.join(tags)}")
        self._copy_chapters(self._input)
        early = self._begin - EARLY
        pictures = self._input.streams[info.stream_index]
        if early > (pictures.start_time or 0) * pictures.time_base:  # else that is where a seek would lead
            try:
                self._input.seek(round(early * av.time_base))
            except av.error.FFmpegError:
                pass  # No index to seek by: what is before is read and passed over.
        # Damaged places are not counted here: capture reads the same file and meets the same ones.
        self._packets = packets(self._input, lambda: None)

    def write_until(self, seconds: Fraction | None) -> None:
        """Writes the packets of up to `seconds` of the output's time; None writes all that are left."""
        while (packet := self._waiting or self._next()) is not None:
            self._waiting = packet
            if seconds is not None and packet.dts * packet.time_base > seconds:
                return
            self._waiting = None
            if packet.stream.codec_context is not None and packet.stream.codec_context.name == "mov_text":
                self._texts[packet.stream.index] = _Text(
                    packet.stream, packet.time_base, packet.pts, packet.duration or 0
                )
            try:
                self.mux(packet)
            except av.error.ArgumentError:
                self._info.diagnostics.counts["skipped_packets"] += 1

    def mux(self, packet: av.Packet) -> None:
        """Writes a packet; damaged sound, which muxers refuse when its turn comes, must not cost the pictures."""
        try:
            self._output.mux(packet)
        except av.error.InvalidDataError:
            self._info.diagnostics.counts["skipped_packets"] += 1

    def finish(self, end: Fraction, cut: bool) -> None:
        """`write_until` for the last time; `end` is the pictures', and with `cut` that of all."""
        self.write_until(end if cut else None)
        for text in self._texts.values():
            if text.lengthens(end):
                self._output.mux(text.blank())

    def close(self) -> None:
        if self._input is not None:
            self._input.close()
            self._input = None
        self._packets, self._waiting = iter(()), None

    def _next(self) -> av.Packet | None:
        for packet in self._packets:
            made = self._streams.get(packet.stream.index)
            # An empty packet ends a stream, except among subtitles, where it clears the screen; that has a time.
            if made is None or (packet.size == 0 and packet.pts is None):
                continue
            time = (packet.pts if packet.pts is not None else packet.dts or 0) * packet.time_base
            if (self._begin and time < self._begin) or (self._end is not None and time >= self._end):
                continue
            self._retime(packet, packet.stream.index)
            packet.stream = made
            return packet
        return None

    def _retime(self, packet: av.Packet, index: int) -> None:
        """Counts from the start of the span, and makes decoding times rise, which muxers insist on."""
        # Of the muxers, only Matroska's takes two packets at one moment.
        strictly = self._output.format.name not in ("matroska", "webm")
        clock = self._clocks.setdefault(index, TimestampFixer(packet.time_base, strictly=strictly))
        shift = round(self._begin / packet.time_base)
        dts = packet.dts if packet.dts is not None else packet.pts
        told = clock.tell(None if dts is None else dts - shift, packet.duration or 0)
        behind = 0 if packet.pts is None or dts is None else max(packet.pts - dts, 0)
        packet.dts, packet.pts = told, told + behind
        known = self._before.get(index, 0)
        self._before[index] = clock.repaired
        self._info.diagnostics.counts["repaired_timestamps"] += clock.repaired - known

    def _attached(self, stream: av.stream.Stream, path: Path) -> bool:
        """Whether it is a cover picture and went in as Matroska has them: as an attachment, before all packets."""
        if not _is_cover(stream) or self._output.format.name != "matroska":
            return False
        with open_file(path) as again:
            picture = next((bytes(p) for p in again.demux(again.streams[stream.index]) if p.size), None)
        kind = stream.codec_context.name.replace("mjpeg", "jpeg")
        if picture is not None:
            self._output.add_attachment(f"cover.{kind}", f"image/{kind}", picture)
        return picture is not None

    def _holding(self, stream: av.stream.Stream) -> av.stream.Stream | None:
        """The stream in the output, or None where a file with it alone cannot be written and read again."""
        data = io.BytesIO()
        if _is_cover(stream):
            return None  # MP4 keeps covers among tags of a kind that has no room for ours.
        try:
            with av.open(data, "w", format=self._output.format.name) as trial:
                made = trial.add_stream_from_template(stream, opaque=True)
                trial.start_encoding()
                if stream.type == "data":
                    packet = av.Packet(bytes(8))
                    packet.stream, packet.pts, packet.dts, packet.time_base = made, 0, 0, Fraction(1, 1000)
                    trial.mux(packet)
            if stream.type == "data":
                # Muxers write a data stream of any kind, and not all with a name by which to find it again.
                data.seek(0)
                with av.open(data) as again:
                    if [s.name for s in again.streams] != [stream.name] or stream.name is None:
                        return None
            made = self._output.add_stream_from_template(stream, opaque=True)
        except (av.error.FFmpegError, ValueError, OSError, RuntimeError, AttributeError):
            return None
        made.metadata.update(_tags(stream.metadata))
        made.disposition = stream.disposition
        return made

    def _leave_out(self, stream: av.stream.Stream) -> None:
        self._info.diagnostics.counts["left_out_streams"] += 1
        name = stream.metadata.get("handler_name") or stream.metadata.get("filename") or getattr(stream, "name", None)
        name = name or "unknown kind"
        self._complain(
            f"stream {stream.index} ({stream.type}, {name}) does not fit into {self._output.format.name} and is left "
            "out; another suffix for the output may hold it"
        )

    def _copy_chapters(self, source: av.container.InputContainer) -> None:
        chapters = []
        for chapter in source.chapters():
            base = chapter["time_base"]
            shift = round(self._begin / base)
            end = chapter["end"] if self._end is None else min(chapter["end"], round(self._end / base))
            if end - shift > 0 and end > chapter["start"]:
                chapters.append(chapter | {"start": max(chapter["start"] - shift, 0), "end": end - shift})
        if chapters:
            self._output.set_chapters(chapters)

    def _complain(self, sentence: str) -> None:
        if self._strict:
            raise SinkError(f"{self._info.name}: {sentence} (--strict)")
        self._info.diagnostics.note(sentence)


def _tags(metadata: dict[str, str]) -> dict[str, str]:
    return {k: v for k, v in metadata.items() if k.lower() not in STRUCTURE and not k.startswith("_STATISTICS")}


def _made_anew(stream: av.stream.Stream) -> bool:
    """Timecode tracks come from a tag, chapter tracks from the chapters; muxers write both themselves."""
    if stream.type != "data":
        return False
    chapters = int(getattr(stream, "discard", 0)) == 48 and bool(stream.container.chapters())
    return "timecode" in stream.metadata or chapters


def _is_cover(stream: av.stream.Stream) -> bool:
    return bool(int(stream.disposition) & int(av.stream.Disposition.attached_pic))
