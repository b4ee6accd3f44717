"""A live picture before the network has loaded."""

from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import pytest
from doubles import Echo

from realtime import Control, Frame, PixelFormat, StreamInfo
from realtime.control import ControlState, Standing
from realtime.enhance.quick_start import QuickStart
from realtime.events import Event
from realtime.frame import RGB
from realtime.processor import Processor, Refreshes, Session

TIMEOUT = 20
YUV = PixelFormat("yuv", 8, (2, 2), full_range=False)


class Loading:
    """Makes an `Echo` when it is allowed to."""

    def __init__(self, error: Exception | None = None) -> None:
        self.allowed, self.echo, self._error = threading.Event(), Echo(), error

    def __call__(self) -> Processor:
        assert self.allowed.wait(TIMEOUT)
        if self._error is not None:
            raise self._error
        return self.echo


def dark(index: int = 0, format: PixelFormat = YUV) -> Frame:
    """A frame whose brightest place is level 60: three stops dark."""
    ramp = np.tile(np.linspace(16, 60, 64).astype(np.uint8), (48, 1))
    planes = (ramp, *(np.full((24, 32), 128, np.uint8),) * 2) if format.model == "yuv" else (np.dstack([ramp] * 3),)
    return Frame(planes, format, pts=index * 40)


def wait_until_ready(session: Session) -> None:
    session._thread.join(TIMEOUT)  # type: ignore[attr-defined]


@pytest.mark.parametrize("format", [YUV, RGB], ids=["yuv", "rgb"])
def test_the_first_frames_are_lifted_and_then_the_network_joins(format: PixelFormat) -> None:
    loading, info = Loading(), StreamInfo(64, 48, format, live=True)
    heard: list[Event] = []
    info.events.subscribe(heard.append)
    session = QuickStart(loading, Control(), 12).session(info, format)
    frame = dark(format=format)
    (early,) = session.process([frame])
    assert session.describe().engine == "exposure"
    assert early.planes[0].mean() > 1.5 * frame.planes[0].mean()
    assert early.original is frame
    assert early.format == format
    loading.allowed.set()
    wait_until_ready(session)
    (late,) = session.process([dark(1, format)])
    assert (late.planes[0] == dark(format=format).planes[0]).all(), "Echo returns what it gets"
    assert session.describe().engine == "echo"
    assert [event.kind for event in heard] == ["engine_changed"]
    session.close()
    assert loading.echo.closed == 1


def test_settings_act_before_the_network_has_joined() -> None:
    loading, control = Loading(), Control(ControlState(exposure=0.0))
    session = QuickStart(loading, control, 1).session(StreamInfo(64, 48, YUV, live=True), YUV)
    (plain,) = session.process([dark()])
    assert abs(plain.planes[0].astype(int) - dark().planes[0]).max() <= 1
    control.update(exposure=3.0)
    (lifted,) = session.process([dark(1)])
    assert lifted.planes[0].mean() > 1.5 * dark().planes[0].mean()
    control.update(enhanced=False)
    (off,) = session.process([dark(2)])
    assert (off.planes[0] == dark().planes[0]).all()
    loading.allowed.set()
    wait_until_ready(session)
    session.close()


def test_a_paused_picture_shows_what_is_changed_and_the_network_when_it_joins() -> None:
    loading, control, woken = Loading(), Control(ControlState(exposure=0.0)), threading.Event()
    session = QuickStart(loading, control, 12).session(StreamInfo(64, 48, YUV, live=True), YUV)
    assert isinstance(session, Refreshes)
    session.watch(woken.set)
    (shown,) = session.process([dark()])
    control.hold(Standing.SOURCE)
    assert session.refresh() is None
    control.update(exposure=3.0)
    lifted = session.refresh()
    assert lifted is not None
    assert lifted.repeated
    assert lifted.planes[0].mean() > 1.5 * shown.planes[0].mean()
    control.update(enhanced=False)
    off = session.refresh()
    assert off is not None
    assert (off.planes[0] == dark().planes[0]).all()
    woken.clear()
    loading.allowed.set()
    assert woken.wait(TIMEOUT)
    wait_until_ready(session)
    joined = session.refresh()
    assert joined is not None
    assert (joined.repeated, session.describe().engine) == (True, "echo")
    session.close()


def test_an_error_while_loading_is_raised_where_frames_are_processed() -> None:
    error = ValueError("no such weights")
    loading = Loading(error)
    session = QuickStart(loading, Control(), 1).session(StreamInfo(64, 48, YUV, live=True), YUV)
    loading.allowed.set()
    wait_until_ready(session)
    with pytest.raises(ValueError, match="no such weights") as caught:
        session.process([dark()])
    assert caught.value is error
    session.close()


def test_a_frame_of_another_size_is_lifted_too() -> None:
    loading = Loading()
    session = QuickStart(loading, Control(), 12).session(StreamInfo(64, 48, YUV, live=True), YUV)
    session.process([dark()])
    small = Frame(
        tuple(plane[:16, :16] for plane in dark().planes[:1]) + (np.full((8, 8), 128, np.uint8),) * 2, YUV, 40
    )
    assert session.process([small])[0].width == 16
    loading.allowed.set()
    wait_until_ready(session)
    session.close()


def test_closing_does_not_wait_and_what_is_loaded_later_is_closed() -> None:
    loading = Loading()
    session = QuickStart(loading, Control(), 1).session(StreamInfo(64, 48, YUV, live=True), YUV)
    session.close()
    assert loading.echo.closed == 0
    loading.allowed.set()
    wait_until_ready(session)
    assert loading.echo.closed == 1


def test_it_loads_no_tensorflow_by_itself() -> None:
    code = "import sys, realtime.enhance.quick_start; print([m for m in ('tensorflow', 'keras') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
