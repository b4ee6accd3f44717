"""One video file being written: the encoder, the muxer, and the source's other streams between the frames."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import BinaryIO

from realtime.config import EncodingOptions
from realtime.errors import SinkError
from realtime.frame import Frame, PixelFormat, StreamInfo
from realtime.media.containers import container_for
from realtime.media.encode import DEFAULT_RATE, encoder_name, encoder_settings
from realtime.media.job_tag import container_tags
from realtime.media.libav import av, open_output
from realtime.media.live_sound import LiveSound
from realtime.media.pixel_formats import color_tags, padded, pix_fmt_name, to_video_frame
from realtime.media.stream_copy import StreamCopier
from realtime.media.timestamps import writable_duration

#: Frame rates that encoders take; others are written with their times, under the default rate.
PLAUSIBLE_RATES = (1, 1000)
#: Frames in a row that AVI's muxer leaves empty, at most.
MAX_EMPTY_FRAMES = 60_000


class VideoWriter:
    """Encodes frames of `format` into `file`, in the container that the suffix of `target` means.

    Sides that chroma cannot share get one more row or column, a copy of the last. `frames` counts the frames that were
    muxed. Errors are those of PyAV, OSError, or SinkError for what the container or encoder cannot do.
    """

    def __init__(
        self,
        file: BinaryIO,
        target: Path,
        info: StreamInfo,
        format: PixelFormat,
        options: EncodingOptions,
        tags: dict[str, str],
    ) -> None:
        self._info, self._format, self._options = info, format, options
        self._traits = container_for(target)
        self.frames = 0
        self._durations: dict[int, int] = {}
        self._last_dts = self._end = Fraction(0)
        self._container = open_output(file, self._traits)
        self._copier: StreamCopier | None = None
        try:
            self._stream = self._add_stream(target)
            self._copier = StreamCopier(self._container, info, options.strict)
            self._copier.open(self._stream)
            if self._copier.has_mov_text:
                # With B-frames decoding times begin below zero. Where they do so by more than a fragment, libav's muxer
                # loses the time of the text track, and ends the process.
                self._stream.codec_context.max_b_frames = 0
            self._sound = LiveSound(self._container, info)
            self._container.metadata.update(container_tags(tags, self._traits))
            self._container.start_encoding()
            # What the encoder did not take is left in its options.
            if unknown := set(options.encoder_options) & set(self._stream.codec_context.options):
                raise SinkError(f"encoder {encoder_name(options)} knows no option {', '.join(sorted(unknown))}")
        except BaseException:
            self.close()
            raise

    def encode(self, frame: Frame) -> None:
        """Encodes a frame and writes the packets that are ready."""
        duration = writable_duration(frame.duration, frame.time_base, self._stream.time_base)
        if duration:
            self._durations[frame.pts] = duration
        self._end = (frame.pts + duration) * frame.time_base
        self.mux(self._with_durations(self._stream.encode(to_video_frame(frame, self._format))))

    def flush(self) -> None:
        """Writes the frames that the encoder still holds; none may follow."""
        packets = self._with_durations(self._stream.encode(None))
        if packets and self._traits.duration_of_last:
            # libav's muxer takes the packet that begins the last fragment for the last frame shown: its edit list would
            # hide a frame that was written before and is shown later.
            packets[-1].duration = max(packet.pts + packet.duration for packet in packets) - packets[-1].pts
        self.mux(packets)

    def mux(self, packets: Iterable[av.Packet]) -> None:
        """Writes encoded frames, such as those that an interrupted run or other machines left."""
        for packet in packets:
            assert self._copier is not None
            if not self.frames:
                self._copier.start()
            else:  # where two encoders' packets meet, decoding times may touch
                packet.dts = max(packet.dts, floor(self._last_dts / packet.time_base) + 1)
                self._check_pause(packet.dts * packet.time_base - self._last_dts)
            self._last_dts = packet.dts * packet.time_base
            self._end = max(self._end, (packet.pts + (packet.duration or 0)) * packet.time_base)
            self._copier.write_until(self._last_dts)
            self._sound.write_until(self._last_dts)
            packet.stream = self._stream
            self._copier.mux(packet)
            self.frames += 1

    def finish(self, stopped_early: bool) -> None:
        """Writes the rest of the other streams, up to the last frame if the recording was `stopped_early`, and the
        container's end."""
        assert self._copier is not None
        self._copier.finish(self._end, stopped_early)
        self._sound.write_until(self._end)
        self._container.close()
        self._copier.close()

    def close(self) -> None:
        """Writes the container's end, if that can be done, and closes the source."""
        if self._copier is not None:
            self._copier.close()
        try:
            self._container.close()
        except (av.error.FFmpegError, OSError, ValueError):
            pass  # the failure that led here is the one to report

    def _check_pause(self, seconds: Fraction) -> None:
        """Raises SinkError where a container without times would need more empty frames than its muxer adds."""
        if not self._traits.frame_times and seconds > MAX_EMPTY_FRAMES * self._stream.time_base:
            raise SinkError(f"{self._traits.muxer} cannot hold a pause of {float(seconds):.0f} s; .mkv can")

    def _with_durations(self, packets: list[av.Packet]) -> list[av.Packet]:
        """The packets with the durations that their frames had, which encoders do not keep."""
        for packet in packets:
            if packet.pts in self._durations:
                packet.duration = self._durations.pop(packet.pts)
        return packets

    def _add_stream(self, target: Path) -> av.video.stream.VideoStream:
        info, options, format = self._info, self._options, self._format
        low, high = PLAUSIBLE_RATES
        rate = info.rate if info.rate and low <= info.rate <= high else Fraction(DEFAULT_RATE)
        try:
            stream = self._container.add_stream(
                encoder_name(options), rate=rate, options=encoder_settings(options, info)
            )
        except ValueError as error:
            raise SinkError(
                f"{target} cannot be written: {error}; .mkv takes all codecs", remedies={"codec": "another {} may fit"}
            ) from error
        codec = stream.codec_context
        if not self._traits.b_frames:
            codec.max_b_frames = 0
        if not self._traits.frame_times:
            self._warn_or_raise(
                f"{self._traits.muxer} counts all times from zero, in its own steps; .mkv keeps them as they are"
            )
        codec.width, codec.height = padded(info.width, format.chroma[0]), padded(info.height, format.chroma[1])
        if (codec.width, codec.height) != (info.width, info.height):
            info.diagnostics.warn(
                f"{info.width}x{info.height} becomes {codec.width}x{codec.height}, the last row or column repeated: "
                f"{pix_fmt_name(format)} has no odd sizes; pixel format yuv444p keeps them"
            )
        codec.pix_fmt, codec.time_base = pix_fmt_name(format), info.time_base
        codec.colorspace, codec.color_range = color_tags(format)
        codec.color_primaries, codec.color_trc = info.color_tags
        if info.sample_aspect_ratio:
            codec.sample_aspect_ratio = info.sample_aspect_ratio
        if options.codec in self._traits.codec_tags:
            codec.codec_tag = self._traits.codec_tags[options.codec]
        if info.display_matrix is not None:
            self._set_rotation(stream)
        return stream

    def _set_rotation(self, stream: av.video.stream.VideoStream) -> None:
        if self._traits.rotation:
            stream.set_display_matrix(self._info.display_matrix)
        else:
            self._warn_or_raise(
                f"{self._traits.muxer} has no place for the picture's rotation; players will not turn it"
            )

    def _warn_or_raise(self, text: str) -> None:
        if self._options.strict:
            raise SinkError(f"{self._info.name}: {text}", remedies={"strict=True": "without {} that is a warning"})
        self._info.diagnostics.warn(text)
