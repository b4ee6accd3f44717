"""How much can be kept of an unfinished file that an interrupted run left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from realtime.errors import SinkError
from realtime.media.containers import Container, container_for, container_named
from realtime.media.demux import main_video, packets
from realtime.media.libav import av, open_file
from realtime.media.part_file import part_path, previous_part_path

#: The tag that holds the id of the job that made a file.
JOB_TAG = "realtime_job"
#: How far into a transport stream its table of services begins, at most, in bytes.
SERVICE_TABLE_BYTES = 1 << 16
#: Seconds by which a frame's time may differ from its source's: containers round times.
TIME_TOLERANCE = Fraction(1, 400)
#: Seconds by which a container may shift all times, so that none is negative.
LARGEST_SHIFT = 2

#: Returns the times of the source's frames in seconds, in the order they are shown: quickly by the packets, or with
#: True exactly, by decoding them. The packets of a damaged source do not tell.
SourceTimes = Callable[[bool], Sequence[Fraction]]


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
                self.same_job = job_id in _job_text(path, container)
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
        """Drops the groups from the first one that is damaged, is not at its source's times, or does not decode.
        Returns how many pictures that are."""
        before = self.frames
        if not before:
            return 0
        self._shorten(min([before, *self._damage]))
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

        Times are moved so that this one fits: containers without negative times have shifted all. Decoding times are
        computed anew, as not every container stores them.
        """
        times = sorted(self._times[: self.frames])
        # The smallest delay with which no picture is due before it is decoded.
        rank = {time: index for index, time in enumerate(times)}
        delay = max(index - rank[time] for index, time in enumerate(self._times[: self.frames]))
        step = times[1] - times[0] if len(times) > 1 else 1
        with open_file(self.path) as container:
            shift = times[0] - round((following - self._length) / self._time_base)
            for index, packet in enumerate(_as_encoded(_video_packets(container), main_video(container))):
                if index == self.frames:
                    return
                early = delay - index
                packet.dts = (times[0] - early * step if early > 0 else times[index - delay]) - shift
                packet.pts -= shift
                yield packet

    def _shorten(self, frames: int) -> None:
        while self._keyframes and self._keyframes[-1] > frames:
            self._keyframes.pop()

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


def matching_frames(times: Sequence[Fraction], source_times: Sequence[Fraction], tick: Fraction) -> int:
    """How many frames, from the first, lie at their source's times, but for a constant shift. All times are in seconds;
    `tick` is the time base of `times`."""
    if not times or not source_times or abs(times[0] - source_times[0]) > LARGEST_SHIFT:
        return 0
    tolerance = max(TIME_TOLERANCE, tick)
    for index, (time, source) in enumerate(zip(times, source_times)):
        if abs((time - times[0]) - (source - source_times[0])) > tolerance:
            return index
    return min(len(times), len(source_times))


def packet_times(path: Path, stream_index: int, start: float | None, end: float | None) -> list[Fraction]:
    """When the pictures of a stream are shown by its packets' timestamps, in seconds, in order, from `start` to before
    `end`. Packets without one are left out."""
    first, last = (None if limit is None else Fraction(limit).limit_denominator(1_000_000) for limit in (start, end))
    times = []
    with open_file(path) as container:
        for packet in packets(container, lambda: None):
            if packet.stream.index == stream_index and packet.size and packet.pts is not None and not packet.is_discard:
                time = packet.pts * packet.time_base
                if (first is None or time >= first) and (last is None or time < last):
                    times.append(time)
    return sorted(times)


def read_job(path: Path) -> str | None:
    """The job id in a file's tags; None where there is none, or the file cannot be read.

    Of a transport stream it is the text in which the id stands.
    """
    try:
        with open_file(path) as container:
            return _job_text(path, container) or None
    except (av.error.FFmpegError, OSError, ValueError):
        return None


def container_tags(tags: dict[str, str], container: Container) -> dict[str, str]:
    """`tags` under the names that a container has for them, without what is not Unicode."""
    clean = {name: value.encode("utf-8", "replace").decode() for name, value in tags.items()}
    if container.tag_names is None:
        return clean
    return {target: clean[name] for name, target in container.tag_names.items() if name in clean}


def holds_frames(path: Path) -> bool:
    """Whether any picture can be read from a file."""
    try:
        with open_file(path) as container:
            return any(True for _ in _video_packets(container))
    except (av.error.FFmpegError, OSError, ValueError):
        return False


def stores_job(path: Path) -> bool:
    """Whether the container that the suffix of `path` means has a place for the job id."""
    names = container_for(path).tag_names
    return names is None or JOB_TAG in names


def _job_text(path: Path, container: av.container.InputContainer) -> str:
    """Where a file's job id stands, as text. PyAV does not show a transport stream's service names."""
    if container_named(container.format.name).fixed_packets:
        with path.open("rb") as file:
            return file.read(SERVICE_TABLE_BYTES).decode("latin-1")
    return next((value for name, value in container.metadata.items() if name.lower() == JOB_TAG), "")


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


def _as_encoded(read: Iterator[av.Packet], stream: av.video.stream.VideoStream) -> Iterator[av.Packet]:
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
