"""A real RTSP server, cut, restored and frozen under a running ``realtime live``."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from time import monotonic

import pytest
from live_process import HEADLESS, Live, free_port, largest_gap, rtsp_server, running, times

from realtime.sources.network import READ_TIMEOUT

pytest.importorskip("aio_rtsp_toolkit", reason="aio-rtsp-toolkit, a server for these tests, is not installed")


def test_a_server_that_dies_and_comes_back_leaves_one_recording_with_true_times(served: Path, tmp_path: Path) -> None:
    port, target = free_port(), tmp_path / "recording.mkv"
    address = f"rtsp://127.0.0.1:{port}/camera.mp4"
    with running(rtsp_server(served, port), port) as server:
        live = Live(address, *HEADLESS, "--record", str(target))
        with live:
            live.until("recording_started")
            began = monotonic()
            threading.Event().wait(2.0)
            server.kill()
            lost = live.until("lost")
            threading.Event().wait(1.0)
            with running(rtsp_server(served, port), port):
                back = live.until("reconnected")
                threading.Event().wait(2.0)
                code, _ = live.end()
                passed = monotonic() - began
    assert code == 130, live.messages
    assert lost["source"] == back["source"] == address
    assert back["seconds"] >= 1.0
    assert live.kinds().count("recording_started") == live.kinds().count("recording_finished") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["recording.mkv"]
    moments, sound = times(target), times(target, "audio")
    assert largest_gap(moments) == pytest.approx(back["seconds"], abs=1.0)
    assert float(moments[-1]) <= passed + 1.0  # no time was made up
    assert sound[0] <= 0.5
    assert abs(float(moments[-1] - sound[-1])) < 1.0
    assert largest_gap(sound) == pytest.approx(largest_gap(moments), abs=0.5)


def test_a_server_that_freezes_is_noticed_and_ending_is_heard_meanwhile(served: Path) -> None:
    port = free_port()
    with (
        running(rtsp_server(served, port), port) as server,
        Live(f"rtsp://127.0.0.1:{port}/camera.mp4", *HEADLESS) as live,
    ):
        live.until("opened")
        threading.Event().wait(2.0)
        server.send_signal(signal.SIGSTOP)
        lost = live.until("lost")
        assert f"{READ_TIMEOUT:g} s" in lost["reason"]
        code, _ = live.end(signal.SIGINT)
    assert code == 130
    assert live.kinds()[-1] == "closed"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_finishes_the_recording_while_nothing_arrives(
    served: Path, tmp_path: Path, how: signal.Signals
) -> None:
    port, target = free_port(), tmp_path / "recording.mkv"
    address = f"rtsp://127.0.0.1:{port}/camera.mp4"
    with (
        running(rtsp_server(served, port), port) as server,
        Live(address, *HEADLESS, "--record", str(target)) as live,
    ):
        live.until("recording_started")
        threading.Event().wait(1.0)
        server.send_signal(signal.SIGSTOP)
        threading.Event().wait(0.5)
        live.end(how)
        assert "lost" not in live.kinds()  # it ended before the stall counted as a loss
    assert len(times(target)) > 10


def test_giving_up_has_an_exit_code_of_its_own_and_keeps_the_recording(served: Path, tmp_path: Path) -> None:
    port, target = free_port(), tmp_path / "recording.mkv"
    address = f"rtsp://127.0.0.1:{port}/camera.mp4"
    with (
        running(rtsp_server(served, port), port) as server,
        Live(address, *HEADLESS, "--give-up-after", "2", "--record", str(target)) as live,
    ):
        live.until("recording_started")
        threading.Event().wait(1.0)
        server.kill()
        gave_up = live.until("gave_up")
        code = live.wait()
    assert code == 3
    assert gave_up["seconds"] >= 2.0
    assert "is lost and did not come back within 2 s" in live.messages[-1]
    assert live.kinds().count("recording_finished") == 1
    assert len(times(target)) > 10


def test_duration_ends_a_frozen_stream(served: Path) -> None:
    port = free_port()
    address = f"rtsp://127.0.0.1:{port}/camera.mp4"
    with running(rtsp_server(served, port), port) as server, Live(address, *HEADLESS, "--duration", "3") as live:
        live.until("opened")
        threading.Event().wait(1.0)
        server.send_signal(signal.SIGSTOP)
        assert live.wait() == 0
    assert "lost" not in live.kinds()
