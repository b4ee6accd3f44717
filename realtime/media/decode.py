"""Frames out of packets: everything that can be decoded, at times that rise."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from time import perf_counter

from realtime.config import InputOverrides
from realtime.diagnostics import Counted
from realtime.errors import SourceError
from realtime.frame import Frame, StreamInfo
from realtime.media.containers import container_named
from realtime.media.file_check import FileCheck
from realtime.media.libav import av
from realtime.media.pixel_formats import pixel_format, planes, resized
from realtime.media.probe import declared_duration, interlaced
from realtime.media.timestamps import MAX_STEP_AHEAD, FarPtsFixer, TimestampFixer

#: Decoding costs a small part of what the network does; more threads would only take cores away from it.
DECODER_THREADS = max(1, min(4, (os.cpu_count() or 2) // 2))
#: Codecs whose damaged pictures libav conceals in silence. Each picture stands alone, so that what a strict decoder
#: refuses can be given to a tolerant one.
CONCEALED_IN_SILENCE = ("mjpeg",)
#: Packets to read ahead in search of a first known time, and how many behind it may be shown before it.
READ_AHEAD_PACKETS, REORDER_DEPTH = 250, 16


@dataclass
class Decoder:
    """Decodes the main video stream of an open container; what is wrong with it goes into ``info.diagnostics``.

    `check` is that of a file, None for a live stream.
    """

    container: av.container.InputContainer
    info: StreamInfo
    overrides: InputOverrides
    check: FileCheck | None = None

    def frames(self, packets: Iterator[av.Packet]) -> Iterator[Frame]:
        """The frames of `packets` in the order they are shown. Raises SourceError when there is none."""
        stream = self.container.streams[self.info.stream_index]
        codec = stream.codec_context
        codec.thread_type = "SLICE" if self.info.live else "AUTO"  # threads for whole frames delay each by several
        codec.thread_count = DECODER_THREADS
        if codec.name in CONCEALED_IN_SILENCE:
            codec.options = {"err_detect": "explode"}
        time_base = self.info.time_base
        step = round(1 / (self.info.rate * time_base)) if self.info.rate else 1
        fixer = TimestampFixer(time_base, step)
        has_frame_times = container_named(self.container.format.name).frame_times
        ahead = [] if self.info.live else read_ahead(packets, stream.index)
        of_stream = [packet for packet in ahead if packet.stream.index == stream.index]
        first = infer_first_pts(of_stream, step)
        following, repaired = None, 0 if first is None else -1  # the first one counts as well
        count = 0
        far_pts = FarPtsFixer(of_stream, self._declared_end(), read_ahead=not self.info.live)
        for picture in self._pictures(stream, chain(ahead, packets), far_pts):
            count += 1
            pts = picture.pts
            if (picture.duration or 0) * time_base > MAX_STEP_AHEAD:
                picture.duration = 0  # a damaged table; no muxer takes it
            if not has_frame_times:
                # In AVI there are decoding times only, and what libav makes of them is a frame late, or out of order.
                pts = following if picture.dts is None else picture.dts
            pts = fixer.fix(first if pts is None and count == 1 else pts, picture.duration or 0)
            following = pts + step
            self.info.diagnostics.count(Counted.REPAIRED_TIMESTAMPS, fixer.repaired - repaired)
            repaired = fixer.repaired
            yield self._frame(picture, pts, time_base)
        if not count:
            raise SourceError(f"{self.info.name} holds no frame that can be decoded")

    def _declared_end(self) -> Fraction | None:
        """When the file ends by its own header, in seconds; None where it has none."""
        length = declared_duration(self.container)
        if length is None or self.info.live or container_named(self.container.format.name).fixed_packets:
            return None
        return Fraction(self.container.start_time or 0, av.time_base) + length

    def _pictures(
        self, stream: av.video.stream.VideoStream, packets: Iterable[av.Packet], far_pts: FarPtsFixer
    ) -> Iterator[av.VideoFrame]:
        duration_of_last = container_named(self.container.format.name).duration_of_last
        duration = 0
        repaired = 0
        for packet in far_pts.fixed(packet for packet in packets if packet.stream.index == stream.index):
            self.info.diagnostics.count(Counted.REPAIRED_TIMESTAMPS, far_pts.repaired - repaired)
            repaired = far_pts.repaired
            try:
                pictures = self._decoded(stream.codec_context, packet)
            except av.error.EOFError:
                continue
            except (av.error.FFmpegError, ValueError):
                if self.check is not None:
                    self.check.undecodable(packet)
                else:
                    self.info.diagnostics.count(Counted.SKIPPED_PACKETS)
                continue
            if packet.size:
                duration = packet.duration or 0
            elif pictures and duration_of_last:
                pictures[-1].duration = duration
            for picture in pictures:
                if self.check is not None:
                    self.check.frame(picture)
                yield picture
        if self.check is not None:
            self.check.finish()

    def _decoded(self, codec: av.video.codeccontext.VideoCodecContext, packet: av.Packet) -> list[av.VideoFrame]:
        """The pictures that a packet completes; counts those that only a tolerant decoder takes. Raises what PyAV
        raises."""
        try:
            return codec.decode(packet if packet.size else None)
        except av.error.FFmpegError:
            if not packet.size or codec.name not in CONCEALED_IN_SILENCE:
                raise
            # A new one each time: damage is rare, and the next picture must not see what this one left behind.
            tolerant = av.CodecContext.create(codec.codec, "r")
            tolerant.width, tolerant.height, tolerant.codec_tag = codec.width, codec.height, codec.codec_tag
            tolerant.extradata = codec.extradata
            if not (pictures := tolerant.decode(packet)):
                raise
            self._concealed(None if packet.pts is None else packet.pts * packet.time_base)
            return pictures

    def _concealed(self, seconds: Fraction | None) -> None:
        self.info.diagnostics.count(Counted.CONCEALED_FRAMES)
        self.info.diagnostics.place(seconds, "a frame that the decoder could only patch up")

    def _frame(self, picture: av.VideoFrame, pts: int, time_base: Fraction) -> Frame:
        diagnostics, width, height = self.info.diagnostics, self.info.width, self.info.height
        if picture.interlaced_frame and not any("interlaced" in text for text in diagnostics.warnings):
            diagnostics.warn(interlaced("unknown"))
        if picture.is_corrupt:
            self._concealed(pts * time_base)
        name, matrix, color_range = picture.format.name, picture.colorspace, picture.color_range
        format, duration = pixel_format(name, matrix, color_range, width, height, self.overrides), picture.duration or 0
        if (picture.width, picture.height) != (width, height):
            diagnostics.count(Counted.RESIZED_FRAMES)
            picture = resized(picture, width, height)
        return Frame(planes(picture, format), format, pts, time_base, perf_counter(), duration)


def read_ahead(packets: Iterator[av.Packet], stream: int) -> list[av.Packet]:
    """The first packets, up to enough of the stream with times; fewer where there are none among the first ones."""
    read: list[av.Packet] = []
    known = 0
    while known <= REORDER_DEPTH and len(read) < READ_AHEAD_PACKETS and (packet := next(packets, None)) is not None:
        read.append(packet)
        known += packet.stream.index == stream and (packet.pts is not None or packet.dts is not None)
    return read


def infer_first_pts(packets: Iterable[av.Packet], step: int) -> int | None:
    """The time of the first picture of a stream whose first `packets` have none; None for streams that need no such
    guess.

    libav omits times below zero in Matroska: they are extrapolated back from the first known one, in steps of `step`.
    """
    times = [p.dts if p.pts is None else p.pts for p in packets if p.size]
    known = [time for time in times if time is not None]
    unknown = next((index for index, time in enumerate(times) if time is not None), 0)
    return min(known) - unknown * step if unknown else None
