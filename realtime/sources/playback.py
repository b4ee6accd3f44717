"""A file as a live source: it plays at its own pace, may be paused and sought in, and may start over at its end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from time import perf_counter

from realtime.control import Playback
from realtime.frame import Frame
from realtime.media.containers import IMAGE_SUFFIXES
from realtime.media.live_sound import FileSound
from realtime.sources.base import Source

#: Times that jump by more than this are not waited for: the file is damaged, or has a gap. Seconds.
LONGEST_WAIT = 2.0
#: Seconds by which sound is read before the frames of its time.
SOUND_AHEAD = Fraction(1, 2)


class PlayedFile(Source):
    """The frames of the file that `open_at(seconds)` opens there, each when its time has come.

    Its sound goes to recordings. Timestamps rise over seeks and loops, as for a camera. A jump of times by more than
    `LONGEST_WAIT` seconds starts the clock anew and is a warning.
    """

    def __init__(
        self, open_at: Callable[[float | None], Source], playback: Playback | None = None, loop: bool = False
    ) -> None:
        self._open_at, self._loop = open_at, loop
        self.playback = playback or Playback()
        self._stopped = threading.Event()
        self._source = open_at(None)
        path = self._source.info.path
        self._sound = None if path is None or path.suffix.lower() in IMAGE_SUFFIXES else FileSound(path)
        self.info = replace(
            self._source.info,
            live=True,
            frames=None if loop else self._source.info.frames,
            sound=None if self._sound is None else self._sound.relay,
        )
        self.playback.length = self._source.info.seconds

    def frames(self) -> Iterator[Frame]:
        base, offset = 0.0, 0
        self.info.events.publish("opened", source=self.info.name, width=self.info.width, height=self.info.height)
        while not self._stopped.is_set():
            last, target = None, None
            start = Fraction(self._source.info.time_span[0] or 0).limit_denominator(1_000_000)
            if self._sound is not None:
                self._sound.begin(start, offset * self.info.time_base - start)
            for frame, seconds in self._paced():
                if self._sound is not None:
                    self._sound.put_until(start + frame.pts * frame.time_base + SOUND_AHEAD)
                last = replace(frame, pts=frame.pts + offset, captured_at=perf_counter())
                self.playback.position = base + seconds
                yield last
                if (target := self._next_target()) is not None or self._stopped.is_set():
                    break
            step = 1 if last is None else max(last.duration, 1)
            offset = offset if last is None else last.pts + step
            if self._stopped.is_set() or (target is None and not self._loop) or last is None:
                return
            base = target or 0.0
            self._source.close()
            self._source = self._open_at(target or None)

    def stop(self) -> None:
        self._stopped.set()
        self._source.stop()
        self.playback.wake()

    def close(self) -> None:
        self._source.close()
        if self._sound is not None:
            self._sound.close()

    def _next_target(self) -> float | None:
        """Waits while the file is paused; where to seek to, or None."""
        self.playback.wait_while_paused(self._stopped.is_set)
        return self.playback.take_target()

    def _paced(self) -> Iterator[tuple[Frame, float]]:
        """Frames and their seconds from the beginning of the opened file, each at its time."""
        due = last = None
        for frame in self._source.frames():
            now = perf_counter()
            if last is not None and not 0 <= frame.seconds - last <= LONGEST_WAIT:
                self.info.diagnostics.warn("times in the file jump; it is played on without waiting for them")
                due = now
            elif due is None or last is None or now - due > LONGEST_WAIT:  # the first frame, or the first after a pause
                due = now
            else:
                due += frame.seconds - last
            last = frame.seconds
            if self._stopped.wait(max(0.0, due - now)):
                return
            yield frame, frame.seconds
