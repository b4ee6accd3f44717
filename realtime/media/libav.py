"""The one place that imports PyAV, and what reading needs on both sides of the pipeline.

The order of two imports matters: on Linux the PyAV wheel brings a libxcb of its own; loaded before OpenCV's, it makes
``cv2.imshow`` hang for ever. OpenCV first is fine, so it always comes first here. The rest of the package says
``from realtime.media.libav import av``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

# isort: off
import cv2
import av
# isort: on

av.logging.set_level(av.logging.PANIC)  # libav's own lines would tear the progress display; errors arrive as exceptions

__all__ = ["PROTOCOLS", "TimestampFixer", "av", "cv2", "main_video", "open_file", "open_stream", "packets"]

#: Formats that hold their own pictures. Playlists, concat scripts, SDP and their kin are missing on purpose: dressed
#: up as a video they would make us read other files, or talk to the network.
FORMATS = (
    "mov,matroska,avi,mpegts,mpeg,flv,asf,ogg,mxf,nut,ivf,obu,h264,hevc,av1,m4v,mjpeg,mpegvideo,dv,gif,apng,wtv,rm,"
    "yuv4mpegpipe,webp,dhav"
)
#: What a network camera speaks; never ``file``.
PROTOCOLS = "rtsp,rtsps,rtp,srtp,srt,rtmp,rtmps,rtmpt,http,https,httpproxy,tcp,udp,tls,mmsh,mmst"
STREAMED = FORMATS + ",rtsp,rtp,mpjpeg,hls,live_flv,image2pipe,jpeg_pipe"
#: Seconds that one read of a file may take; a wreck must not hold a batch up.
PATIENCE = 10.0
#: Damaged places in a row, without a good packet between them, before the rest is given up.
HOPELESS = 100
#: A step back, or a distance between the two clocks of a packet, that is no reordering but a broken clock; seconds.
JUMP = 1


#: Tags in an old code page are no reason to refuse the pictures. From PyAV 19 on they never are.
TOLERANT: dict[str, Any] = {} if int(av.__version__.split(".")[0]) >= 19 else {"metadata_errors": "replace"}


def open_file(path: Path) -> av.container.InputContainer:
    """Opens a file for reading, and nothing that it may point to. Raises what PyAV raises."""
    # "file:" in front, or a name such as "concat:a|b" would be taken for a protocol.
    options = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
    return av.open(f"file:{path}", container_options=options, timeout=PATIENCE, **TOLERANT)


def open_stream(address: str, options: dict[str, str]) -> av.container.InputContainer:
    """Opens a network address for reading; what it answers cannot make us read files. Raises what PyAV raises."""
    allowed = {"format_whitelist": STREAMED, "protocol_whitelist": PROTOCOLS}
    return av.open(address, options=options | allowed, **TOLERANT)


def main_video(container: av.container.InputContainer) -> Any:
    """The first video stream that moves, or None: a cover picture does not."""
    for stream in container.streams.video:
        if not int(stream.disposition) & int(av.stream.Disposition.attached_pic):
            return stream
    return None


def packets(container: av.container.InputContainer, damaged: Callable[[], None]) -> Iterator[av.Packet]:
    """Every packet of a container; calls `damaged` for each place that cannot be read and goes on behind it.

    Ends with one empty packet a stream, which flush decoders.
    """
    streams = list(container.streams)
    failed = 0
    while failed < HOPELESS:
        try:
            for packet in container.demux(streams):
                failed = 0
                yield packet
            return
        except IndexError:
            return  # PyAV flushes streams in vain that came up on the way; it does so after those that it knows.
        except av.error.FFmpegError:
            failed += 1
            # Most demuxers look for the next good place themselves; one report for a run of them is enough.
            if failed == 1:
                damaged()
    for stream in streams:
        empty = av.Packet()
        empty.stream = stream
        yield empty


class TimestampFixer:
    """Makes timestamps of one stream rise; counts what it repaired.

    `strictly` for pictures: two at one moment cannot both be shown. A missing one follows the one before; one that is
    not later than that moves behind it; a step back of more than `JUMP` seconds shifts all that follow.
    """

    def __init__(self, time_base: Fraction, step: int = 1, strictly: bool = True) -> None:
        self._jump = int(JUMP / time_base) + 1
        self._step, self._least = max(step, 1), 1 if strictly else 0
        self._last: int | None = None
        self._shift = 0
        self.repaired = 0

    def tell(self, pts: int | None, duration: int = 0, other: int | None = None) -> int:
        """The timestamp to use for `pts`; `other` is the packet's second clock, believed where `pts` is far off."""
        if pts is not None and other is not None and abs(pts - other) > 10 * self._jump:
            pts, self.repaired = other, self.repaired + 1
        time = None if pts is None else pts + self._shift
        if self._last is None:
            time = 0 if time is None else time
        elif time is None:
            time, self.repaired = self._last + self._step, self.repaired + 1
        elif time < self._last + self._least:
            behind = self._last + (self._step if self._last - time > self._jump else 1)
            if self._last - time > self._jump:
                self._shift += behind - time
            time, self.repaired = behind, self.repaired + 1
        self._last = time
        self._step = duration or self._step
        return time
