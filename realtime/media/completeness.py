"""Whether a file that was written is whole: before it gets its final name, and when it is found again."""

from __future__ import annotations

from pathlib import Path

from realtime.config import InputOverrides
from realtime.errors import SinkError, SourceError
from realtime.media.containers import VIDEO_OUTPUT_SUFFIXES, container_named
from realtime.media.demux import main_video, packets
from realtime.media.integrity import report_gaps
from realtime.media.libav import av, open_file
from realtime.media.partial import read_job, stores_job
from realtime.media.time_range import covers

#: A picture whose first bytes are all zero was never written, or was lost with a block of the disk.
HEAD_BYTES = 64


def check_written(path: Path, frames: int) -> None:
    """Raises SinkError unless the file holds `frames` pictures, each at a time of its own, and the first one decodes.

    Reads all of the file, and decodes one group of pictures.
    """
    times: list[int] = []
    decoded = False
    try:
        with open_file(path) as container:
            stream, has_times = main_video(container), container_named(container.format.name).frame_times
            for packet in packets(container, lambda: None):
                if stream is not None and packet.stream.index == stream.index:
                    decoded = decoded or bool(stream.codec_context.decode(packet if packet.size else None))
                    if packet.size and not packet.is_discard:
                        times.append(packet.pts if has_times else len(times))
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise SinkError(f"what was written cannot be read back: {getattr(error, 'strerror', error)}") from error
    if not decoded:
        raise SinkError("none of the frames that were written can be decoded")
    if len(set(times)) != frames:
        raise SinkError(f"{len(set(times))} of the {frames} frames that were written can be read back")


def is_complete(output: Path, job_id: str, source: Path, overrides: InputOverrides) -> bool:
    """Whether `output` was made by that job, lasts as long as its part of `source`, and has no holes.

    `job_id` may be the first half of one. Containers that store no job (AVI) are judged by length and holes alone,
    images by being there. What cannot be read is not complete. Reads all of `output`.
    """
    if output.suffix.lower() not in VIDEO_OUTPUT_SUFFIXES:
        return output.is_file() and output.stat().st_size > 0
    if stores_job(output) and job_id not in (read_job(output) or ""):
        return False
    return covers(output, source, overrides.start, overrides.duration) and not _has_holes(output)


def _has_holes(path: Path) -> bool:
    """Whether a picture of the file consists of zeros, or some of it cannot be read."""
    damaged: list[None] = []
    try:
        with open_file(path) as container:
            stream = main_video(container)
            read = packets(container, lambda: damaged.append(None))
            for packet in report_gaps(read, container.format.name, path, lambda: damaged.append(None)):
                if damaged or packet.is_corrupt:
                    return True
                if packet.stream.index == stream.index and packet.size and not any(bytes(packet)[:HEAD_BYTES]):
                    return True
    except (SourceError, av.error.FFmpegError, OSError):
        return True
    return bool(damaged)
