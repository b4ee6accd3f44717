"""Opening what holds video, and saying in one line why it cannot be opened."""

from __future__ import annotations

from pathlib import Path

from realtime.errors import SourceError, redacted
from realtime.media.demux import main_video
from realtime.media.interrupt import Interrupt
from realtime.media.isobmff import lacks_moov
from realtime.media.libav import av, open_file, open_stream

LACKS_INDEX = "its index is missing, the recording was cut off before the camera finished it"
#: libav's messages for the commonest failures, and what they mean.
EXPLANATIONS = {
    "moov atom not found": LACKS_INDEX,
    "Invalid data found when processing input": "it is damaged, or no video (playlists and scripts are not followed)",
    "Invalid argument": "it is no video (playlists and scripts are not followed)",
    "End of file": "it ends before its first picture",
    "Protocol not found": "that kind of address is not read",
}
#: libav's options for addresses that begin so. RTSP over TCP: over UDP a lost packet is a torn picture, and TCP passes
#: most cameras' firewalls. Time limits are not among them: RTMP, for one, takes `timeout` for the wish to be a server.
#: A UDP stream may be joined long before its next key frame, which alone says how large its pictures are.
STREAM_OPTIONS = {
    "rtsp": {"rtsp_transport": "tcp"},
    "udp": {"analyzeduration": "20000000", "probesize": "20000000"},
}


def open_path(path: Path) -> av.container.InputContainer:
    """Opens a video file; raises SourceError for anything that is not readable video."""
    try:
        if path.stat().st_size == 0:
            # Cameras often leave such files behind, and libav calls them "Invalid data".
            raise SourceError(f"{path} cannot be read as video: it is empty")
        container = open_file(path)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        unfinished = isinstance(error, (av.error.InvalidDataError, av.error.EOFError)) and lacks_moov(path)
        raise SourceError(f"{path} cannot be read as video: {LACKS_INDEX if unfinished else reason(error)}") from error
    return _with_video(container, str(path))


def open_address(address: str, name: str, interrupt: Interrupt, timeout: float) -> av.container.InputContainer:
    """Opens a network stream, which messages call `name`, within `timeout` seconds; raises SourceError."""
    scheme = address.partition(":")[0].lower().rstrip("s")
    try:
        with interrupt.watch(timeout):
            container = open_stream(address, STREAM_OPTIONS.get(scheme, {}), timeout)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        why = f"no answer within {timeout:g} s" if interrupt.is_late else reason(error)
        # libav's own error holds the address, and a traceback would show it.
        raise SourceError(f"{name} cannot be read as video: {why}") from SourceError(redacted(str(error)))
    return _with_video(container, name)


def reason(error: Exception) -> str:
    """What a library's error says, without a file name, an address or a number in it."""
    text = (getattr(error, "strerror", None) or str(error) or type(error).__name__).rstrip(".")
    return EXPLANATIONS.get(text, text)


def _with_video(container: av.container.InputContainer, name: str) -> av.container.InputContainer:
    if main_video(container) is None:
        container.close()
        raise SourceError(f"{name} has no video stream")
    return container
