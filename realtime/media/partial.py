"""How much can be kept of an unfinished file that an interrupted run left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from realtime.errors import SinkError
from realtime.media.containers import container_named
from realtime.media.demux import main_video, packets
from realtime.media.job_tag import job_text
from realtime.media.libav import av, open_file
from realtime.media.packet_scan import SourceTimes, matching_frames
from realtime.media.part_file import part_path, previous_part_path


class KeptPart:
    """What can be kept of an unfinished file: its groups of pictures but for the last one, which may be cut.

    `check` shortens that to what is sound. `frames` is how many pictures are kept, `same_job` whether the file was made
    by `job_id`. A file that cannot be read, or cannot be continued, has no frames.
    """

    def __init__(self, path: Path, job_id: str) -> None:
        self.path, self.same_job = path, False
        self._times: list[int] = []  # of every packet, in decoding order
        self._keyframes: list[int] = []
        self._time_base = Fraction(1)
        self._length = Fraction(0)  # seconds from the first picture to the one behind those that are kept
        self._damage: list[int] = []  # where packets are missing or damaged, by the index of the next one
        try:
            with open_file(path) as container:
                if not container_named(container.format.name).resumable:
                    return
                self.same_job = job_id in job_text(path, container)
                for packet in _video_packets(container, lambda: self._damage.append(len(self._times))):
                    if packet.is_keyframe:
                        self._keyframes.append(len(self._times))
                    if packet.is_corrupt:
                        self._damage.append(len(self._times))
                    self._times.append(packet.pts)
                    self._time_base = packet.time_base
        except (av.error.FFmpegError, OSError):
            pass  # nothing, or no more, can be read; what was read counts

    @property
    def frames(self) -> int:
        """How many pictures are kept."""
        return self._keyframes[-1] if self._keyframes and self._keyframes[0] == 0 else 0

    def check(self, source_times: SourceTimes) -> int:
        """Drops the groups from the first one on that is damaged, does not decode, or is not at its source's times.
        Returns how many pictures were dropped."""
        before = self.frames
        if not before:
            return 0
        self._shorten(min([before, *self._damage, self._in_order()]))
        times = source_times(False)
        if self._matching(times) < self.frames:
            times = source_times(True)
            self._shorten(self._matching(times))
        self._shorten(self._decodable())
        if self.frames:
            self._length = times[min(self.frames, len(times) - 1)] - times[0]
        return before - self.frames

    def packets(self, following: Fraction) -> Iterator[av.Packet]:
        """The packets to keep, after `check`; `following` is the time in seconds of the first picture behind them.

        Containers without negative times have shifted all times; that is undone. Decoding times are computed anew, as
        not every container stores them.
        """
        times = sorted(self._times[: self.frames])
        # The smallest delay with which no picture is due before it is decoded.
        rank = {time: index for index, time in enumerate(times)}
        delay = max(index - rank[time] for index, time in enumerate(self._times[: self.frames]))
        step = times[1] - times[0] if len(times) > 1 else 1
        with open_file(self.path) as container:
            shift = times[0] - round((following - self._length) / self._time_base)
            for index, packet in enumerate(as_encoded(_video_packets(container), main_video(container))):
                if index == self.frames:
                    return
                early = delay - index
                packet.dts = (times[0] - early * step if early > 0 else times[index - delay]) - shift
                packet.pts -= shift
                yield packet

    def _shorten(self, frames: int) -> None:
        while self._keyframes and self._keyframes[-1] > frames:
            self._keyframes.pop()

    def _in_order(self) -> int:
        """The beginning of the first kept group with a picture that is shown before one of an earlier group; `frames`
        if there is none."""
        latest: int | None = None
        for first, end in zip(self._keyframes, self._keyframes[1:]):
            if latest is not None and min(self._times[first:end]) <= latest:
                return first
            latest = max(self._times[first:end])
        return self.frames

    def _matching(self, source_times: Sequence[Fraction]) -> int:
        times = [time * self._time_base for time in sorted(self._times[: self.frames])]
        return matching_frames(times, source_times, self._time_base)

    def _decodable(self) -> int:
        """The beginning of the first kept group that does not decode as a whole; `frames` if all do."""
        with open_file(self.path) as container:
            stream = main_video(container)
            stream.codec_context.options = {"err_detect": "explode"}
            read = _video_packets(container)
            for first, end in zip(self._keyframes, self._keyframes[1:]):
                try:
                    group = [next(read) for _ in range(end - first)]
                    if not _is_sound(stream.codec_context, group):
                        return first
                except (av.error.FFmpegError, OSError, ValueError, StopIteration):
                    return first
        return self.frames


def find_kept_part(path: Path, job_id: str) -> KeptPart | None:
    """The better of what interrupted runs left of `path`, unchecked; None where nothing can be kept.

    Raises SinkError when all of it was made with other settings.
    """
    candidates = [part_path(path), previous_part_path(path)]
    found = [KeptPart(part, job_id) for part in candidates if part.is_file() and not part.is_symlink()]
    found = [part for part in found if part.frames]
    same_job = [part for part in found if part.same_job]
    if found and not same_job:
        raise SinkError(
            f"{found[0].path} was made of another input or with other settings",
            remedies={"overwrite=True": "repeat those, or start over with {}"},
        )
    return max(same_job, key=lambda part: part.frames, default=None)


def holds_frames(path: Path) -> bool:
    """Whether any picture can be read from a file."""
    try:
        with open_file(path) as container:
            return any(True for _ in _video_packets(container))
    except (av.error.FFmpegError, OSError, ValueError):
        return False


def _video_packets(
    container: av.container.InputContainer, on_damage: Callable[[], None] = lambda: None
) -> Iterator[av.Packet]:
    stream = main_video(container)
    if stream is not None:
        for packet in packets(container, on_damage):
            if packet.stream.index == stream.index and packet.size and packet.pts is not None:
                yield packet


def _is_sound(decoder: av.codec.context.CodecContext, group: list[av.Packet]) -> bool:
    """Whether every packet of a group of pictures that stands alone becomes a picture without damage."""
    pictures = [picture for packet in group for picture in decoder.decode(packet)]
    pictures += decoder.decode(None)
    decoder.flush_buffers()
    return len(pictures) == len(group) and not any(picture.is_corrupt for picture in pictures)


def as_encoded(read: Iterator[av.Packet], stream: av.video.stream.VideoStream) -> Iterator[av.Packet]:
    """Packets as encoders give them: MP4 and Matroska have rewritten theirs, and muxers do that once more."""
    name = stream.codec_context.name
    if name not in ("h264", "hevc") or not (stream.codec_context.extradata or b"").startswith(b"\x01"):
        yield from read
        return
    rewrite = av.bitstream.BitStreamFilterContext(f"{name}_mp4toannexb", stream)
    for packet in read:
        time_base = packet.time_base
        for rewritten in rewrite.filter(packet):
            rewritten.time_base = time_base
            yield rewritten
