"""Compares what a file announces with what is read and decoded from it."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

from realtime.diagnostics import Counted, as_time
from realtime.frame import StreamInfo
from realtime.media import isobmff, riff
from realtime.media.containers import container_named
from realtime.media.continuity import MAX_GAP, ContinuityCheck
from realtime.media.demux import packets
from realtime.media.integrity import HERE, INDEX, report_gaps
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
#: Where an edit list hides more than this share of a stream, the report says so.
SHOWN_SHORTER = Fraction(1, 20)
#: Where picture and sound differ in length by more than these seconds, and this share, the report says so.
OTHER_SECONDS, OTHER_SHARE = Fraction(1, 4), Fraction(1, 50)
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
        traits, unknown_size = self._traits, not container.duration
        alone = not traits.full_index and (not traits.elements or unknown_size)
        self._continuity = ContinuityCheck(alone, sound_gaps=traits.fixed_packets)
        self._read: Counter[int] = Counter()
        self._bytes: Counter[int] = Counter()
        self._begin: dict[str, Fraction] = {}
        self._end: dict[str, Fraction] = {}
        self._time = Fraction(0)
        #: Byte and time of about one packet of the video a second.
        self._positions: list[tuple[int, Fraction]] = []
        self._before_first: list[int] | None = []
        self._expected = self._frames = 0
        self._first_frame: int | None = None
        self._interlaced = False

    def packets(self) -> Iterator[av.Packet]:
        """The packets of the file, then one empty packet per stream."""
        name, read = self._container.format.name, packets(self._container, self._unreadable)
        for packet in report_gaps(read, name, self._path, self.damage):
            if packet.size:
                self._account(packet)
            yield packet

    def damage(self, text: str, offset: int = HERE) -> None:
        """Counts a damaged place at a byte of the file."""
        self._diagnostics.count(Counted.SKIPPED_PACKETS)
        self._diagnostics.place(self._time_at(offset), text)

    def undecodable(self, packet: av.Packet) -> None:
        """Counts a packet of the video that the decoder refuses."""
        self._expected -= 1
        self.damage("a frame that cannot be decoded")

    def _unreadable(self) -> None:
        self.damage("bytes that cannot be read as packets")

    def _time_at(self, offset: int) -> Fraction | None:
        """The time in seconds at which the packets at a byte of the file are shown; None where there is none."""
        if offset == HERE:
            return self._time
        if offset == INDEX:
            return None
        index = bisect_right(self._positions, offset, key=lambda position: position[0])
        return self._positions[index - 1][1] if index else Fraction(0)

    def frame(self, picture: av.VideoFrame) -> None:
        """Counts a decoded frame."""
        self._frames += 1
        self._interlaced |= bool(picture.interlaced_frame)
        if self._before_first is not None:
            # What is shown before the first frame that can be decoded needs frames before the file's beginning.
            waiting, self._before_first, self._first_frame = self._before_first, None, picture.pts
            self._expected += sum(1 for pts in waiting if picture.pts is None or pts >= picture.pts)

    def finish(self, decoded: bool = True) -> None:
        """Compares, at the end of the file; its frames only if they were `decoded`."""
        if self._path is None:
            return
        missing = self._missing_of_index()
        comparable = decoded and self._video.codec_context.name in FRAME_PER_PACKET and not self._interlaced
        if not missing and comparable:
            missing = max(self._expected - self._frames, 0)
        if not self._traits.full_index:
            missing = max(missing, self._missing_in_time())
        self._diagnostics.count(Counted.MISSING_FRAMES, missing)
        if seconds := self._missing_seconds():
            self._diagnostics.count(Counted.MISSING_SECONDS, seconds)
            self._diagnostics.place(max(self._end.values(), default=None), f"{seconds} s are missing at the end")
        if text := self._other_lengths():
            self._diagnostics.info(text)
        if places := [place.seconds for place in self._diagnostics.places if place.seconds is not None]:
            self._diagnostics.damage(f"damaged near {_listed(places)}")

    def _missing_in_time(self) -> int:
        """Frames that are missing by the times of those that were read; missing sound is reported at once."""
        missing = 0
        pictures, silent = self._continuity.missing()
        for gap in pictures:
            if gap.length > MAX_GAP:
                self._diagnostics.damage(f"times jump ahead by {gap.length:.0f} s")
                self._diagnostics.place(gap.begin, f"times jump ahead by {gap.length:.0f} s")
                continue
            missing += gap.count
            self._diagnostics.place(gap.begin, f"frames are missing: {gap.count}")
        for gap in silent:
            self._diagnostics.place(gap.begin, f"sound is missing for {gap.length:.2f} s")
        if silent:
            self._diagnostics.damage(f"sound is missing for {sum(gap.length for gap in silent):.2f} s")
        return missing

    def _account(self, packet: av.Packet) -> None:
        stream = packet.stream
        self._read[stream.index] += 1
        self._bytes[stream.index] += packet.size
        time = packet.pts if packet.pts is not None else packet.dts
        if time is not None:
            end = (time + (packet.duration or 0)) * packet.time_base
            self._begin.setdefault(stream.type, time * packet.time_base)
            self._end[stream.type] = max(self._end.get(stream.type, Fraction(0)), end)
            if stream.type in ("video", "audio"):
                self._continuity.add(packet, stream.index == self._video.index)
        if stream.index != self._video.index:
            return
        if time is not None:
            self._time = time * packet.time_base
            if packet.pos is not None and (not self._positions or abs(self._time - self._positions[-1][1]) >= 1):
                self._positions.append((packet.pos, self._time))
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
        empty = riff.empty_chunks(self._path) if self._traits.chunks else {}
        streams = list(self._container.streams)
        tracks = isobmff.tracks(self._path) if self._traits.boxes else []
        for stream, track in zip(streams, tracks if len(tracks) == len(streams) else [None] * len(streams)):
            lost = sum(1 for entry in stream.index_entries if entry.size) - self._read[stream.index]
            surplus = stream.frames - len(stream.index_entries) - empty.get(stream.index, 0)
            if self._traits.chunks and stream.type == "video" and surplus > MAX_AVI_SURPLUS:
                lost = stream.frames - empty.get(stream.index, 0) - self._read[stream.index]  # the index is lost, too
            if track is not None and (text := _hidden(track)):
                self._diagnostics.info(f"the edit list of the file {text} of stream {stream.index} ({stream.type})")
            if track is not None and track.sample_size:
                lost = int(self._bytes[stream.index] < _least_bytes(track, track.sample_size))
            elif track is not None:
                lost += _dropped_samples(track, sum(1 for entry in stream.index_entries if not entry.is_discard))
            if stream.index == self._video.index:
                missing = max(lost, 0)
            elif lost > 0 and stream.type == "audio":
                self._diagnostics.damage(f"packets of sound that the file announces are missing: {lost}")
        return missing

    def _other_lengths(self) -> str | None:
        """How long picture and sound last, where that is not the same: a wrong clock of one looks so, and a pause."""
        if not {"video", "audio"} <= self._end.keys():
            return None
        picture, sound = (self._end[kind] - self._begin[kind] for kind in ("video", "audio"))
        if abs(picture - sound) <= max(OTHER_SECONDS, OTHER_SHARE * max(picture, sound)):
            return None
        return f"the picture lasts {as_time(float(picture))} and the sound {as_time(float(sound))}"

    def _missing_seconds(self) -> int:
        declared = declared_duration(self._container)
        end = max(self._end.values(), default=Fraction(0))
        return round(declared - end) if declared is not None and declared - end > MAX_SHORTFALL else 0


def _hidden(track: isobmff.Track) -> str | None:
    """What the edit list does not show of a track, or shows too much; None where it shows all."""
    if 1 - track.shown > SHOWN_SHORTER:
        return f"hides {float(1 - track.shown):.0%}"
    if not track.ends_otherwise:
        return None
    return f"{'hides the last' if track.left_out > 0 else 'lacks the last'} {float(abs(track.left_out)):.2f} s"


def _dropped_samples(track: isobmff.Track, indexed: int) -> int:
    """Samples that libav has dropped from its index of a track, of those that the edit list shows. Where samples last
    for different times, only an estimate is possible, and up to three times what is hidden is taken for hidden."""
    hidden = track.samples * (1 - track.shown)
    return round(track.samples - hidden) - indexed if track.samples and indexed < track.samples - 3 * hidden - 2 else 0


def _least_bytes(track: isobmff.Track, sample_size: int) -> Fraction:
    """Bytes that a track of uncompressed sound has at least, with the same allowance."""
    hidden = track.samples * (1 - track.shown)
    return (track.samples - 4 * hidden) * sample_size


def _listed(places: list[float]) -> str:
    """Times as minutes and seconds, the first few of them."""
    texts = list(dict.fromkeys(map(as_time, sorted(places))))
    more = len(texts) - MAX_LISTED
    return ", ".join(texts[:MAX_LISTED]) + (f" and {more} more places" if more > 0 else "")
