"""Pictures out of packets: everything that can be decoded, at times that rise."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from time import perf_counter

from realtime.capture.container import reason
from realtime.capture.describe import announced, interlaced
from realtime.capture.pixels import Reading, pixel_format, planes, resized
from realtime.errors import SourceError
from realtime.frame import Frame, StreamInfo
from realtime.media import Clock, av, main_video, packets

#: Decoding costs a small part of what the network does; more threads would only take cores away from it.
DECODER_THREADS = max(1, min(4, (os.cpu_count() or 2) // 2))
#: A file that ends this much before its announced end was cut off, in seconds.
SHORT = 1


@dataclass
class Decoder:
    """Decodes the main video stream of an open container; what is wrong with it goes into ``info.findings``."""

    container: av.container.InputContainer
    info: StreamInfo
    reading: Reading

    def frames(self) -> Iterator[Frame]:
        """The frames in the order they are shown. Raises SourceError when there is none, or reading breaks off."""
        stream = main_video(self.container)
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = DECODER_THREADS
        step = round(1 / (self.info.rate * stream.time_base)) if self.info.rate else 1
        clock = Clock(stream.time_base, step)
        count = repaired = 0
        following = None
        for picture in self._pictures(stream):
            count += 1
            # AVI has decoding times only, and what libav makes of them is a frame late, or out of order.
            time = picture.pts
            if self.container.format.name == "avi":
                time = following if picture.dts is None else picture.dts
            pts = clock.tell(time, picture.duration or 0, picture.dts)
            following = pts + step
            self.info.findings.counts["repaired_timestamps"] += clock.repaired - repaired
            repaired = clock.repaired
            yield self._frame(picture, pts, stream.time_base)
        if not count:
            raise SourceError(f"{self.info.name} holds no frame that can be decoded")

    def _pictures(self, stream: av.video.stream.VideoStream) -> Iterator[av.VideoFrame]:
        counts = self.info.findings.counts
        end = Fraction(0)
        last: Exception | None = None

        def damaged() -> None:
            counts["skipped_packets"] += 1

        for packet in packets(self.container, damaged):
            if packet.pts is not None and packet.stream.type in ("video", "audio"):
                end = max(end, (packet.pts + (packet.duration or 0)) * packet.time_base)
            if packet.stream.index != stream.index:
                continue
            try:
                pictures = stream.codec_context.decode(packet if packet.size else None)
            except av.error.EOFError:
                continue
            except (av.error.FFmpegError, ValueError) as error:
                last = error
                damaged()
                continue
            yield from pictures
        if self.info.live and last is not None:
            raise SourceError(f"{self.info.name} broke off: {reason(last)}") from last
        length = announced(self.container)
        if length is not None and not self.info.live and length - end > SHORT:
            counts["missing_seconds"] = round(length - end)

    def _frame(self, picture: av.VideoFrame, pts: int, time_base: Fraction) -> Frame:
        findings, width, height = self.info.findings, self.info.width, self.info.height
        if picture.interlaced_frame:
            findings.note(next((n for n in findings.sentences if "interlaced" in n), interlaced("unknown")))
        if picture.is_corrupt:
            findings.counts["concealed_frames"] += 1
        duration = picture.duration or 0
        format = pixel_format(picture.format.name, picture.colorspace, picture.color_range, width, height, self.reading)
        if (picture.width, picture.height) != (width, height):
            findings.counts["resized_frames"] += 1
            picture = resized(picture, width, height)
        return Frame(planes(picture, format), format, pts, time_base, perf_counter(), duration)
