"""How much can be kept of an unfinished file that an interrupted run left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from realtime.errors import SinkError
from realtime.media.containers import container_for, container_named
from realtime.media.demux import main_video
from realtime.media.libav import av, open_file
from realtime.media.part_file import part_path, previous_part_path

#: The tag that holds the `job_id` of the work that made a file.
JOB_TAG = "realtime_job"
#: How far into a transport stream its table of services begins, at most, in bytes.
SERVICE_TABLE_BYTES = 1 << 16
#: Frames at the end of what is kept that are decoded to see whether they are sound: where a power cut does damage.
CHECKED_FRAMES = 250
#: Seconds by which a kept frame's time may differ from its source's: containers round times.
TIME_TOLERANCE = Fraction(1, 400)


class KeptPart:
    """What can be kept of an unfinished file: its groups of pictures but for the last one, which may be cut, up to the
    first place where its times are not the source's or its last frames do not decode.

    `frames` is how many that are. Raises SinkError when there are some and they belong to another job.
    """

    def __init__(self, path: Path, job_id: str, source_times: Sequence[Fraction]) -> None:
        """`source_times` are those of the source's frames in seconds, in the order they are shown."""
        self.path, self.frames = path, 0
        self._times: list[int] = []  # of every packet, in decoding order
        keyframes: list[int] = []
        same_job, time_base = False, Fraction(1)
        try:
            with open_file(path) as container:
                if not container_named(container.format.name).resumable:
                    return
                same_job = job_id in _job_tags(path, container)
                for packet in _video_packets(container):
                    if packet.is_keyframe:
                        keyframes.append(len(self._times))
                    self._times.append(packet.pts)
                    time_base = packet.time_base
        except (av.error.FFmpegError, OSError):
            pass  # nothing, or no more, can be read; what was read counts
        self.found = keyframes[-1] if keyframes else 0
        if self.found and not same_job:
            raise SinkError(f"{path} was made of another input or with other settings; repeat those, or overwrite it")
        matching = _matching(sorted(self._times[: self.found]), time_base, source_times)
        while keyframes and (keyframes[-1] > matching or not _decodes(path, keyframes[-1])):
            keyframes.pop()
        self.frames = keyframes[-1] if keyframes else 0

    def packets(self, following: Fraction) -> Iterator[av.Packet]:
        """The packets to keep; `following` is the time in seconds of the first frame that is not among them.

        Times are moved so that this one fits: containers without negative times have shifted all. Decoding times are
        computed anew, as not every container stores them.
        """
        times = sorted(self._times[: self.frames])
        # The smallest delay with which no frame is due before it is decoded.
        rank = {time: index for index, time in enumerate(times)}
        delay = max(index - rank[time] for index, time in enumerate(self._times[: self.frames]))
        step = times[1] - times[0] if len(times) > 1 else 1
        with open_file(self.path) as container:
            stream = main_video(container)
            shift = self._times[self.frames] - round(following / stream.time_base)
            for index, packet in enumerate(_as_encoded(_video_packets(container), stream)):
                if index == self.frames:
                    return
                early = delay - index
                packet.dts = (times[0] - early * step if early > 0 else times[index - delay]) - shift
                packet.pts -= shift
                yield packet


def _matching(times: list[int], time_base: Fraction, source_times: Sequence[Fraction]) -> int:
    """How many of the kept frames, from the first, lie at their source's times, but for a constant shift."""
    if not times or not source_times:
        return 0
    for index, (time, source) in enumerate(zip(times, source_times)):
        if abs((time - times[0]) * time_base - (source - source_times[0])) > max(TIME_TOLERANCE, time_base):
            return index
    return min(len(times), len(source_times))


def _decodes(path: Path, frames: int) -> bool:
    """Whether the last `CHECKED_FRAMES` of the first `frames` frames, from a keyframe on, decode without damage."""
    try:
        with open_file(path) as container:
            stream = main_video(container)
            stream.codec_context.options = {"err_detect": "explode"}
            decoded, started = 0, False
            for index, packet in enumerate(_video_packets(container)):
                if index >= frames:
                    decoded += sum(not picture.is_corrupt for picture in stream.codec_context.decode(None))
                    break
                started = started or (packet.is_keyframe and index >= max(0, frames - CHECKED_FRAMES))
                if packet.is_corrupt:
                    return False
                if started:
                    pictures = stream.codec_context.decode(packet)
                    if any(picture.is_corrupt for picture in pictures):
                        return False
                    decoded += len(pictures)
    except (av.error.FFmpegError, OSError, ValueError):
        return False
    return not started or decoded > 0


def _job_tags(path: Path, container: av.container.InputContainer) -> str:
    """Where a file's job tag is looked for, as text. PyAV does not show a transport stream's service names."""
    if container_named(container.format.name).fixed_packets:
        with path.open("rb") as file:
            return file.read(SERVICE_TABLE_BYTES).decode("latin-1")
    return next((value for name, value in container.metadata.items() if name.lower() == JOB_TAG), "")


def read_job(path: Path) -> str | None:
    """The job id in a finished file's tags; None where there is none, or the file cannot be read."""
    try:
        with open_file(path) as container:
            text = _job_tags(path, container)
    except (av.error.FFmpegError, OSError, ValueError):
        return None
    return text or None


def container_metadata(tags: dict[str, str], path: Path) -> dict[str, str]:
    """`tags` under the names that the container of `path` has for them."""
    names = container_for(path).tag_names
    if names is None:
        return tags
    return {target: tags[name] for name, target in names.items() if name in tags}


def find_kept_part(path: Path, job_id: str, source_times: Sequence[Fraction]) -> KeptPart | None:
    """The better of what interrupted runs left of `path`; None where nothing can be kept.

    Raises SinkError when it was made with other settings.
    """
    candidates = (part_path(path), previous_part_path(path))
    found = [KeptPart(part, job_id, source_times) for part in candidates if part.is_file() and not part.is_symlink()]
    return max((part for part in found if part.found), key=lambda part: part.frames, default=None)


def _video_packets(container: av.container.InputContainer) -> Iterator[av.Packet]:
    stream = main_video(container)
    if stream is not None:
        yield from (packet for packet in container.demux(stream) if packet.size and packet.pts is not None)


def _as_encoded(packets: Iterator[av.Packet], stream: av.video.stream.VideoStream) -> Iterator[av.Packet]:
    """Packets as encoders give them: MP4 and Matroska have rewritten theirs, and muxers do that once more."""
    name = stream.codec_context.name
    if name not in ("h264", "hevc") or not (stream.codec_context.extradata or b"").startswith(b"\x01"):
        yield from packets
        return
    rewrite = av.bitstream.BitStreamFilterContext(f"{name}_mp4toannexb", stream)
    for packet in packets:
        time_base = packet.time_base
        for rewritten in rewrite.filter(packet):
            rewritten.time_base = time_base
            yield rewritten
