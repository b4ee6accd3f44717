"""What a container says about its video before the first frame."""

from __future__ import annotations

from fractions import Fraction

from realtime.errors import SourceError
from realtime.frame import RGB, Diagnostics, StreamInfo
from realtime.media.libav import av, main_video
from realtime.media.pixel_formats import PLANAR, REORDERED, InputOverrides, pixel_format

#: Transfer characteristics that are no standard dynamic range, ISO/IEC 23091-2.
HDR = {16: "PQ", 18: "HLG"}
#: libav's field orders: which field comes first.
INTERLACED = {2: "top", 3: "bottom", 4: "top", 5: "bottom"}


def describe(container: av.container.InputContainer, name: str, reading: InputOverrides | None = None) -> StreamInfo:
    """The stream that `main_video` finds. Raises SourceError when it cannot be decoded, or is HDR and not wished so."""
    stream = main_video(container)
    codec = None if stream is None else stream.codec_context
    if codec is None or not codec.width or not codec.height or stream.time_base is None or codec.format is None:
        raise SourceError(f"{name} has a video stream that cannot be decoded")
    reading = reading or InputOverrides()
    diagnostics = Diagnostics()
    if codec.color_trc in HDR:
        kind = HDR[codec.color_trc]
        if not reading.hdr:
            raise SourceError(
                f"{name} is HDR ({kind}), and the network knows standard range only; convert it to BT.709 first, or "
                "take it as it is with --hdr as-is"
            )
        diagnostics.note(f"HDR ({kind}) was enhanced as it is, without tone mapping; brightness is not what it was")
    seconds = None
    if stream.duration:
        seconds = float(stream.duration * stream.time_base)
    elif container.duration:
        seconds = container.duration / av.time_base
    rate = stream.average_rate or stream.guessed_rate
    format = pixel_format(codec.format.name, codec.colorspace, codec.color_range, codec.width, codec.height, reading)
    if format == RGB and codec.format.components[0].bits > 8:
        diagnostics.note(f"pictures in {codec.format.name} are reduced to 8 bits")
    elif format == RGB and REORDERED.get(codec.format.name, codec.format.name) in PLANAR:
        diagnostics.note(f"matrix {codec.colorspace} has no path of its own; pictures go through 8-bit RGB")
    order = INTERLACED.get(int(getattr(codec, "field_order", 0)))
    if order:
        diagnostics.note(interlaced(order))
    aspect = stream.sample_aspect_ratio
    return StreamInfo(
        width=codec.width,
        height=codec.height,
        format=format,
        time_base=stream.time_base,
        rate=rate,
        frames=stream.frames or (round(seconds * rate) if seconds and rate else None),
        seconds=seconds,
        name=name,
        time_span=(float((stream.start_time or 0) * stream.time_base), None),
        tags=(codec.color_primaries, codec.color_trc),
        diagnostics=diagnostics,
        track=stream.index,
        aspect=aspect or None,
    )


def interlaced(order: str) -> str:
    return (
        f"the material is interlaced, {order} field first: each frame is enhanced as one picture and written as "
        "progressive; deinterlace first for a better one"
    )


def announced(container: av.container.InputContainer) -> Fraction | None:
    """How long the file says it is, in seconds."""
    length = Fraction(container.duration, av.time_base) if container.duration else None
    if length is not None and "avi" in container.format.name.split(","):
        # libav makes the length fit what is there; the number of pictures is still the header's.
        for stream in container.streams.video:
            length = max(length, stream.frames * (stream.time_base or 0))
    return length
