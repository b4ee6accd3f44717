"""Which encoders work here, found out by using them."""

from __future__ import annotations

import io
from fractions import Fraction

from realtime.media.libav import av

#: libx265 writes to stderr by itself, whatever libav's log level.
QUIET_OPTIONS = {"libx265": {"x265-params": "log-level=none"}}


def try_encoder(name: str) -> str | None:
    """Opens the encoder and encodes one frame; returns what went wrong, or None.

    Hardware encoders can be listed by a build and still fail to open: only a frame tells.
    """
    try:
        with av.open(io.BytesIO(), "w", format="matroska") as container:
            stream = container.add_stream(name, rate=Fraction(25), options=QUIET_OPTIONS.get(name, {}))
            # 320x240: some hardware refuses anything much smaller.
            stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
            frame = av.VideoFrame(320, 240, "yuv420p")
            frame.pts = 0
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    except av.codec.codec.UnknownCodecError:
        return "is not part of this build of PyAV"
    except (av.error.FFmpegError, ValueError, OSError) as error:
        return f"does not work here ({getattr(error, 'strerror', None) or type(error).__name__})"
    return None
