"""Opening what holds video, and saying in one line why it cannot be opened."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from realtime.errors import SourceError, redacted
from realtime.media.demux import main_video
from realtime.media.libav import av, open_file, open_stream

#: libav's words for the commonest wrecks, and ours.
WORDS = {
    "moov atom not found": "its index is missing, the recording was cut off before the camera finished it",
    "Invalid data found when processing input": "it is damaged, or no video (playlists and scripts are not followed)",
    "Invalid argument": "it is no video (playlists and scripts are not followed)",
    "End of file": "it ends before its first picture",
    "Protocol not found": "that kind of address is not read",
}


def open_path(path: Path) -> av.container.InputContainer:
    """Opens a video file; raises SourceError for anything that is not readable video."""
    try:
        if path.stat().st_size == 0:
            # The commonest wreck a camera leaves; libav's words for it help nobody.
            raise SourceError(f"{path} cannot be read as video: it is empty")
        container = open_file(path)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        unfinished = isinstance(error, (av.error.InvalidDataError, av.error.EOFError)) and _unfinished(path)
        why = WORDS["moov atom not found"] if unfinished else reason(error)
        raise SourceError(f"{path} cannot be read as video: {why}") from error
    return _with_video(container, str(path))


def open_address(
    address: str, options: dict[str, str], name: str, timeout: tuple[float, float | None]
) -> av.container.InputContainer:
    """Opens a network stream that messages call `name`; raises SourceError."""
    try:
        container = open_stream(address, options, timeout)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        error.args = _redacted(error.args)  # a traceback tells them too
        raise SourceError(f"{name} cannot be read as video: {reason(error)}") from error
    return _with_video(container, name)


def reason(error: Exception) -> str:
    """What a library's error says, without a file name, an address or a number in it."""
    said = (getattr(error, "strerror", None) or str(error) or type(error).__name__).rstrip(".")
    return WORDS.get(said, said)


def beginning(container: av.container.InputContainer) -> Fraction:
    """When the recording starts, in seconds: transport streams and cut files count from anywhere. Not before 0."""
    return max(Fraction(container.start_time or 0, av.time_base), Fraction(0))


def _redacted(told: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(redacted(t) if isinstance(t, str) else _redacted(t) if isinstance(t, tuple) else t for t in told)


def _with_video(container: av.container.InputContainer, name: str) -> av.container.InputContainer:
    if main_video(container) is None:
        container.close()
        raise SourceError(f"{name} has no video stream")
    return container


def _unfinished(path: Path) -> bool:
    """Whether a file is MP4 or MOV by its first box and has no index."""
    with path.open("rb") as file:
        place, end = 0, file.seek(0, 2)
        for _ in range(100):
            file.seek(place)
            head = file.read(16)
            size, kind = int.from_bytes(head[:4], "big"), head[4:8]
            if place == 0 and kind not in (b"ftyp", b"wide", b"mdat", b"skip", b"free"):
                return False
            if kind == b"moov":
                return False
            size = int.from_bytes(head[8:16], "big") if size == 1 else size or end
            if size < 8 or place + size >= end:
                return True
            place += size
    return False
