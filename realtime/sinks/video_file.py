"""Video files, encoded by PyAV, with everything else that the source's file holds."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from math import floor
from pathlib import Path
from time import monotonic

from realtime.errors import RealtimeError, SinkError
from realtime.frame import Frame, PixelFormat, StreamInfo
from realtime.media.containers import MP4, open_output
from realtime.media.encode import EncodingOptions, name_of
from realtime.media.encoders import try_encoder
from realtime.media.libav import av
from realtime.media.partial import Part, discard_parts, find_part, marks
from realtime.media.stream_copy import TAGLESS, StreamCopier
from realtime.media.video_frames import encodable, padded, tags_of
from realtime.sinks.base import Sink, continues, part_of

log = logging.getLogger("realtime")
#: Seconds between two moments at which everything written is forced to the disk: what a power cut may take.
SYNC = 1.0


class VideoFileSink(Sink):
    """Writes a part file beside the final name, playable at any time, and renames it when it is complete.

    After a failure the part stays if there are frames in it, and `resume` makes a later run go on behind them. After
    `cut` the file is finished as far as its pictures go. Sides that chroma cannot share get one more row or column, a
    copy of the last. `strict` refuses what cannot be carried.
    """

    wants_rgb = False

    def __init__(self, path: Path, encoding: EncodingOptions | None = None, strict: bool = False) -> None:
        self._path, self._part = path, part_of(path)
        self._encoding = encoding or EncodingOptions()
        self._strict = strict
        self._tags: dict[str, str] = {}
        self._kept: Part | None = None
        self._container: av.container.OutputContainer | None = None
        self._cut = False
        if self._encoding.hardware and (problem := try_encoder(self._encoding.encoder)):
            raise SinkError(f"{self._encoding.encoder} {problem}; leave --hwaccel out to encode in software")

    def mark(self, tags: dict[str, str]) -> None:
        self._tags = dict(tags)

    def resume(self, job: str) -> int:
        if not continues(self._path) and self._part.exists():
            log.warning("%s starts over: AVI cannot be continued", self._path)
        self._kept = find_part(self._path, job)
        return self._kept.frames if self._kept else 0

    def ask(self, info: StreamInfo) -> StreamInfo:
        if sentence := self._encoding.reduction(info):
            info.diagnostics.note(sentence)
        return replace(info, wish=self._encoding.format(info))

    def open(self, info: StreamInfo) -> None:
        # Asked again and not taken from `info`: a recording beside a window gets RGB and is converted on its way in.
        self._format = info.format if info.format.model != "rgb" else self._encoding.format(info)
        self._info = info
        self._frames = 0
        self._lengths: dict[int, int] = {}
        self._last = self._until = Fraction(0)
        self._synced = monotonic()
        try:
            self._container = open_output(self._part, self._path.suffix.lower())
            self._stream = self._add_stream(self._container, info, self._format)
            self._copied = StreamCopier(self._container, info, self._strict)
            self._copied.open(self._stream)
            self._container.metadata.update(marks(self._tags, self._container.format.name))
            self._container.start_encoding()
            # What the encoder did not take is left in its options.
            if unknown := set(self._encoding.options) & set(self._stream.codec_context.options):
                raise SinkError(f"encoder {self._encoding.encoder} knows no option {', '.join(sorted(unknown))}")
        except RealtimeError:
            self.abort()
            raise
        except (av.error.FFmpegError, OSError, ValueError) as error:
            self.abort()
            raise SinkError(f"{self._path} cannot be written: {_reason(error)}") from error

    def write(self, frame: Frame) -> None:
        if self._kept is not None:
            kept, self._kept = self._kept, None
            with self._one_line("written"):
                for packet in kept.packets(frame.pts * frame.time_base):
                    self._mux(packet)
        if frame.duration:
            self._lengths[frame.pts] = frame.duration
        self._until = (frame.pts + frame.duration) * frame.time_base
        self._encode(encodable(frame, self._format))

    def cut(self) -> None:
        self._cut = True

    def close(self) -> None:
        if self._container is None:
            return
        self._encode(None)
        if self._cut and not self._frames:
            self.abort()  # A file of nothing is none, and what an earlier run left stays.
            return
        with self._one_line("finished"):
            # Sound behind the last picture is for a recording that was written to its end.
            self._copied.finish(self._until, self._cut)
            self._container.close()
            self._sync()
            os.replace(self._part, self._path)
            discard_parts(self._path)
        self._copied.close()
        self._container = None

    def abort(self) -> None:
        container, self._container = self._container, None
        if container is None:
            return
        if hasattr(self, "_copied"):
            self._copied.close()
        try:
            container.close()
        except (av.error.FFmpegError, OSError):
            pass  # The failure that led here is the one to hear about.
        if not self._frames:
            self._part.unlink(missing_ok=True)

    def _add_stream(
        self, container: av.container.OutputContainer, info: StreamInfo, format: PixelFormat
    ) -> av.video.stream.VideoStream:
        rate = info.rate if info.rate and 1 <= info.rate <= 1000 else Fraction(25)
        try:
            stream = container.add_stream(self._encoding.encoder, rate=rate, options=self._encoding.settings(info))
        except ValueError as error:
            remedy = "another --codec may fit, or .mkv, which takes all"
            raise SinkError(f"{self._path} cannot be written: {error}; {remedy}") from error
        codec = stream.codec_context
        if container.format.name == "avi":
            codec.max_b_frames = 0  # It has no times for pictures that come out of order.
            self._complain(info, "avi counts all times from zero, in its own steps; .mkv keeps them as they are")
        across, down = format.chroma
        codec.width, codec.height = padded(info.width, across), padded(info.height, down)
        if (codec.width, codec.height) != (info.width, info.height):
            info.diagnostics.note(
                f"{info.width}x{info.height} became {codec.width}x{codec.height}, the last row or column repeated: "
                f"{name_of(format)} has no odd sizes; --pixel-format yuv444p keeps them"
            )
        codec.pix_fmt = name_of(format)
        codec.time_base = info.time_base
        codec.colorspace, codec.color_range = tags_of(format)
        codec.color_primaries, codec.color_trc = info.color_tags
        if info.sample_aspect_ratio:
            codec.sample_aspect_ratio = info.sample_aspect_ratio
        if self._encoding.codec == "hevc" and self._path.suffix.lower() in MP4:
            codec.codec_tag = "hvc1"  # the name by which Apple's players know it
        if info.display_matrix is not None:
            self._turn(stream, info)
        return stream

    def _turn(self, stream: av.video.stream.VideoStream, info: StreamInfo) -> None:
        if stream.container.format.name in TAGLESS:
            sentence = (
                f"{stream.container.format.name} has no place for the picture's rotation; players will not turn it"
            )
        elif hasattr(stream, "set_display_matrix"):
            stream.set_display_matrix(info.display_matrix)
            return
        else:  # before PyAV 17.1
            sentence = "the picture's rotation cannot be written by this PyAV; 17.1 and later can"
        self._complain(info, sentence)

    def _complain(self, info: StreamInfo, sentence: str) -> None:
        if self._strict:
            raise SinkError(f"{info.name}: {sentence} (--strict)")
        info.diagnostics.note(sentence)

    def _encode(self, picture: av.VideoFrame | None) -> None:
        with self._one_line("written"):
            made = self._stream.encode(picture)
            for packet in made:
                if packet.pts in self._lengths:
                    packet.duration = self._lengths.pop(packet.pts)
            if picture is None and made and self._path.suffix.lower() in MP4:
                # Whenever a fragment begins, libav's muxer takes the packet it begins with for the last picture, and
                # its edit list hides one that is shown later and was written before.
                made[-1].duration = max(packet.pts + packet.duration for packet in made) - made[-1].pts
            for packet in made:
                self._mux(packet)

    def _mux(self, packet: av.Packet) -> None:
        assert self._container is not None
        # Where two encoders' packets meet, decoding times may touch.
        if self._frames:
            packet.dts = max(packet.dts, floor(self._last / packet.time_base) + 1)
        self._last = packet.dts * packet.time_base
        self._copied.write_until(self._last)
        packet.stream = self._stream
        self._copied.mux(packet)
        self._frames += 1
        if monotonic() - self._synced > SYNC:
            self._sync()

    def _sync(self) -> None:
        """Forces what was written to the disk; fails where the file is not there any more."""
        self._synced = monotonic()
        with self._part.open("rb+") as file:
            os.fsync(file.fileno())

    @contextmanager
    def _one_line(self, what: str) -> Iterator[None]:
        """Turns a library's error into ours, which says what is kept, after letting go of everything."""
        try:
            yield
        except (av.error.FFmpegError, OSError) as error:
            self.abort()
            remedy = "--resume goes on behind it" if continues(self._path) else "AVI cannot be continued"
            kept = f"; what was written is kept in {self._part}, {remedy}"
            there = self._frames and self._part.exists()
            raise SinkError(f"{self._path} cannot be {what}: {_reason(error)}{kept if there else ''}") from error


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).rstrip(".")
