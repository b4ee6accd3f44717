"""Whether an output that is there is the whole result of a job."""

from __future__ import annotations

from pathlib import Path

from realtime.config import InputOverrides
from realtime.errors import SourceError
from realtime.media.containers import VIDEO_OUTPUT_SUFFIXES, container_for
from realtime.media.demux import main_video, packets
from realtime.media.libav import av
from realtime.media.opening import open_path
from realtime.media.partial import read_job
from realtime.media.time_range import covers

#: A picture whose first bytes are all zero was never written, or was lost with a block of the disk.
HEAD_BYTES = 64


def is_complete(output: Path, job_id: str, source: Path, overrides: InputOverrides) -> bool:
    """Whether `output` was made by that job, lasts as long as its part of `source`, and has no holes.

    Containers that store no job (AVI) are judged by length and holes alone, images by being there. What cannot be read
    is not complete.
    """
    if output.suffix.lower() not in VIDEO_OUTPUT_SUFFIXES:
        return output.is_file() and output.stat().st_size > 0
    names = container_for(output).tag_names
    stores_job = names is None or "realtime_job" in names
    if stores_job and (found := read_job(output)) != job_id and job_id not in (found or ""):
        return False
    return covers(output, source, overrides.start, overrides.duration) and not _has_holes(output)


def _has_holes(path: Path) -> bool:
    """Whether a picture of the file consists of zeros, or cannot be read."""
    damaged: list[None] = []
    try:
        with open_path(path) as container:
            stream = main_video(container)
            for packet in packets(container, lambda: damaged.append(None)):
                zeros = packet.size and not any(bytes(packet)[:HEAD_BYTES])
                if packet.stream.index == stream.index and (zeros or packet.is_corrupt):
                    return True
    except (SourceError, av.error.FFmpegError, OSError):
        return True
    return bool(damaged)
