"""Streams over HTTP and UDP: bursts, backlog, sizes that change, key frames that are late, times of arrival."""

from __future__ import annotations

import functools
import http.server
import itertools
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import synthetic
from camera_servers import HttpCamera, RtspCamera, h264_units, jpeg_parts, rtp_parts
from live_process import free_port, running

from realtime.frame import Frame
from realtime.sources.network import NetworkCamera
from realtime.sources.reconnecting import Reconnecting


@contextmanager
def web_server(folder: Path) -> Iterator[str]:
    """The address of a web server on this machine with the files of a folder."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def arrivals(source: NetworkCamera) -> list[Frame]:
    with source:
        return list(source.frames())


def first_frame(source: NetworkCamera) -> Frame:
    with source:
        frames = iter(source.frames())
        frame = next(frames)
        source.stop()
        list(frames)  # ends the reading
        return frame


def pace(frames: list[Frame]) -> float:
    """Seconds that the frames took to come for each second of their time."""
    return (frames[-1].captured_at - frames[0].captured_at) / (frames[-1].seconds - frames[0].seconds)


def test_a_file_on_a_web_server_plays_at_its_own_pace_and_ends(tmp_path: Path) -> None:
    synthetic.clip(tmp_path / "film.mp4", count=50)
    with web_server(tmp_path) as address:
        source = Reconnecting(lambda: NetworkCamera(f"{address}/film.mp4"))
        with source:
            frames = list(source.frames())
    assert len(frames) == 50
    assert pace(frames) == pytest.approx(1.0, abs=0.3)


@pytest.mark.needs("ffmpeg")
def test_segments_of_hls_are_played_evenly(tmp_path: Path) -> None:
    clip = synthetic.clip(tmp_path / "film.mp4", count=100)
    options = ["-c:v", "libx264", "-g", "25", "-f", "hls", "-hls_time", "1", "-hls_playlist_type", "vod"]
    command = ["ffmpeg", "-v", "error", "-i", str(clip), *options, str(tmp_path / "list.m3u8")]
    subprocess.run(command, check=True)
    with web_server(tmp_path) as address:
        frames = arrivals(NetworkCamera(f"{address}/list.m3u8"))
    assert len(frames) == 100
    assert pace(frames) == pytest.approx(1.0, abs=0.3)
    pauses = sorted(after.captured_at - before.captured_at for before, after in itertools.pairwise(frames))
    assert pauses[len(pauses) // 2] == pytest.approx(0.04, abs=0.02)


def test_what_a_camera_had_sent_before_is_not_shown(tmp_path: Path) -> None:
    """A backlog of 40 frames comes at once, the others 25 a second."""
    parts = rtp_parts(h264_units(tmp_path, count=100))
    with RtspCamera([b"".join(parts[:40]), *parts[40:]], "end", interval=0.04) as server:
        first = first_frame(NetworkCamera(server.address, skip_backlog=True))
    assert first.seconds >= 40 / 25


def test_pictures_of_a_multipart_camera_are_timed_by_arrival() -> None:
    with HttpCamera(jpeg_parts(30), "cut", 0.1, "multipart/x-mixed-replace; boundary=frame") as server:
        source = NetworkCamera(server.address)
        frames: list[Frame] = []
        with source, pytest.raises(Exception, match="closed"):
            frames.extend(source.frames())
    assert len(frames) >= 20
    assert pace(frames) == pytest.approx(1.0, abs=0.1)
    assert (frames[-1].seconds - frames[0].seconds) / (len(frames) - 1) == pytest.approx(0.1, abs=0.03)


@pytest.mark.needs("ffmpeg")
def test_udp_that_is_joined_in_a_long_group_of_pictures_waits_for_its_next_key_frame(tmp_path: Path) -> None:
    clip = synthetic.clip(tmp_path / "long.mp4", count=250)  # one group of ten seconds
    port = free_port(socket.SOCK_DGRAM)
    options = f"-c:v copy -f mpegts udp://127.0.0.1:{port}?pkt_size=1316".split()
    command = ["ffmpeg", "-v", "error", "-re", "-stream_loop", "-1", "-i", str(clip), *options]
    with running(command):
        threading.Event().wait(2.0)
        source = NetworkCamera(f"udp://127.0.0.1:{port}", skip_backlog=True)
        first = first_frame(source)
    # The clip begins with its key frame, so that only its first pictures can be the first ones.
    assert synthetic.index_at(float(first.planes[0].mean())) < 36
    assert "concealed_frames" not in source.info.diagnostics.counts
    assert any("next one" in message.text for message in source.info.diagnostics.messages)
