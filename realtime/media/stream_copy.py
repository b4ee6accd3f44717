"""Everything in a file that is not the enhanced picture: sound, subtitles, position data, chapters, tags."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from realtime.diagnostics import Counted
from realtime.errors import SinkError
from realtime.frame import StreamInfo
from realtime.media.adts import AdtsRemover, has_adts, is_malformed_aac
from realtime.media.containers import IMAGE_SUFFIXES, container_named
from realtime.media.demux import is_cover, is_regenerated_by_muxer, is_unplayable, packets, seek, start_time
from realtime.media.libav import av, open_file
from realtime.media.subtitles import LastSubtitle, first_packet, is_mov_text
from realtime.media.timestamps import MAX_DISTANCE, TimestampFixer, writable_duration

#: Tags that describe the old file rather than the recording.
STRUCTURAL_TAGS = frozenset(
    {"major_brand", "minor_version", "compatible_brands", "encoder", "duration", "number_of_frames"}
)
#: Seconds by which sound may lie before the picture of its time.
INTERLEAVE_SECONDS = 1
#: Packets to read ahead in search of the first subtitle.
READ_AHEAD = 500


class StreamCopier:
    """Writes the other streams of ``info.path``, packet by packet, between the pictures.

    What the container cannot hold is a warning in ``info.diagnostics``; with `strict` it is a SinkError instead.
    """

    def __init__(self, output: av.container.OutputContainer, info: StreamInfo, strict: bool = False) -> None:
        self._output, self._info, self._strict = output, info, strict
        self._container = container_named(output.format.name)
        self._streams: dict[int, av.stream.Stream] = {}
        self._fixers: dict[int, TimestampFixer] = {}
        self._repaired: dict[int, int] = {}
        self._filters: dict[int, AdtsRemover] = {}
        self._subtitles: dict[int, LastSubtitle] = {}
        self._input: av.container.InputContainer | None = None
        self._packets: Iterator[av.Packet] = iter(())
        self._ahead: deque[av.Packet] = deque()
        start, self._end = info.time_span
        self._start = Fraction(start or 0).limit_denominator(1_000_000)

    def open(self, video: av.stream.Stream) -> None:
        """Adds the streams to the output; `video` is its video stream and gets the tags of the source's."""
        info = self._info
        if info.path is None or info.live or info.path.suffix.lower() in IMAGE_SUFFIXES:
            return
        self._input = open_file(info.path)
        for stream in self._input.streams:
            if stream.index == info.stream_index:
                video.metadata.update(_recording_tags(stream.metadata))
                video.disposition = stream.disposition
            elif not is_regenerated_by_muxer(stream) and not self._attach_cover(stream, info.path):
                copied = self._try_add_stream(stream)
                if copied is None:
                    self._leave_out(stream)
                else:
                    self._streams[stream.index] = copied
                    if self._container.boxes and has_adts(stream):
                        self._filters[copied.index] = AdtsRemover(stream)
        tags = _recording_tags(self._input.metadata)
        self._output.metadata.update(tags)
        if tags and not self._container.any_tags:
            self._warn_or_raise(f"{self._output.format.name} has no place for the tags {', '.join(tags)}")
        self._copy_chapters(self._input)
        self._seek_to_start(self._input)
        # Damaged places are not counted here: capture reads the same file and meets the same ones.
        self._packets = packets(self._input, lambda: None)

    @property
    def has_mov_text(self) -> bool:
        """Whether a subtitle track of MP4 is among the streams."""
        return any(map(is_mov_text, self._streams.values()))

    def start(self) -> None:
        """Writes the first packet of each subtitle track of MP4, to be called before the first picture is written."""
        tracks = {stream.index: stream for stream in self._streams.values() if is_mov_text(stream)}
        ahead: list[av.Packet] = []
        while tracks and len(ahead) < READ_AHEAD and (packet := self._read()) is not None:
            track = tracks.pop(packet.stream.index, None)
            if track is not None and packet.dts > 0:
                self._output.mux(first_packet(track, float(packet.dts * packet.time_base)))
            if track is not None and packet.dts <= 0:
                self._write(packet)
            else:
                ahead.append(packet)
        for track in tracks.values():
            self._output.mux(first_packet(track, self._info.seconds or 0))
        self._ahead.extend(ahead)

    def write_until(self, seconds: Fraction | None) -> None:
        """Writes the packets of up to `seconds` of the output's time; None writes all that are left."""
        while (packet := self._ahead.popleft() if self._ahead else self._read()) is not None:
            if seconds is not None and packet.dts * packet.time_base > seconds:
                self._ahead.appendleft(packet)
                return
            self._write(packet)

    def _write(self, packet: av.Packet) -> None:
        if is_mov_text(packet.stream):
            subtitle = LastSubtitle(packet.stream, packet.time_base, packet.pts, packet.duration or 0)
            self._subtitles[packet.stream.index] = subtitle
        try:
            self.mux(packet)
        except av.error.ArgumentError:
            self._info.diagnostics.count(Counted.SKIPPED_PACKETS)

    def mux(self, packet: av.Packet) -> None:
        """Writes a packet. Muxers refuse damaged sound when its turn comes; that must not cost the pictures."""
        try:
            rewrite = self._filters.get(packet.stream.index) if self._filters else None
            self._output.mux(packet if rewrite is None else rewrite.packets(packet))
        except (av.error.InvalidDataError, av.error.PatchWelcomeError):
            self._info.diagnostics.count(Counted.SKIPPED_PACKETS)

    def finish(self, end: Fraction, stopped_early: bool) -> None:
        """Writes what is left: all of it, or with `stopped_early` up to `end`, the end of the pictures in seconds."""
        self.write_until(end if stopped_early else None)
        for subtitle in self._subtitles.values():
            if subtitle.extends_file(end):
                self._output.mux(subtitle.spacer())

    def close(self) -> None:
        """Closes the source file."""
        if self._input is not None:
            self._input.close()
            self._input = None
        self._packets = iter(())
        self._ahead.clear()

    def _seek_to_start(self, source: av.container.InputContainer) -> None:
        early = self._start - INTERLEAVE_SECONDS
        video = source.streams[self._info.stream_index]
        if self._start and early > start_time(source, video):  # otherwise a seek would lead to the beginning anyway
            try:
                seek(source, early)
            except av.error.FFmpegError:
                pass  # no index to seek by: what is before is read and skipped

    def _read(self) -> av.Packet | None:
        for packet in self._packets:
            target = self._streams.get(packet.stream.index)
            # An empty packet ends a stream, except among subtitles, where it clears the screen; that one has a time.
            if target is None or (packet.size == 0 and packet.pts is None):
                continue
            time = (packet.pts if packet.pts is not None else packet.dts or 0) * packet.time_base
            if (self._start and time < self._start) or (self._end is not None and time >= self._end):
                continue
            if self._container.fixed_packets and is_malformed_aac(packet):
                self._info.diagnostics.count(Counted.SKIPPED_PACKETS)
                continue
            self._retime(packet, packet.stream.index)
            packet.stream = target
            return packet
        return None

    def _retime(self, packet: av.Packet, index: int) -> None:
        """Counts from the start of the time span, and makes decoding times rise, which muxers insist on."""
        sparse, time_base = packet.stream.type not in ("video", "audio"), packet.time_base
        if index not in self._fixers:
            self._fixers[index] = TimestampFixer(time_base, strictly=not self._container.equal_dts, sparse=sparse)
        fixer = self._fixers[index]
        duration = writable_duration(packet.duration or 0, time_base, self._streams[index].time_base, sparse)
        shift = round(self._start / time_base)
        dts = packet.dts if packet.dts is not None else packet.pts
        fixed = fixer.fix(None if dts is None else dts - shift, duration)
        delay = 0 if packet.pts is None or dts is None else max(packet.pts - dts, 0)
        shown = 0 if packet.stream.type == "audio" and delay * time_base > MAX_DISTANCE else delay
        repaired = fixer.repaired + ((duration, shown) != (packet.duration or 0, delay))
        packet.dts, packet.pts, packet.duration = fixed, fixed + shown, duration
        self._info.diagnostics.count(Counted.REPAIRED_TIMESTAMPS, repaired - self._repaired.get(index, 0))
        self._repaired[index] = fixer.repaired

    def _attach_cover(self, stream: av.stream.Stream, path: Path) -> bool:
        """Copies a cover picture as an attachment, where the container has them; whether it did."""
        if not is_cover(stream) or not self._container.cover_attachments:
            return False
        with open_file(path) as source:
            picture = next((bytes(p) for p in source.demux(source.streams[stream.index]) if p.size), None)
        kind = stream.codec_context.name.replace("mjpeg", "jpeg")
        if picture is not None:
            self._output.add_attachment(f"cover.{kind}", f"image/{kind}", picture)
        return picture is not None

    def _try_add_stream(self, stream: av.stream.Stream) -> av.stream.Stream | None:
        """The stream in the output, or None where a file with it alone cannot be written and read again."""
        if is_cover(stream) or is_unplayable(stream):
            return None  # MP4 keeps covers among tags of a kind that has no room for ours
        data = io.BytesIO()
        try:
            with av.open(data, "w", format=self._output.format.name) as trial:
                copied = trial.add_stream_from_template(stream, opaque=True)
                trial.start_encoding()
                if stream.type == "data":
                    packet = av.Packet(bytes(8))
                    packet.stream, packet.pts, packet.dts, packet.time_base = copied, 0, 0, Fraction(1, 1000)
                    trial.mux(packet)
            if stream.type == "data" and not _is_readable(data, stream.name):
                return None
            copied = self._output.add_stream_from_template(stream, opaque=True)
        except (av.error.FFmpegError, ValueError, OSError, RuntimeError, AttributeError):
            return None
        copied.metadata.update(_recording_tags(stream.metadata))
        copied.disposition = stream.disposition
        return copied

    def _leave_out(self, stream: av.stream.Stream) -> None:
        self._info.diagnostics.count(Counted.LEFT_OUT_STREAMS)
        if is_unplayable(stream):
            return self._info.diagnostics.damage(f"the header of stream {stream.index} ({stream.type}) is damaged")
        name = stream.metadata.get("handler_name") or stream.metadata.get("filename") or getattr(stream, "name", None)
        self._warn_or_raise(
            f"stream {stream.index} ({stream.type}, {name or 'unknown kind'}) does not fit into "
            f"{self._output.format.name} and is left out; another suffix for the output may hold it"
        )

    def _copy_chapters(self, source: av.container.InputContainer) -> None:
        chapters = []
        for chapter in source.chapters():
            base = chapter["time_base"]
            shift = round(self._start / base)
            end = chapter["end"] if self._end is None else min(chapter["end"], round(self._end / base))
            if end - shift > 0 and end > chapter["start"]:
                chapters.append(chapter | {"start": max(chapter["start"] - shift, 0), "end": end - shift})
        if chapters:
            self._output.set_chapters(chapters)

    def _warn_or_raise(self, text: str) -> None:
        if self._strict:
            raise SinkError(f"{self._info.name}: {text}", remedies={"strict=True": "without {} that is a warning"})
        self._info.diagnostics.warn(text)


def _recording_tags(metadata: dict[str, str]) -> dict[str, str]:
    return {k: v for k, v in metadata.items() if k.lower() not in STRUCTURAL_TAGS and not k.startswith("_STATISTICS")}


def _is_readable(data: io.BytesIO, name: str | None) -> bool:
    """Whether a data stream is found again under its name: muxers write any kind, not all with a name."""
    data.seek(0)
    with av.open(data) as written:
        return name is not None and [stream.name for stream in written.streams] == [name]
