"""Video files, decoded by PyAV."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from time import perf_counter

from realtime.capture.pixels import pixel_format, planes
from realtime.capture.source import Source
from realtime.errors import SettingError, SourceError
from realtime.frame import Frame, StreamInfo
from realtime.media import av

#: Decoding costs a small part of what the network does; more threads would only take cores away from it.
DECODER_THREADS = max(1, min(4, (os.cpu_count() or 2) // 2))


class VideoFile(Source):
    """The first video stream of a file, from `start` for `duration` seconds.

    Timestamps are the file's own; with `start` given, they count from there. Raises SourceError when the file is
    missing, unreadable or no video, and SettingError when the range is not inside it.
    """

    def __init__(self, path: Path, start: float | None = None, duration: float | None = None) -> None:
        if (start is not None and start < 0) or (duration is not None and duration <= 0):
            raise SettingError(f"start {start} must be 0 or more seconds, duration {duration} more than 0")
        self._path = path
        self._start = start
        self._end = None if duration is None else (start or 0.0) + duration
        with open_container(str(path)) as container:
            info = describe(container, str(path))
        first, length = info.span[0] or 0.0, info.seconds
        if start is not None and length is not None and start >= first + length:
            raise SettingError(f"start {start:g} s is behind the end of {path}, which lasts {length:.2f} s")
        if start is not None or duration is not None:
            info = _shortened(info, start or 0.0, self._end)
        self.info = replace(info, path=path, span=(start, self._end))

    def frames(self) -> Iterator[Frame]:
        with open_container(str(self._path)) as container:
            stream = container.streams.video[0]
            base = stream.time_base
            zero = 0 if self._start is None else round(Fraction(self._start).limit_denominator(1_000_000) / base)
            last = None if self._end is None else Fraction(self._end).limit_denominator(1_000_000) / base
            if zero:
                container.seek(zero, stream=stream)
            for frame in decode(container, self.info.name):
                if self._start is not None and frame.pts < zero:
                    continue
                if last is not None and frame.pts >= last:
                    return
                yield replace(frame, pts=frame.pts - zero)


def open_container(
    address: str, options: dict[str, str] | None = None, name: str | None = None
) -> av.container.InputContainer:
    """Opens for reading; raises SourceError, which calls it `name`, for anything that is not readable video."""
    name = name or address
    try:
        container = av.open(address, options=options or {})
    except (av.error.FFmpegError, OSError, ValueError) as error:
        # A zero-byte file is the commonest wreck a camera leaves; libav's words for it help nobody.
        empty = Path(address).is_file() and Path(address).stat().st_size == 0
        reason = "it is empty" if empty else _reason(error)
        raise SourceError(f"{name} cannot be read as video: {reason}") from error
    if not container.streams.video:
        container.close()
        raise SourceError(f"{name} has no video stream")
    return container


def describe(container: av.container.InputContainer, name: str) -> StreamInfo:
    """What the container says of its first video stream."""
    stream = container.streams.video[0]
    codec = stream.codec_context
    if not codec.width or not codec.height or stream.time_base is None or codec.format is None:
        raise SourceError(f"{name} has a video stream that cannot be decoded ({codec.name})")
    seconds = None
    if stream.duration:
        seconds = float(stream.duration * stream.time_base)
    elif container.duration:
        seconds = container.duration / av.time_base
    rate = stream.average_rate or stream.guessed_rate
    frames = stream.frames or (round(seconds * rate) if seconds and rate else None)
    return StreamInfo(
        width=codec.width,
        height=codec.height,
        format=pixel_format(codec.format.name, codec.colorspace, codec.color_range, codec.width, codec.height),
        time_base=stream.time_base,
        rate=rate,
        frames=frames,
        seconds=seconds,
        name=name,
        span=(float((stream.start_time or 0) * stream.time_base), None),
        tags=(codec.color_primaries, codec.color_trc),
    )


def decode(container: av.container.InputContainer, name: str) -> Iterator[Frame]:
    """Decodes the first video stream; timestamps rise strictly."""
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = DECODER_THREADS
    codec = stream.codec_context
    last: int | None = None
    count = 0
    try:
        for picture in container.decode(stream):
            count += 1
            pts = picture.pts if picture.pts is not None else picture.dts
            if pts is None or (last is not None and pts <= last):
                pts = 0 if last is None else last + 1
            last = pts
            format = pixel_format(
                picture.format.name, picture.colorspace, picture.color_range, picture.width, picture.height
            )
            yield Frame(planes(picture, format), format, pts, stream.time_base, perf_counter(), picture.duration or 0)
    except av.error.FFmpegError as error:
        raise SourceError(f"{name} is damaged after frame {count} ({codec.name}): {_reason(error)}") from error
    if not count:
        raise SourceError(f"{name} holds no frame that can be decoded")


def _shortened(info: StreamInfo, start: float, end: float | None) -> StreamInfo:
    """What is left of `info` between two moments; counts become estimates."""
    stop = (info.span[0] or 0.0) + info.seconds if info.seconds is not None else end
    if end is not None and stop is not None:
        stop = min(stop, end)
    if stop is None:
        return replace(info, frames=None, seconds=None)
    seconds = max(stop - start, 0.0)
    return replace(info, seconds=seconds, frames=round(seconds * info.rate) if info.rate else None)


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).rstrip(".")
