"""The sound of a live stream on its way to recordings: packets as they came, in the time of the frames."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

#: Packets that wait for a recording at most: 20 to 40 seconds of sound.
LIMIT = 1000


@dataclass(frozen=True)
class SoundPacket:
    """Encoded sound that begins at `seconds` and lasts `duration` seconds."""

    data: bytes
    seconds: Fraction
    duration: Fraction


class SoundRelay:
    """Holds the newest packets of a sound stream until they are taken; safe between threads.

    `template` is a libav stream with the codec's parameters, which outlives the connection; `owner` is kept alive with
    it. Packets before `start` are left out, and times count from there.
    """

    def __init__(self, template: Any, owner: Any = None, start: Fraction = Fraction(0)) -> None:
        self.template, self._owner, self._start = template, owner, start
        self._lock = threading.Lock()
        self._moved = Fraction(0)
        self._packets: deque[SoundPacket] = deque(maxlen=LIMIT)
        self._followers: list[SoundRelay] = []

    def put(self, packet: SoundPacket) -> None:
        """Takes a packet, for this relay and those that follow it."""
        with self._lock:
            packet = replace(packet, seconds=packet.seconds + self._moved)
            followers = list(self._followers)
            if packet.seconds >= self._start:
                self._packets.append(replace(packet, seconds=packet.seconds - self._start))
        for follower in followers:
            follower.put(packet)

    def take_until(self, seconds: Fraction) -> list[SoundPacket]:
        """Removes and returns the packets that begin before that moment."""
        taken = []
        with self._lock:
            while self._packets and self._packets[0].seconds < seconds:
                taken.append(self._packets.popleft())
        return taken

    def follow(self, start: Fraction) -> SoundRelay:
        """A relay of the same sound from `start` on, whose time begins there. Only for relays that start at 0."""
        follower = SoundRelay(self.template, self._owner, start)
        with self._lock:
            self._followers.append(follower)
            recent = list(self._packets)
        for packet in recent:
            follower.put(packet)
        return follower

    def forget(self, follower: SoundRelay) -> None:
        """Ends a `follow`."""
        with self._lock:
            self._followers = [other for other in self._followers if other is not follower]

    def move(self, seconds: Fraction) -> None:
        """Packets that come from now on are due so much later than they say: the clock of their source jumped."""
        with self._lock:
            self._moved += seconds

    def connect(self, target: SoundRelay, shift: Fraction) -> None:
        """Hands on what comes from now on to `target`, `shift` seconds later, if it is of the same kind."""
        mine, other = self.template.codec_context, target.template.codec_context
        if all(getattr(mine, n, None) == getattr(other, n, None) for n in ("name", "sample_rate", "extradata")):
            with self._lock:
                self._followers = [_Shifted(target, shift)]


class _Shifted(SoundRelay):
    """Passes packets on at other times."""

    def __init__(self, target: SoundRelay, shift: Fraction) -> None:
        super().__init__(target.template)
        self._target, self._shift = target, shift

    def put(self, packet: SoundPacket) -> None:
        self._target.put(replace(packet, seconds=packet.seconds + self._shift))
