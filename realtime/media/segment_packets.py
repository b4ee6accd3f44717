"""The packets of segments that were encoded apart, as one stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from realtime.errors import SinkError
from realtime.media.demux import main_video, packets
from realtime.media.frame_index import FrameIndex
from realtime.media.libav import av, open_file
from realtime.media.partial import as_encoded


class EncodedSegment:
    """A complete file of frames that stand alone: `frames` in it, and the encoder's header.

    `delay`: by how many frames decoding is ahead of showing. `lead`: how long before the first frame is shown each of
    the first `delay` packets is decoded, in `time_base`, where the container stores that. Raises SinkError.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._shown: list[int] = []  # of every packet, in decoding order
        decoded: list[int | None] = []
        try:
            with open_file(path) as container:
                stream = main_video(container)
                if stream is not None:
                    self.header, self.time_base = bytes(stream.codec_context.extradata or b""), stream.time_base
                for packet in _video_packets(container):
                    self._shown.append(packet.pts)
                    decoded.append(packet.dts)
        except (av.error.FFmpegError, OSError) as error:
            raise SinkError(f"{path} cannot be read: {getattr(error, 'strerror', error)}") from error
        self.frames = len(self._shown)
        self._rank = {time: rank for rank, time in enumerate(sorted(self._shown))}
        if not self._shown or len(self._rank) < self.frames:
            raise SinkError(f"{path} does not hold each frame once")
        behind = self._rank.get(decoded[-1]) if decoded[-1] is not None else None
        needed = max(index - self._rank[time] for index, time in enumerate(self._shown))
        self.delay = needed if behind is None else max(needed, self.frames - 1 - behind)
        self.lead = [min(self._rank) - time for time in decoded[: self.delay] if time is not None]

    def packets(self) -> Iterator[tuple[int, av.Packet]]:
        """Each packet as it came from the encoder, and the number of its frame among those of the segment."""
        with open_file(self.path) as container:
            read = as_encoded(_video_packets(container), main_video(container))
            for time, packet in zip(self._shown, read, strict=True):
                yield self._rank[time], packet


def joined_packets(
    segments: Sequence[EncodedSegment], index: FrameIndex, duration_of_last: bool
) -> Iterator[av.Packet]:
    """The packets of all segments, at the times of `index` and with its durations, as one encoder would give them.

    `duration_of_last` as in `Container`. Raises SinkError where the segments do not fit together.
    """
    if (found := sum(segment.frames for segment in segments)) != len(index.times):
        raise SinkError(f"the segments hold {found} frames, and their source {len(index.times)}")
    if len({segment.header for segment in segments}) > 1:
        raise SinkError("the segments were encoded with different settings and cannot be joined")
    times, delay = index.times, max(segment.delay for segment in segments)
    step = times[1] - times[0] if len(times) > 1 else 1
    lead = [round(time * segments[0].time_base / index.time_base) for time in segments[0].lead]
    if len(lead) < delay:
        lead = [(delay - position) * step for position in range(delay)]
    position, first = 0, 0
    for segment in segments:
        for rank, packet in segment.packets():
            shown = first + rank
            packet.time_base, packet.pts, packet.duration = index.time_base, times[shown], index.durations[shown]
            # The frames in the order they are shown, as many later as decoding is ahead.
            packet.dts = times[0] - lead[position] if position < delay else times[position - delay]
            if duration_of_last and position == len(times) - 1:
                packet.duration = times[-1] + index.durations[-1] - packet.pts
            position += 1
            yield packet
        first += segment.frames


def _video_packets(container: av.container.InputContainer) -> Iterator[av.Packet]:
    stream = main_video(container)
    for packet in packets(container, lambda: None):
        if packet.stream.index == stream.index and packet.size and packet.pts is not None:
            yield packet
