"""Compares what a file announces with what is read and decoded from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

from realtime.diagnostics import Counted
from realtime.frame import StreamInfo
from realtime.media import isobmff
from realtime.media.containers import container_named
from realtime.media.continuity import ContinuityCheck
from realtime.media.demux import packets
from realtime.media.integrity import report_gaps
from realtime.media.libav import av
from realtime.media.probe import declared_duration

#: A file that ends this much before its declared end was cut off, in seconds.
MAX_SHORTFALL = 1
#: Codecs of which each packet becomes one frame. Others have packets that show nothing or repeat a frame.
FRAME_PER_PACKET = frozenset(
    ("h264", "hevc", "av1", "vp9", "mjpeg", "mpeg1video", "mpeg2video", "prores", "dnxhd", "ffv1", "huffyuv", "utvideo")
)
#: First packets among which there may be some that are shown before the first frame that can be decoded.
LEADING = 32
#: Frames by which the header of an AVI may exceed its index: libav counts the end, others a frame that was dropped.
MAX_AVI_SURPLUS = 2
#: Damaged places that are listed in the report.
MAX_LISTED = 5


class FileCheck:
    """Passes the packets of a file on, and counts in ``info.diagnostics`` what is damaged or missing.

    `damage` is called for each place that cannot be read or decoded, `frame` for each decoded frame, and `finish` at
    the end of the file. Of a file that is not read from its beginning only what is met is counted.
    """

    def __init__(self, container: av.container.InputContainer, info: StreamInfo) -> None:
        self._container, self._info, self._diagnostics = container, info, info.diagnostics
        self._traits = container_named(container.format.name)
        self._path = info.path if info.time_span[0] is None else None
        self._video = container.streams[info.stream_index]
        self._continuity = ContinuityCheck(info.rate)
        self._read: Counter[int] = Counter()
        self._bytes: Counter[int] = Counter()
        self._end: dict[str, Fraction] = {}
        self._time = Fraction(0)
        self._places: list[Fraction] = []
        self._before_first: list[int] | None = []
        self._expected = self._frames = 0
        self._first_frame: int | None = None
        self._interlaced = False

    def packets(self) -> Iterator[av.Packet]:
        """The packets of the file, then one empty packet per stream."""
        name = self._container.format.name
        for packet in report_gaps(packets(self._container, self.damage), name, self._path, self.damage):
            if packet.size:
                self._account(packet)
            yield packet

    def damage(self) -> None:
        """Counts a place that cannot be read or decoded."""
        self._places.append(self._time)
        self._diagnostics.count(Counted.SKIPPED_PACKETS)

    def undecodable(self, packet: av.Packet) -> None:
        """Counts a packet of the video that the decoder refuses."""
        self._expected -= 1
        self.damage()

    def frame(self, picture: av.VideoFrame) -> None:
        """Counts a decoded frame."""
        self._frames += 1
        self._interlaced |= bool(picture.interlaced_frame)
        if self._before_first is not None:
            # What is shown before the first frame that can be decoded needs frames before the file's beginning.
            waiting, self._before_first, self._first_frame = self._before_first, None, picture.pts
            self._expected += sum(1 for pts in waiting if picture.pts is None or pts >= picture.pts)

    def finish(self) -> None:
        """Compares, at the end of the file."""
        if self._path is None:
            return
        missing = self._missing_of_index()
        if not missing and self._video.codec_context.name in FRAME_PER_PACKET and not self._interlaced:
            missing = max(self._expected - self._frames, 0)
        if not (self._traits.full_index or self._traits.fixed_packets):
            missing = max(missing, self._continuity.missing_frames())
        if self._traits.fixed_packets and (silent := self._continuity.missing_sound()):
            self._diagnostics.damage(f"sound is missing for {float(silent):.1f} s while the pictures go on")
        self._diagnostics.count(Counted.MISSING_FRAMES, missing)
        self._diagnostics.count(Counted.MISSING_SECONDS, self._missing_seconds())
        if self._places:
            self._diagnostics.damage(f"damaged near {_listed(self._places)}")

    def _account(self, packet: av.Packet) -> None:
        stream = packet.stream
        self._read[stream.index] += 1
        self._bytes[stream.index] += packet.size
        time = packet.pts if packet.pts is not None else packet.dts
        if time is not None:
            end = (time + (packet.duration or 0)) * packet.time_base
            self._end[stream.type] = max(self._end.get(stream.type, Fraction(0)), end)
            if stream.type in ("video", "audio"):
                self._continuity.add(packet, stream.index == self._video.index)
        if stream.index != self._video.index:
            return
        if time is not None:
            self._time = time * packet.time_base
        if packet.is_discard or (time is None and self._traits.frame_times):
            return
        if self._before_first is not None and time is not None:
            self._before_first.append(time)
        elif (
            self._first_frame is None or time is None or time >= self._first_frame or self._read[stream.index] > LEADING
        ):
            self._expected += 1

    def _missing_of_index(self) -> int:
        """Frames that the index of the file lists and that were not read; missing sound is reported at once."""
        if not self._traits.full_index or self._path is None:
            return 0
        missing = 0
        streams = list(self._container.streams)
        tracks = isobmff.tracks(self._path) if self._traits.boxes else []
        for stream, track in zip(streams, tracks if len(tracks) == len(streams) else [None] * len(streams)):
            lost = sum(1 for entry in stream.index_entries if entry.size) - self._read[stream.index]
            surplus = stream.frames - len(stream.index_entries)
            if self._traits.chunks and stream.type == "video" and surplus > MAX_AVI_SURPLUS:
                lost = stream.frames - self._read[stream.index]  # the index is lost, too
            if track is not None and track.sample_size:
                lost = int(self._bytes[stream.index] < _least_bytes(track, track.sample_size))
            elif track is not None:
                lost += _dropped_samples(track, sum(1 for entry in stream.index_entries if not entry.is_discard))
            if stream.index == self._video.index:
                missing = max(lost, 0)
            elif lost > 0 and stream.type == "audio":
                self._diagnostics.damage(f"packets of sound that the file announces are missing: {lost}")
        return missing

    def _missing_seconds(self) -> int:
        declared = declared_duration(self._container)
        end = max(self._end.values(), default=Fraction(0))
        return round(declared - end) if declared is not None and declared - end > MAX_SHORTFALL else 0


def _dropped_samples(track: isobmff.Track, indexed: int) -> int:
    """Samples that libav has dropped from its index of a track, of those that the edit list shows. Where samples last
    for different times, only an estimate is possible, and up to three times what is hidden is taken for hidden."""
    hidden = track.samples * (1 - track.shown)
    return round(track.samples - hidden) - indexed if track.samples and indexed < track.samples - 3 * hidden - 2 else 0


def _least_bytes(track: isobmff.Track, sample_size: int) -> Fraction:
    """Bytes that a track of uncompressed sound has at least, with the same allowance."""
    hidden = track.samples * (1 - track.shown)
    return (track.samples - 4 * hidden) * sample_size


def _listed(places: list[Fraction]) -> str:
    """Times as minutes and seconds, the first few of them."""
    texts = list(dict.fromkeys(f"{int(t // 60)}:{float(t % 60):04.1f}" for t in places))
    more = len(texts) - MAX_LISTED
    return ", ".join(texts[:MAX_LISTED]) + (f" and {more} more places" if more > 0 else "")
