"""A live source that is opened again whenever it is lost: a camera unplugged, a stream cut or stalled."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, repeat
from time import perf_counter

from realtime.diagnostics import Counted
from realtime.errors import SourceError, SourceLost
from realtime.frame import Frame
from realtime.media.pixel_formats import fit
from realtime.sources.base import Source
from realtime.sources.reaching import in_short

#: Seconds between attempts: growing, so that a camera that reboots is not hammered, and short at first.
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
LONGEST_PAUSE = 15.0
#: Seconds by which a camera's time may run ahead of or behind the time that passed from frame to frame. What is more is
#: a jump of its clock, which is set by a server now and then, or starts over, as MPEG-TS's does after 26 hours.
LARGEST_JUMP = 5.0


class Reconnecting(Source):
    """The frames of the source that `connect` opens, and of each one it opens after a loss.

    Across a gap, and where the camera's clock jumps, timestamps go on by the time that really passed. Frames of another
    size or format are brought to those of the first connection. ``info.link`` tells viewers while nothing arrives,
    ``info.events`` has ``opened``, ``lost``, ``reconnected`` and ``gave_up``. A source that ends without an error has
    ended, such as a file on a web server.

    Raises what `connect` raises the first time, and SourceLost after `give_up_after` seconds without a frame (None:
    never).
    """

    def __init__(self, connect: Callable[[], Source], give_up_after: float | None = None) -> None:
        self._connect, self._give_up_after = connect, give_up_after
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._source: Source | None = connect()
        self.info = self._source.info
        self._last: Frame | None = None

    def frames(self) -> Iterator[Frame]:
        self.info.events.publish("opened", source=self.info.name, width=self.info.width, height=self.info.height)
        since = perf_counter()
        pauses = chain(PAUSES, repeat(LONGEST_PAUSE))
        while not self._stopped.is_set():
            reason = ""
            try:
                for frame in self._connected_frames():
                    if not self.info.link.state.connected:
                        self._restored(frame.captured_at - since)
                    since, pauses = frame.captured_at, chain(PAUSES, repeat(LONGEST_PAUSE))
                    yield frame
            except SourceError as error:
                reason = str(error)
            if self._stopped.is_set() or not reason:
                return
            self._close_source()
            self._wait(reason, since, next(pauses))

    def stop(self) -> None:
        self._stopped.set()
        with self._lock:
            if self._source is not None:
                self._source.stop()

    def close(self) -> None:
        self._close_source()

    def _connected_frames(self) -> Iterator[Frame]:
        """Frames of one connection, with times that follow those of the one before."""
        source = self._source or self._connect()
        with self._lock:
            self._source = source
            if self._stopped.is_set():
                return
        shift: int | None = None
        for frame in source.frames():
            pts = round(frame.pts * frame.time_base / self.info.time_base)
            if self._last is None:
                shift = 0
            elif shift is None or self._jumps(frame, pts + shift):
                if shift is not None:
                    self.info.diagnostics.warn("the camera's clock jumps; times go on without the jump")
                before, shift = shift or 0, self._pts_after_gap(frame) - pts
                self._shift_sound(source, before, shift)
            frame = replace(fit(frame, self.info), pts=pts + shift, time_base=self.info.time_base)
            if (frame.width, frame.height) != (source.info.width, source.info.height):
                self.info.diagnostics.count(Counted.RESIZED_FRAMES)
            self._last = frame
            yield frame

    def _jumps(self, frame: Frame, pts: int) -> bool:
        """Whether so timed a frame does not follow the last one in the time that passed."""
        assert self._last is not None
        passed = frame.captured_at - self._last.captured_at
        return abs(float((pts - self._last.pts) * self.info.time_base) - passed) > LARGEST_JUMP

    def _shift_sound(self, source: Source, before: int, shift: int) -> None:
        """The sound goes on where recordings listen, with the times of the frames."""
        if self.info.sound is None or source.info.sound is None:
            return
        if source.info is self.info:
            self.info.sound.move((shift - before) * self.info.time_base)
        else:
            source.info.sound.connect(self.info.sound, shift * self.info.time_base)

    def _pts_after_gap(self, frame: Frame) -> int:
        """The timestamp of the first frame behind a gap: that of the last one, and the time that passed since."""
        assert self._last is not None
        passed = max(frame.captured_at - self._last.captured_at, 0.0)
        return self._last.pts + max(1, round(passed / self.info.time_base))

    def _wait(self, reason: str, since: float, pause: float) -> None:
        """Reports the loss and waits for the next attempt. Raises SourceLost when the time is up."""
        gone = perf_counter() - since
        if self._give_up_after is not None and gone + pause > self._give_up_after:
            self._stopped.wait(max(self._give_up_after - gone, 0.0))
            if self._stopped.is_set():
                return
            self.info.events.publish("gave_up", source=self.info.name, seconds=round(perf_counter() - since, 1))
            raise SourceLost(
                f"{self.info.name} is lost and did not come back within {self._give_up_after:g} s: {reason}"
            )
        if self.info.link.state.connected:
            self.info.events.publish("lost", source=self.info.name, reason=reason)
            self.info.diagnostics.warn(f"lost: {reason}" if self.info.name not in reason else reason)
        # Short, as it stands on the picture; the terminal has the whole reason.
        short = "\n".join(filter(None, ("The source is lost", in_short(reason, self.info.name))))
        self.info.link.lost(f"{short}\ntrying again in {pause:g} s")
        self._stopped.wait(pause)
        self.info.link.lost(f"{short}\ntrying again ...")  # which may take seconds

    def _restored(self, seconds: float) -> None:
        self.info.link.restored()
        self.info.events.publish("reconnected", source=self.info.name, seconds=round(seconds, 1))

    def _close_source(self) -> None:
        with self._lock:
            source, self._source = self._source, None
        if source is not None:
            source.close()
