"""The outputs of a run: each sink with a channel of its own, so that a slow one does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, count

from realtime.concurrency import Channel
from realtime.errors import StopStreaming
from realtime.frame import RGB, Frame, PixelFormat, StreamInfo
from realtime.media.pixel_formats import convert
from realtime.sinks.base import HearsEnd, Interactive, Sink

#: Frames that a recording may lag behind a live picture before capture has to drop some.
RECORDING_BACKLOG = 32


class Output:
    """One sink of a run: the `format` it asked for, the `channel` where its frames wait, the `name` in reports."""

    def __init__(self, sink: Sink, name: str, format: PixelFormat, info: StreamInfo, depth: int, alone: bool) -> None:
        """`depth` is how many frames may wait; `alone` whether it is the run's only output."""
        self.sink, self.name, self.format = sink, name, format
        self.is_window = isinstance(sink, Interactive)
        self._latest: int | None = None
        # A window that is too slow skips frames; a recording may lag behind, but gets all that were captured.
        if info.live and sink.may_drop and not alone:
            self.channel = Channel[Frame](depth, evict=True)
        else:
            self.channel = Channel[Frame](max(depth, RECORDING_BACKLOG) if info.live else depth)

    def write_all(self, count: Callable[[str, Frame], None], stop: Callable[[], None]) -> None:
        """Writes what comes through the channel; `count` is told of each frame, `stop` when the sink wants no more."""
        window = self.sink if isinstance(self.sink, Interactive) else None
        try:
            while (frames := self.channel.take(1, window.poll_interval if window else None)) != []:
                for frame in frames or ():
                    # A frame made anew is for those who still show it, or a window that stands still at it.
                    if frame.repeated and frame.pts != self._latest and window is None:
                        continue
                    self.sink.write(convert(frame, self.format))
                    if not frame.repeated:
                        self._latest = frame.pts
                        count(self.name, frame)
                if window:
                    window.poll()
        except StopStreaming:
            self.channel.cancel()
            stop()
        finally:
            if isinstance(self.sink, HearsEnd):
                self.sink.end()


def make_outputs(sinks: Sequence[Sink], formats: Sequence[PixelFormat], info: StreamInfo, depth: int) -> list[Output]:
    """An output for each sink and the format it asked for, under names that differ."""
    names: list[str] = []
    for sink in sinks:
        candidates = chain([sink.name], (f"{sink.name} #{number}" for number in count(2)))
        names.append(next(name for name in candidates if name not in names))
    alone = len(sinks) == 1
    return [Output(*about, info, depth, alone) for about in zip(sinks, names, formats)]


def session_format(formats: Sequence[PixelFormat]) -> PixelFormat:
    """What a session should make: what the first file asks for. Windows get RGB made of it."""
    return next((format for format in formats if format != RGB), RGB)
