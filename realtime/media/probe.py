"""What a container declares about its video, before the first frame."""

from __future__ import annotations

import re
import struct
from fractions import Fraction
from typing import Any

from realtime.color import HDR_TRANSFERS
from realtime.config import InputOverrides
from realtime.diagnostics import Diagnostics
from realtime.errors import SourceError
from realtime.frame import RGB, StreamInfo
from realtime.media.containers import container_named
from realtime.media.demux import main_video, packets, start_time
from realtime.media.libav import av
from realtime.media.pixel_formats import PLANAR, REORDERED, pixel_format

#: libav's field orders: which field comes first.
FIELD_ORDERS = {2: "top", 3: "bottom", 4: "top", 5: "bottom"}
#: Packets in which to look for a first picture that decodes, before the stream counts as one without rotation.
PROBE_PACKETS = 50


def probe(container: av.container.InputContainer, name: str, overrides: InputOverrides | None = None) -> StreamInfo:
    """The info of the stream that `main_video` finds; ``info.time_span`` begins where the stream does.

    Raises SourceError when it cannot be decoded, or is HDR and `overrides` do not accept that.
    """
    stream = main_video(container)
    codec = None if stream is None else stream.codec_context
    if codec is None or not codec.width or not codec.height or stream.time_base is None or codec.format is None:
        raise SourceError(f"{name} has a video stream that cannot be decoded")
    overrides = overrides or InputOverrides()
    diagnostics = Diagnostics()
    if kind := HDR_TRANSFERS.get(codec.color_trc):
        if not overrides.hdr:
            raise SourceError(
                f"{name} is HDR ({kind}), and the network knows standard range only; convert it to BT.709 first",
                remedies={"hdr=True": "{} takes it as it is"},
            )
        diagnostics.warn(f"HDR ({kind}) is enhanced as it is, without tone mapping; brightness will be off")
    format = pixel_format(codec.format.name, codec.colorspace, codec.color_range, codec.width, codec.height, overrides)
    if format == RGB and codec.format.components[0].bits > 8:
        diagnostics.warn(f"frames in {codec.format.name} are reduced to 8 bits")
    elif format == RGB and REORDERED.get(codec.format.name, codec.format.name) in PLANAR:
        diagnostics.warn(f"matrix {codec.colorspace} is not supported; frames go through 8-bit RGB")
    if field_order := FIELD_ORDERS.get(int(getattr(codec, "field_order", 0))):
        diagnostics.warn(interlaced(field_order))
    seconds = declared_seconds(container, stream)
    return StreamInfo(
        width=codec.width,
        height=codec.height,
        format=format,
        time_base=stream.time_base,
        rate=stream.average_rate or stream.guessed_rate,
        frames=expected_frames(container, stream, seconds),
        seconds=seconds,
        name=name,
        time_span=(float(start_time(container, stream)), None),
        color_tags=(codec.color_primaries, codec.color_trc),
        diagnostics=diagnostics,
        stream_index=stream.index,
        sample_aspect_ratio=stream.sample_aspect_ratio or None,
    )


def interlaced(field_order: str) -> str:
    """The warning for interlaced material."""
    return (
        f"the video is interlaced, {field_order} field first: each frame is enhanced as one picture and written as "
        "progressive; deinterlace first for a better result"
    )


def declared_seconds(container: av.container.InputContainer, stream: Any) -> float | None:
    """How long the video lasts by its own header, by a tag of Matroska ("00:01:02.5"), or else by the container's."""
    if stream.duration:
        return float(stream.duration * stream.time_base)
    seconds = container.duration / av.time_base if container.duration else None
    tag = re.fullmatch(r"(\d+):(\d\d):(\d\d\.?\d*)", stream.metadata.get("DURATION", ""))
    if tag is None or seconds is None:
        return seconds
    return min(seconds, int(tag[1]) * 3600 + int(tag[2]) * 60 + float(tag[3]) or seconds)


def expected_frames(container: av.container.InputContainer, stream: Any, seconds: float | None) -> int | None:
    """How many frames will be shown: those in the index that no edit list hides, or else an estimate."""
    if container_named(container.format.name).full_index and stream.frames:
        indexed = sum(1 for entry in stream.index_entries if entry.size and not entry.is_discard)
        if indexed:
            return indexed
    rate = stream.average_rate or stream.guessed_rate
    return stream.frames or (round(seconds * rate) if seconds and rate else None)


def declared_duration(container: av.container.InputContainer) -> Fraction | None:
    """How long the file declares itself to be, in seconds."""
    length = Fraction(container.duration, av.time_base) if container.duration else None
    if length is not None and not container_named(container.format.name).frame_times:
        # libav makes the length of an AVI fit what is there; the header's number of frames is unchanged.
        for stream in container.streams.video:
            length = max(length, stream.frames * (stream.time_base or 0))
    return length


def display_matrix(container: av.container.InputContainer) -> tuple[int, ...] | None:
    """The display matrix, which comes with the first picture; None where there is none, or nothing decodes."""
    stream = main_video(container)
    try:
        video = (packet for packet in packets(container, lambda: None) if packet.stream.index == stream.index)
        for tried, packet in enumerate(video):
            for picture in packet.decode():
                matrix = picture.side_data.get("DISPLAYMATRIX")
                return None if matrix is None else struct.unpack("9i", bytes(matrix))
            if tried > PROBE_PACKETS:
                break
    except (av.error.FFmpegError, ValueError):
        pass  # Reading the frames will count the damage.
    return None
