"""Whether a file that was written is whole: before it gets its final name, and when it is found again."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from realtime.errors import SinkError
from realtime.media.containers import container_named
from realtime.media.demux import main_video, packets
from realtime.media.job_tag import read_job, stores_job
from realtime.media.libav import av, open_file
from realtime.media.packet_scan import SourceTimes, matching_frames

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
        raise SinkError(f"{path}: what was written cannot be read back: {getattr(error, 'strerror', error)}") from error
    if not decoded:
        raise SinkError(f"{path}: none of the frames that were written can be decoded")
    if len(set(times)) != frames:
        raise SinkError(f"{path}: {len(set(times))} of the {frames} frames that were written can be read back")


def is_complete(output: Path, job_id: str, source_times: SourceTimes) -> bool:
    """Whether `output` was made by that job and holds all frames of its source, each at its time.

    `job_id` may be the first half of one. AVI stores neither the job nor times: the number of frames decides. What
    cannot be read is not complete. Reads all of `output`.
    """
    if stores_job(output) and job_id not in (read_job(output) or ""):
        return False
    times, tick = _frame_times(output)
    if not times:
        return False
    return any(
        len(times) == len(wanted) == (matching_frames(times, wanted, tick) if tick is not None else len(times))
        for wanted in map(source_times, (False, True))
    )


def _frame_times(path: Path) -> tuple[list[Fraction], Fraction | None]:
    """When the frames of a file are shown, in seconds, and its time base; without times (AVI) zeros and None.

    Empty when something is damaged: a picture that consists of zeros, or a place that cannot be read.
    """
    times: list[Fraction] = []
    damage: list[None] = []
    tick = None
    try:
        with open_file(path) as container:
            stream, has_times = main_video(container), container_named(container.format.name).frame_times
            for packet in packets(container, lambda: damage.append(None)):
                if stream is None or (has_times and packet.size and packet.pts is None):
                    return [], tick
                if packet.stream.index == stream.index and packet.size and not packet.is_discard:
                    if packet.is_corrupt or not any(bytes(packet)[:HEAD_BYTES]):
                        return [], tick
                    tick = packet.time_base if has_times else None
                    times.append(packet.pts * packet.time_base if has_times else Fraction(0))
    except (av.error.FFmpegError, OSError):
        return [], tick
    return ([] if damage else sorted(times)), tick
