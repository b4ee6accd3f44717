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
from realtime.control import Control, ControlState, Standing
from realtime.enhance.exposure.fine import Fine, to_samples
from realtime.enhance.exposure.stream import StreamExposure
from realtime.enhance.still import Still
from realtime.frame import Frame, PixelFormat, StreamInfo
from realtime.media.pixel_formats import convert
from realtime.processor import EngineInfo, Processor, Refreshes, Session

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
        self._denoise = denoise
        self._exposure = StreamExposure(self._working, _exposure_of(self._settings), denoise)
        self._session: Session | None = None
        self._ready: Session | None = None
        self._failure: BaseException | None = None
        self._lock = threading.Lock()
        self._closed = False
        self._still, self._newest = Still(), None  # type: tuple[Still, Frame | None]
        self._wake: Callable[[], None] | None = None
        self._thread = threading.Thread(target=self._load, name=LOADER)
        self._thread.start()

    def process(self, frames: Sequence[Frame]) -> list[Frame]:
        """The frames, lifted, or enhanced once the network has joined."""
        self._join()
        self._newest = frames[-1] if frames else self._newest
        if self._session is not None:
            return self._session.process(frames)
        return [self._lifted(frame) for frame in frames]

    def watch(self, wake: Callable[[], None]) -> None:
        """Calls `wake` whenever the user changes something or the network has been loaded."""
        self._wake = wake
        self._control.subscribe(wake)

    def refresh(self) -> Frame | None:
        """The picture that viewers stand still at, where what the user changed makes it another one."""
        if self._join() and self._newest is not None and self._control.standing is Standing.SOURCE:
            assert self._session is not None
            return replace(self._session.process([self._newest])[-1], repeated=True)
        if isinstance(self._session, Refreshes):
            return self._session.refresh()
        self._settings = self._control.state
        return self._still.refresh(self._control.standing, self._settings, self._made_again)

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
        if self._wake is not None:
            self._control.unsubscribe(self._wake)
        with self._lock:
            self._closed, ready = True, self._ready
        if ready is not None:
            ready.close()

    def _load(self) -> None:
        try:
            session = self._make().session(self._info, self.format)
        except BaseException as error:  # raised where the frames are processed
            self._failure = error
            self._control.wake()
            return
        with self._lock:
            if not self._closed:
                self._ready = session
        if self._ready is session:
            self._control.wake()
        else:
            session.close()

    def _join(self) -> bool:
        """Lets the network join if it has been loaded; whether it does so now."""
        if self._failure is not None:
            raise self._failure
        if self._session is not None or self._ready is None:
            return False
        self._session = self._ready
        self._info.events.publish("engine_changed", engine=self._session.describe().engine)
        return True

    def _lifted(self, frame: Frame) -> Frame:
        self._settings = self._control.state
        self._set(self._exposure)
        passed = not self._settings.enhanced or frame.format != self._info.format
        output = self._passed(frame) if passed else self._output(frame, self._exposure.next(frame))
        self._still.note(frame, output, self._settings, None if passed else self._exposure)
        return output

    def _made_again(self, frame: Frame, exposure: StreamExposure | None) -> Frame:
        """The frame with the settings now. `exposure` knows it, unless it was passed through."""
        if not self._settings.enhanced or frame.format != self._info.format:
            return self._passed(frame)
        if exposure is None:
            exposure = StreamExposure(self._working, _exposure_of(self._settings), self._denoise)
            exposure.next(frame)
        self._set(exposure)
        return self._output(frame, exposure.again())

    def _set(self, exposure: StreamExposure) -> None:
        exposure.set(_exposure_of(self._settings), self._settings.exposure_bias)

    def _passed(self, frame: Frame) -> Frame:
        return replace(convert(frame, self.format), original=frame)

    def _output(self, frame: Frame, lifted: Fine) -> Frame:
        planes = to_samples(lifted, self._working)
        return replace(convert(frame.with_planes(planes, self._info.format), self.format), original=frame)


def _exposure_of(settings: ControlState) -> str | float:
    return "auto" if settings.exposure is None else settings.exposure
