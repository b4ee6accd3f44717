"""Where the frames of a file lie in time, and where it can be cut: read off its packets, without decoding."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from realtime.frame import StreamInfo
from realtime.media.containers import container_named
from realtime.media.file_check import FileCheck
from realtime.media.opening import open_path


@dataclass(frozen=True)
class FrameIndex:
    """The frames of a video in the order they are shown: `times` and `durations` in `time_base`, and the times of
    those that are key frames."""

    time_base: Fraction
    times: tuple[int, ...]
    durations: tuple[int, ...]
    keyframes: tuple[int, ...]

    def cut_points(self, seconds: float) -> tuple[int, ...]:
        """The times of key frames at which to cut into segments of `seconds` or a little more; the last one is at least
        half as long. Empty for a file that is too short."""
        length, cuts = seconds / self.time_base, [self.times[0]]
        for time in self.keyframes:
            if time - cuts[-1] >= length and self.times[-1] - time >= length / 2:
                cuts.append(time)
        return tuple(cuts[1:])

    def position(self, time: int) -> int:
        """How many frames are shown before `time`."""
        return bisect_left(self.times, time)


def read_frame_index(path: Path, info: StreamInfo) -> FrameIndex | None:
    """The index of a file's main video, whose `info` is fresh; None where packets do not tell all about the frames:
    without a time for each, with a time twice, or with damage. Reads all of the file. Raises SourceError."""
    found: list[tuple[int, int]] = []
    keyframes: list[int] = []
    with open_path(path) as container:
        traits, last = container_named(container.format.name), 0
        if not traits.frame_times:
            return None
        check = FileCheck(container, info)
        for packet in check.packets():
            if packet.stream.index != info.stream_index or not packet.size or packet.is_discard:
                continue
            if packet.pts is None or packet.is_corrupt:
                return None
            last = packet.duration or 0
            found.append((packet.pts, last))
            if packet.is_keyframe:
                keyframes.append(packet.pts)
        check.finish(decoded=False)
    found.sort()
    times = tuple(time for time, _ in found)
    if info.diagnostics.damaged or not times or len(set(times)) < len(times) or times[0] < 0:
        return None
    durations = [duration for _, duration in found]
    if traits.duration_of_last:
        durations[-1] = last
    return FrameIndex(info.time_base, times, tuple(durations), tuple(sorted(keyframes)))
