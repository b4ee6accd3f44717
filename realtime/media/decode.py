"""Pictures out of packets: everything that can be decoded, at times that rise."""

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
from realtime.media.demux import main_video, packets
from realtime.media.integrity import report_gaps
from realtime.media.libav import av
from realtime.media.opening import reason
from realtime.media.pixel_formats import pixel_format, planes, resized
from realtime.media.probe import declared_duration, interlaced
from realtime.media.timestamps import TimestampFixer

#: Decoding costs a small part of what the network does; more threads would only take cores away from it.
DECODER_THREADS = max(1, min(4, (os.cpu_count() or 2) // 2))
#: A file that ends this much before its announced end was cut off, in seconds.
SHORT = 1
#: Codecs whose damaged pictures libav patches up without a word. Each stands alone, so that what a strict decoder
#: refuses can be given to a tolerant one.
SILENT = ("mjpeg",)
#: Packets to look at for the first known time, and pictures behind it for an earlier one.
LOOK, BEHIND = 250, 16


@dataclass
class Decoder:
    """Decodes the main video stream of an open container; what is wrong with it goes into ``info.diagnostics``."""

    container: av.container.InputContainer
    info: StreamInfo
    overrides: InputOverrides

    def frames(self) -> Iterator[Frame]:
        """The frames in the order they are shown. Raises SourceError when there is none, or reading breaks off."""
        stream = main_video(self.container)
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = DECODER_THREADS
        if stream.codec_context.name in SILENT:
            stream.codec_context.options = {"err_detect": "explode"}
        step = round(1 / (self.info.rate * stream.time_base)) if self.info.rate else 1
        clock = TimestampFixer(stream.time_base, step)
        count = 0
        following = None
        # From the beginning only: behind a seek there is nothing that a packet could follow.
        path = self.info.path if self.info.time_span[0] is None else None
        read = report_gaps(packets(self.container, self._damaged), self.container.format.name, path, self._damaged)
        before, first = ([], None) if self.info.live else _beginning(read, stream, step)
        repaired = 0 if first is None else -1  # the first one counts as well
        for picture in self._pictures(stream, chain(before, read)):
            count += 1
            # AVI has decoding times only, and what libav makes of them is a frame late, or out of order.
            time = picture.pts
            if self.container.format.name == "avi":
                time = following if picture.dts is None else picture.dts
            pts = clock.fix(first if time is None and count == 1 else time, picture.duration or 0, picture.dts)
            following = pts + step
            self.info.diagnostics.count(Counted.REPAIRED_TIMESTAMPS, clock.repaired - repaired)
            repaired = clock.repaired
            yield self._frame(picture, pts, stream.time_base)
        if not count:
            raise SourceError(f"{self.info.name} holds no frame that can be decoded")

    def _pictures(self, stream: av.video.stream.VideoStream, read: Iterable[av.Packet]) -> Iterator[av.VideoFrame]:
        end = Fraction(0)
        last: Exception | None = None
        length = 0
        for packet in read:
            if packet.pts is not None and packet.stream.type in ("video", "audio"):
                end = max(end, (packet.pts + (packet.duration or 0)) * packet.time_base)
            if packet.stream.index != stream.index:
                continue
            try:
                pictures = self._decoded(stream.codec_context, packet)
            except av.error.EOFError:
                continue
            except (av.error.FFmpegError, ValueError) as error:
                last = error
                self._damaged()
                continue
            if packet.size:
                length = packet.duration or 0
            elif pictures and "mov" in self.container.format.name:
                # There a length is the time between two pictures as decoded, and that of the last one shown comes last.
                pictures[-1].duration = length
            yield from pictures
        if self.info.live and last is not None:
            raise SourceError(f"{self.info.name} broke off: {reason(last)}") from last
        told = declared_duration(self.container)
        if told is not None and not self.info.live and told - end > SHORT:
            self.info.diagnostics.count(Counted.MISSING_SECONDS, round(told - end))

    def _decoded(self, codec: av.video.codeccontext.VideoCodecContext, packet: av.Packet) -> list[av.VideoFrame]:
        """What a packet gives; counts what only a tolerant decoder takes. Raises what PyAV raises."""
        try:
            return codec.decode(packet if packet.size else None)
        except av.error.FFmpegError:
            if not packet.size or codec.name not in SILENT:
                raise
            # One for each: damage is rare, and the next picture shall not see what this one left behind.
            tolerant = av.CodecContext.create(codec.codec, "r")
            tolerant.width, tolerant.height, tolerant.codec_tag = codec.width, codec.height, codec.codec_tag
            tolerant.extradata = codec.extradata
            if not (pictures := tolerant.decode(packet)):
                raise
            self.info.diagnostics.count(Counted.CONCEALED_FRAMES, len(pictures))
            return pictures

    def _damaged(self) -> None:
        self.info.diagnostics.count(Counted.SKIPPED_PACKETS, 1)

    def _frame(self, picture: av.VideoFrame, pts: int, time_base: Fraction) -> Frame:
        diagnostics, width, height = self.info.diagnostics, self.info.width, self.info.height
        if picture.interlaced_frame:
            if not any("interlaced" in text for text in diagnostics.warnings):
                diagnostics.warn(interlaced("unknown"))
        if picture.is_corrupt:
            diagnostics.count(Counted.CONCEALED_FRAMES, 1)
        duration = picture.duration or 0
        format = pixel_format(
            picture.format.name, picture.colorspace, picture.color_range, width, height, self.overrides
        )
        if (picture.width, picture.height) != (width, height):
            diagnostics.count(Counted.RESIZED_FRAMES, 1)
            picture = resized(picture, width, height)
        return Frame(planes(picture, format), format, pts, time_base, perf_counter(), duration)


def _beginning(
    read: Iterator[av.Packet], stream: av.video.stream.VideoStream, step: int
) -> tuple[list[av.Packet], int | None]:
    """The first packets, and where they have no times, that of the first picture; None where none is found.

    libav tells no times of pictures below zero in Matroska: so many steps before the first known one they begin.
    """
    held: list[av.Packet] = []
    known: list[int] = []
    unknown = 0
    for packet in read:
        held.append(packet)
        if packet.stream.index == stream.index and packet.size:
            time = packet.dts if packet.pts is None else packet.pts
            if time is not None:
                known.append(time)
            elif not known:
                unknown += 1
        if (known and not unknown) or len(known) > BEHIND or len(held) >= LOOK:
            break
    return held, min(known) - unknown * step if known and unknown else None
