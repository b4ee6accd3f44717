"""A live picture before TensorFlow has loaded: exposure alone, until the network joins.

Exposure and memory are NumPy and OpenCV and start at once. A thread loads the enhancer and compiles meanwhile; from the
first frame after that, its session takes over. Files do not use this: they must come out the same each time. Live
streams on a CPU rarely do: the fast engine needs no TensorFlow there (`autoselect.loads_tensorflow`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from realtime.concurrency import LOADER
from realtime.control import Control, ControlState
from realtime.enhance.exposure.fine import to_samples
from realtime.enhance.exposure.stream import StreamExposure
from realtime.frame import Frame, PixelFormat, StreamInfo
from realtime.media.pixel_formats import convert
from realtime.processor import EngineInfo, Processor, Session

#: What reports call the time before the network has joined.
ENGINE_NAME = "exposure"


class QuickStart:
    """A processor for live streams that `make` s another one in the background.

    `make` returns a processor whose sessions read the same `control`; its errors are raised by the session's next
    `process`. `denoise` is the longest memory over time, in frames.
    """

    def __init__(self, make: Callable[[], Processor], control: Control, denoise: int) -> None:
        self._make, self._control, self._denoise = make, control, denoise

    def session(self, info: StreamInfo, format: PixelFormat) -> Session:
        """A session that works at once."""
        return _QuickSession(self._make, info, format, self._control, self._denoise)


class _QuickSession:
    batch = 1

    def __init__(
        self, make: Callable[[], Processor], info: StreamInfo, format: PixelFormat, control: Control, denoise: int
    ) -> None:
        self._make, self._info, self.format = make, info, format
        self._control, self._settings = control, control.state
        # RGB sources are lifted in the matrix of the output, which then need not be converted.
        self._working = info.format if info.format.model != "rgb" else replace(info.format, matrix=format.matrix)
        self._exposure = StreamExposure(self._working, _exposure_of(self._settings), denoise)
        self._session: Session | None = None
        self._ready: Session | None = None
        self._failure: BaseException | None = None
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._load, name=LOADER)
        self._thread.start()

    def process(self, frames: Sequence[Frame]) -> list[Frame]:
        """The frames, lifted, or enhanced once the network has joined."""
        if self._failure is not None:
            raise self._failure
        if self._session is None and self._ready is not None:
            self._session = self._ready
            self._info.events.publish("engine_changed", engine=self._session.describe().engine)
        if self._session is not None:
            return self._session.process(frames)
        return [self._lifted(frame) for frame in frames]

    def skip(self, frames: Sequence[Frame]) -> None:
        """Advances exposure and memory."""
        if self._session is not None:
            self._session.skip(frames)
        else:
            for frame in frames:
                self._exposure.next(frame)

    def restart(self) -> None:
        """The next frame follows a gap."""
        self._exposure.restart()
        if self._session is not None:
            self._session.restart()

    def describe(self) -> EngineInfo:
        """What computes now."""
        return EngineInfo(ENGINE_NAME) if self._session is None else self._session.describe()

    def close(self) -> None:
        """Closes what was made. Loading cannot be cut short and takes seconds, or minutes with a GPU: it is not waited
        for, and what it makes is closed by its thread, which `LOADER` names."""
        with self._lock:
            self._closed, ready = True, self._ready
        if ready is not None:
            ready.close()

    def _load(self) -> None:
        try:
            session = self._make().session(self._info, self.format)
        except BaseException as error:  # raised where the frames are processed
            self._failure = error
            return
        with self._lock:
            if not self._closed:
                self._ready = session
                return
        session.close()

    def _lifted(self, frame: Frame) -> Frame:
        settings = self._control.state
        if settings is not self._settings:
            self._settings = settings
            self._exposure.set(_exposure_of(settings), settings.exposure_bias)
        if not settings.enhanced or frame.format != self._info.format:
            output = convert(frame, self.format)
        else:
            planes = to_samples(self._exposure.next(frame), self._working)
            output = convert(frame.with_planes(planes, self._info.format), self.format)
        return replace(output, original=frame)


def _exposure_of(settings: ControlState) -> str | float:
    return "auto" if settings.exposure is None else settings.exposure
