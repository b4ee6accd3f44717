"""Network cameras that stall, break off, do not answer, or send frames without times."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import synthetic
from camera_servers import CameraServer, Ending, HttpCamera, RtspCamera, h264_units, jpeg_parts, rtp_parts

from realtime import Frame, SourceError
from realtime.sources.limited import Limited
from realtime.sources.network import NetworkCamera

#: Seconds within which anything that happens at all happens.
SOON = 20
#: A read timeout that no test waits for.
NEVER = 3600.0
COUNT = 90


def http(folder: Path, ending: Ending, promised: bool = False) -> CameraServer:
    data = synthetic.clip(folder / "camera.mkv", 320, 240, COUNT, codec="ffv1").read_bytes()
    part = data[: len(data) if ending == "end" else len(data) * 2 // 3]
    return HttpCamera([part], ending, length=len(data) if promised else None)


def http_with_length(folder: Path, ending: Ending) -> CameraServer:
    return http(folder, ending, promised=True)


def mjpeg(folder: Path, ending: Ending) -> CameraServer:
    return HttpCamera(jpeg_parts(COUNT), ending, kind="multipart/x-mixed-replace; boundary=frame")


def rtsp(folder: Path, ending: Ending) -> CameraServer:
    return RtspCamera(rtp_parts(h264_units(folder, COUNT)), ending)


Make = Callable[[Path, Ending], CameraServer]
CAMERAS: list[Make] = [http, http_with_length, mjpeg, rtsp]
by_name = pytest.mark.parametrize("make", CAMERAS, ids=lambda make: make.__name__)


@contextmanager
def reading(source: NetworkCamera | Limited) -> Iterator[tuple[list[Frame], threading.Thread]]:
    """Reads frames in a thread, as capture does."""
    frames: list[Frame] = []
    thread = threading.Thread(target=lambda: frames.extend(source.frames()))
    thread.start()
    try:
        yield frames, thread
    finally:
        source.stop()
        thread.join()
        source.close()


@by_name
def test_stop_ends_the_reading_of_a_stalled_camera(make: Make, tmp_path: Path) -> None:
    with make(tmp_path, "stall") as server, reading(NetworkCamera(server.address, read_timeout=NEVER)) as (_, thread):
        assert server.sent.wait(SOON)
        assert thread.is_alive()
    assert not thread.is_alive()


@by_name
@pytest.mark.parametrize("ending", ["stall", "cut"])
def test_a_camera_that_is_lost_is_an_error_after_what_it_sent(make: Make, ending: Ending, tmp_path: Path) -> None:
    frames: list[Frame] = []
    with (
        make(tmp_path, ending) as server,
        NetworkCamera(server.address, read_timeout=1.0) as source,
        pytest.raises(SourceError) as caught,
    ):
        frames.extend(source.frames())
    assert "broke off: nothing came for 1 s" in str(caught.value) or ending == "cut"
    assert "broke off: the connection was closed" in str(caught.value) or ending == "stall"
    indices = [synthetic.index_at(float(frame.planes[0].mean())) for frame in frames]
    assert len(frames) >= COUNT // 3
    if make is not mjpeg:  # whose matrix and range are others
        assert indices == [index % 36 for index in range(len(frames))]


@pytest.mark.parametrize("make", [http, http_with_length])
def test_a_file_on_a_server_has_an_end(make: Make, tmp_path: Path) -> None:
    with make(tmp_path, "end") as server, NetworkCamera(server.address) as source:
        assert len(list(source.frames())) == COUNT


def test_a_limit_ends_a_stalled_camera(tmp_path: Path) -> None:
    with rtsp(tmp_path, "stall") as server:
        with Limited(NetworkCamera(server.address, read_timeout=NEVER), seconds=1.0) as source:
            assert list(source.frames())
        assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]


class Silent(CameraServer):
    """Takes a connection and says nothing. `scheme` is what the test asks it by."""

    def serve(self, connection: object) -> None:
        self.sent.set()


@pytest.mark.parametrize("scheme", ["http", "rtsp", "rtmp", "tcp"])
def test_a_server_that_says_nothing_is_an_error_in_time(scheme: str) -> None:
    """RTMP among them: there libav's option `timeout` would make this program the server, and nobody would connect."""
    with Silent([], "stall") as server:
        address = server.address.replace("http", scheme)
        with pytest.raises(SourceError, match="no answer within 1 s"):
            NetworkCamera(address, open_timeout=1.0)
        assert server.sent.is_set()


def test_errors_and_their_tracebacks_hold_no_password(tmp_path: Path) -> None:
    with Silent([], "cut") as server:
        address = f"http://admin:s3cret@127.0.0.1:{server.port}/video?token=s3cret"
        with pytest.raises(SourceError) as caught:
            NetworkCamera(address)
    text = "".join(traceback.format_exception(caught.value))
    assert "127.0.0.1" in text
    assert "s3cret" not in text.replace(f'NetworkCamera("{address}")', "")


def test_a_stream_that_is_refused_is_closed(tmp_path: Path) -> None:
    data = synthetic.clip(tmp_path / "hdr.mkv", 320, 240, COUNT, codec="ffv1", transfer=16).read_bytes()
    with HttpCamera([data], "stall") as server:
        with pytest.raises(SourceError, match="HDR"):
            NetworkCamera(server.address)
        assert server.left.wait(SOON)


def test_frames_without_times_get_those_of_their_arrival(tmp_path: Path) -> None:
    interval = 0.15
    camera = HttpCamera(jpeg_parts(10), "end", interval, kind="multipart/x-mixed-replace; boundary=frame")
    frames: list[Frame] = []
    with camera as server, NetworkCamera(server.address) as source:
        with pytest.raises(SourceError, match="the connection was closed"):
            frames.extend(source.frames())
        assert source.info.rate is None
        assert "repaired_timestamps" not in source.info.diagnostics.counts
    # libav reads up to three frames when it opens the stream; none of the others can come before it was sent.
    assert len(frames) == 10
    assert frames[-1].seconds - frames[0].seconds >= 6 * interval
