"""Gaps in time: those that picture and sound share, and sound that is missing while pictures go on.

A camera may pause picture or sound. A gap in both at one moment, or of a few seconds in the sound, is a loss.
"""

from __future__ import annotations

from fractions import Fraction

from realtime.media.libav import av

#: Gaps that are longer than this, in seconds, are looked at.
MIN_GAP = Fraction(1, 10)
#: Where the sound alone is missing for longer than this, it was turned off, in seconds.
MAX_SOUND_GAP = 5

Gap = tuple[Fraction, Fraction]


class ContinuityCheck:
    """Follows the decoding times of picture and sound."""

    def __init__(self, rate: Fraction | None) -> None:
        """`rate` is the usual number of frames a second."""
        self._rate = rate
        self._last: dict[int, Fraction] = {}
        self._gaps: dict[int, list[Gap]] = {}
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
        sound = self._sound()
        if self._video is None or not sound or self._rate is None:
            return 0
        shared = [gap for gap in self._gaps[self._video] if all(_overlap(gap, gaps) for gaps in sound)]
        return round(sum((end - begin for begin, end in shared), Fraction(0)) * self._rate)

    def missing_sound(self) -> Fraction:
        """Seconds for which sound is missing while pictures go on."""
        pictures = self._gaps.get(self._video, []) if self._video is not None else []
        gaps = [gap for gaps in self._sound() for gap in gaps if not _overlap(gap, pictures)]
        return sum((end - begin for begin, end in gaps if end - begin < MAX_SOUND_GAP), Fraction(0))

    def _sound(self) -> list[list[Gap]]:
        return [gaps for index, gaps in self._gaps.items() if index != self._video]


def _overlap(gap: Gap, others: list[Gap]) -> bool:
    return any(min(gap[1], end) > max(gap[0], begin) for begin, end in others)
