"""A recording beside a live picture: started and stopped while the stream runs, in one file or a new one every so
often, as dashcams do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from math import ceil
from pathlib import Path

from realtime.errors import SinkError
from realtime.frame import Frame, PixelFormat, StreamInfo
from realtime.sinks.base import Sink
from realtime.sound import SoundRelay

#: Seconds between two frames of a file at least.
SHORTEST_FRAME = Fraction(1, 1000)


def dated_path(folder: Path, suffix: str, now: Callable[[], datetime] = datetime.now, *, stem: str = "") -> Path:
    """A name in `folder` that says when the file began, in local time, behind `stem`, and that is not taken yet."""
    name = f"{stem}_" * bool(stem) + now().strftime("%Y-%m-%d_%H-%M-%S")
    path, number = folder / f"{name}{suffix}", 2
    while path.exists():
        path, number = folder / f"{name}_{number}{suffix}", number + 1
    return path


class Recording(Sink):
    """Writes to the sinks that ``make(number)`` opens, one after another: path and sink of file `number`, from 0.

    `every` is the length of a file in seconds, None for one file from start to stop. `toggle` starts and stops it from
    another thread; with `active` it starts with the first frame. A file that cannot be written, such as on a full disk,
    ends the recording and is reported, and is the `failure`; the stream goes on. Times in each file count from its
    first frame, and are at least `SHORTEST_FRAME` apart.
    """

    name = "recording"

    def __init__(
        self, make: Callable[[int], tuple[Path, Sink]], every: float | None = None, active: bool = True
    ) -> None:
        self._make = make
        self._every = None if every is None else Fraction(every).limit_denominator(1000)
        self._lock = threading.Lock()
        self._active = active
        self._sink: Sink | None = None
        self._path: Path | None = None
        self._sound: SoundRelay | None = None
        self._first_pts = self._last_pts = self._started = 0
        self.failure: SinkError | None = None

    @property
    def path(self) -> Path | None:
        """The file that is, or was last, recorded to."""
        return self._path

    @property
    def active(self) -> bool:
        """Whether frames are being recorded."""
        return self._active

    def toggle(self) -> bool:
        """Starts or stops with the next frame; returns whether it records then."""
        with self._lock:
            self._active = not self._active
            return self._active

    def format_for(self, info: StreamInfo) -> PixelFormat:
        return self._make(0)[1].format_for(info)

    def open(self, info: StreamInfo) -> None:
        self._info = info

    def write(self, frame: Frame) -> None:
        with self._reported_errors():
            self._write(frame)

    def close(self) -> None:
        with self._reported_errors():
            self._finish()

    def _write(self, frame: Frame) -> None:
        if self._sink is not None and (not self._active or self._is_due(frame)):
            self._finish()
        if not self._active:
            return
        if self._sink is None:
            self._start(frame)
        assert self._sink is not None
        # Frames of a camera may arrive together, and Matroska's clock cannot tell times apart that are closer.
        shortest = max(1, ceil(SHORTEST_FRAME / frame.time_base))
        self._last_pts = max(frame.pts - self._first_pts, self._last_pts + shortest)
        self._sink.write(replace(frame, pts=self._last_pts, original=None))

    def _start(self, frame: Frame) -> None:
        self._path, sink = self._make(self._started)
        if self._info.sound is not None:
            self._sound = self._info.sound.follow(frame.pts * frame.time_base)
        sink.open(replace(self._info, sound=self._sound))
        self._sink, self._first_pts = sink, frame.pts
        self._last_pts = -max(1, ceil(SHORTEST_FRAME / frame.time_base))
        self._started += 1
        self._info.events.publish("recording_started", path=str(self._path))

    def _is_due(self, frame: Frame) -> bool:
        elapsed = (frame.pts - self._first_pts) * frame.time_base
        return self._every is not None and elapsed >= self._every

    def _finish(self) -> None:
        sink, self._sink = self._sink, None
        self._forget_sound()
        if sink is not None:
            sink.close()
            self._info.events.publish("recording_finished", path=str(self._path))

    @contextmanager
    def _reported_errors(self) -> Iterator[None]:
        try:
            yield
        except SinkError as error:
            self._active, self._sink, self.failure = False, None, error  # the sink aborted itself
            self._forget_sound()
            self._info.diagnostics.warn(f"recording ended: {error.problem}")
            self._info.events.publish("output_failed", path=str(self._path), reason=error.problem)

    def _forget_sound(self) -> None:
        if self._sound is not None and self._info.sound is not None:
            self._info.sound.forget(self._sound)
        self._sound = None
