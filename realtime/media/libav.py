"""The one place that imports PyAV. The rest of the package says ``from realtime.media.libav import av``.

The order of two imports matters: on Linux the PyAV wheel brings a libxcb of its own, and when that is loaded before
OpenCV's, ``cv2.imshow`` hangs for ever. So OpenCV comes first here. Importing this module changes no settings.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

# isort: off
import cv2
import av
# isort: on

from realtime.media.containers import COMMON_OPTIONS, Container

__all__ = ["PROTOCOLS", "av", "cv2", "open_file", "open_output", "open_stream", "silence_logging"]

#: Demuxers for files: formats that hold their own pictures. Playlists, concat scripts and SDP are missing on purpose: a
#: file of that kind, under the name of a video, would make libav read other files or talk to the network.
FILE_DEMUXERS = (
    "mov,matroska,avi,mpegts,mpeg,flv,asf,ogg,mxf,nut,ivf,obu,h264,hevc,av1,m4v,mjpeg,mpegvideo,dv,gif,apng,wtv,rm,"
    "yuv4mpegpipe,webp,dhav"
)
#: Protocols of network cameras; never ``file``.
PROTOCOLS = "rtsp,rtsps,rtp,srtp,srt,rtmp,rtmps,rtmpt,http,https,httpproxy,tcp,udp,tls,mmsh,mmst"
STREAM_DEMUXERS = FILE_DEMUXERS + ",rtsp,rtp,mpjpeg,hls,live_flv,image2pipe,jpeg_pipe"
#: Seconds that one read of a file may take, so that a damaged file does not hold a batch up.
FILE_READ_TIMEOUT = 10.0
#: Replace what cannot be decoded in tags in an old code page. From PyAV 19 on it always does.
TAG_OPTIONS: dict[str, Any] = {} if int(av.__version__.split(".")[0]) >= 19 else {"metadata_errors": "replace"}


def silence_logging() -> None:
    """Turns off what libav prints to stderr, for the whole process. Its errors still arrive as exceptions."""
    av.logging.set_level(av.logging.PANIC)


def open_file(path: Path) -> av.container.InputContainer:
    """Opens a file for reading, and nothing that it may point to. Raises what PyAV raises."""
    # Without "file:", a name such as "concat:a|b" would be taken for a protocol.
    options = {"format_whitelist": FILE_DEMUXERS, "protocol_whitelist": "file"}
    return av.open(f"file:{path}", container_options=options, timeout=FILE_READ_TIMEOUT, **TAG_OPTIONS)


def open_stream(address: str, options: dict[str, str], timeout: float) -> av.container.InputContainer:
    """Opens a network address for reading, and no file that the server may name. Raises what PyAV raises.

    `options` are libav's, `timeout` the seconds that each call may take.
    """
    allowed = {"format_whitelist": STREAM_DEMUXERS, "protocol_whitelist": PROTOCOLS}
    return av.open(address, options=options | allowed, timeout=timeout, **TAG_OPTIONS)


def open_output(file: BinaryIO, container: Container) -> av.container.OutputContainer:
    """A writer into an open, seekable file, which is readable up to its last half second whenever the process dies.

    Closing it writes the end of the container and leaves `file` open.
    """
    options = COMMON_OPTIONS | dict(container.options)
    return av.open(file, "w", format=container.muxer, container_options=options)
