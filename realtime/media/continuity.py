"""Gaps in time that all streams of a file share: something was cut out, as a camera goes on with one of them."""

from __future__ import annotations

from fractions import Fraction

from realtime.media.libav import av

#: Shorter gaps, in seconds, are taken for the camera's own.
MIN_GAP = Fraction(1, 2)


class ContinuityCheck:
    """Follows the decoding times of picture and sound."""

    def __init__(self, rate: Fraction | None) -> None:
        """`rate` is the usual number of frames a second."""
        self._rate = rate
        self._last: dict[int, Fraction] = {}
        self._gaps: dict[int, list[tuple[Fraction, Fraction]]] = {}
        self._video: int | None = None

    def add(self, packet: av.Packet, is_video: bool) -> None:
        """Takes the next packet of a stream of picture or sound."""
        time = packet.dts if packet.dts is not None else packet.pts
        index, begin = packet.stream.index, time * packet.time_base
        self._video = index if is_video else self._video
        gaps = self._gaps.setdefault(index, [])
        last = self._last.get(index)
        if last is not None and begin - last > MIN_GAP:
            gaps.append((last, begin))
        self._last[index] = begin + (packet.duration or 0) * packet.time_base

    def missing_frames(self) -> int:
        """Frames that would fill the gaps that the video shares with all sound; 0 without sound."""
        others = [gaps for index, gaps in self._gaps.items() if index != self._video]
        if self._video is None or not others or self._rate is None:
            return 0
        shared = Fraction(0)
        for begin, end in self._gaps[self._video]:
            overlaps = [_overlap(begin, end, gaps) for gaps in others]
            if min(overlaps) > MIN_GAP / 2:
                shared += end - begin
        return round(shared * self._rate)


def _overlap(begin: Fraction, end: Fraction, gaps: list[tuple[Fraction, Fraction]]) -> Fraction:
    return max((min(end, e) - max(begin, b) for b, e in gaps), default=Fraction(0))
