"""What an interrupted run left behind, and how much of it can be kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from realtime.errors import SinkError
from realtime.media.libav import av, main_video, open_file
from realtime.sinks.base import part_of

#: The tag that says of what input and with what settings a file is made.
JOB = "realtime_job"
#: How far into a transport stream its table of services begins, at most, in bytes.
HEAD = 1 << 16


def earlier_of(path: Path) -> Path:
    """Where an interrupted part waits while a new one is made of it."""
    return path.with_name(f".{path.stem}.part-before{path.suffix}")


class Part:
    """An unfinished file, as far as its groups of pictures are whole: all but the last group, which may be cut.

    `frames` is how many that are; none in AVI, which stores no times. Raises SinkError when it has some and is not of
    the same `job`.
    """

    def __init__(self, path: Path, job: str) -> None:
        self.path, self.frames = path, 0
        self._times: list[int] = []  # of every packet, in decoding order
        mine = False
        try:
            with open_file(path) as container:
                if container.format.name == "avi":
                    return
                mine = job in (_service(path) if container.format.name == "mpegts" else _tag(container))
                for packet in _pictures(container):
                    if packet.is_keyframe:
                        self.frames = len(self._times)
                    self._times.append(packet.pts)
        except (av.error.FFmpegError, OSError):
            pass  # Nothing, or no more, can be read of it; what was read counts.
        if self.frames and not mine:
            raise SinkError(
                f"{path} was made of another input or with other settings; repeat those, or start over with --overwrite"
            )

    def packets(self, following: Fraction) -> Iterator[av.Packet]:
        """The packets to keep; `following` is the time in seconds of the first picture that is not among them.

        Times are moved so that this one fits: containers without negative times had shifted all. Decoding times are
        made anew, as not every container stores them.
        """
        times = sorted(self._times[: self.frames])
        # The smallest delay with which no picture is due before it is decoded.
        rank = {time: place for place, time in enumerate(times)}
        delay = max(place - rank[time] for place, time in enumerate(self._times[: self.frames]))
        step = times[1] - times[0] if len(times) > 1 else 1
        with open_file(self.path) as container:
            stream = main_video(container)
            shift = self._times[self.frames] - round(following / stream.time_base)
            for place, packet in enumerate(_plain(_pictures(container), stream)):
                if place == self.frames:
                    return
                early = delay - place
                packet.dts = (times[0] - early * step if early > 0 else times[place - delay]) - shift
                packet.pts -= shift
                yield packet


def marks(tags: dict[str, str], format: str) -> dict[str, str]:
    """`tags` by the names that a container of that format has; a transport stream has room for few letters."""
    if format == "mpegts":
        return {"service_provider": tags.get("enhanced_by", ""), "service_name": tags.get(JOB, "")}
    if format == "avi":
        return {"encoded_by": ", ".join(value for name, value in tags.items() if name != JOB)}
    return tags


def _tag(container: av.container.InputContainer) -> str:
    return next((value for name, value in container.metadata.items() if name.lower() == JOB), "")


def _service(path: Path) -> str:
    """The beginning of a transport stream as text; PyAV does not tell the names in it."""
    with path.open("rb") as file:
        return file.read(HEAD).decode("latin-1")


def _pictures(container: av.container.InputContainer) -> Iterator[av.Packet]:
    stream = main_video(container)
    if stream is not None:
        yield from (packet for packet in container.demux(stream) if packet.size and packet.pts is not None)


def _plain(packets: Iterator[av.Packet], stream: av.video.stream.VideoStream) -> Iterator[av.Packet]:
    """Packets as encoders give them: MP4 and Matroska had theirs rewritten, which muxers do once more."""
    name = stream.codec_context.name
    if name not in ("h264", "hevc") or not (stream.codec_context.extradata or b"").startswith(b"\x01"):
        yield from packets
        return
    rewrite = av.bitstream.BitStreamFilterContext(f"{name}_mp4toannexb", stream)
    for packet in packets:
        base = packet.time_base
        for made in rewrite.filter(packet):
            made.time_base = base
            yield made


def find_part(path: Path, job: str) -> Part | None:
    """The better of what interrupted runs left of `path`, moved to where a new run does not write over it.

    Raises SinkError when that was made with other settings.
    """
    part, earlier = part_of(path), earlier_of(path)
    found = [Part(place, job) for place in (part, earlier) if place.exists()]
    best = max(found, key=lambda kept: kept.frames, default=None)
    if best is None or not best.frames:
        return None
    if best.path == part:
        os.replace(part, earlier)
        best.path = earlier
    return best


def discard_parts(path: Path) -> None:
    """Removes what interrupted runs left."""
    for place in (part_of(path), earlier_of(path)):
        place.unlink(missing_ok=True)
