"""``realtime live`` as a process, while its source, its disk or the process itself fails."""

from __future__ import annotations

import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from threading import Event

import pytest
from camera_servers import HttpCamera, RtspCamera, h264_units, jpeg_parts, rtp_parts
from live_process import HEADLESS, Live, free_port, largest_gap, rtsp_server, running, times

#: What a multipart camera says it sends.
MULTIPART = "multipart/x-mixed-replace; boundary=frame"
#: No TensorFlow, which would be loaded for pictures as small as these.
FAST = (*HEADLESS, "--engine", "fast")


def open_files(live: Live) -> int:
    return len(list(Path(f"/proc/{live.process.pid}/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files in /proc")
def test_a_source_that_is_cut_twenty_times_leaves_one_recording_and_no_open_file(tmp_path: Path) -> None:
    target = tmp_path / "recording.mkv"
    with (
        HttpCamera(jpeg_parts(8), "cut", 0.04, MULTIPART) as server,
        Live(server.address, *FAST, "--record", str(target)) as live,
    ):
        live.until("reconnected", 3)
        early = open_files(live)
        live.until("reconnected", 20)
        late = open_files(live)
        code, _ = live.end()
    assert code == 130, live.messages
    assert abs(late - early) <= 2
    assert live.kinds().count("recording_finished") == 1
    assert len(times(target)) >= 40


def test_a_server_that_freezes_and_goes_on_is_reached_again(served: Path, tmp_path: Path) -> None:
    pytest.importorskip("aio_rtsp_toolkit", reason="aio-rtsp-toolkit, a server for these tests, is not installed")
    port, target = free_port(), tmp_path / "recording.mkv"
    with (
        running(rtsp_server(served, port), port) as server,
        Live(f"rtsp://127.0.0.1:{port}/camera.mp4", *FAST, "--record", str(target)) as live,
    ):
        live.until("first_picture")
        Event().wait(1.0)
        server.send_signal(signal.SIGSTOP)
        live.until("lost")
        server.send_signal(signal.SIGCONT)
        back = live.until("reconnected")
        Event().wait(1.0)
        live.end()
    assert back["seconds"] >= 4.0, live.events
    assert largest_gap(times(target)) == pytest.approx(back["seconds"], abs=1.0)


def test_a_size_that_changes_in_mid_stream(tmp_path: Path) -> None:
    """The recording keeps the first size; what comes in another one is fitted into it."""
    target = tmp_path / "recording.mkv"
    parts = [*jpeg_parts(25), *jpeg_parts(25, size=(96, 128)), *jpeg_parts(25)]
    with (
        HttpCamera(parts, "stall", 0.04, MULTIPART) as server,
        Live(server.address, *FAST, "--record", str(target)) as live,
    ):
        live.until("first_picture")
        assert server.sent.wait(60)
        live.end()
    assert "lost" not in live.kinds()
    assert any("another size are resized" in message for message in live.messages)
    assert len(times(target)) > 50


def test_a_clock_that_jumps_leaves_no_gap(tmp_path: Path) -> None:
    target, units = tmp_path / "recording.mkv", h264_units(tmp_path, 150)
    parts = [*rtp_parts(units[:50]), *rtp_parts(units[50:100], later=3600), *rtp_parts(units[100:], later=60)]
    with RtspCamera(parts, "stall", 0.04) as server, Live(server.address, *FAST, "--record", str(target)) as live:
        live.until("first_picture")
        assert server.sent.wait(60)
        live.end()
    assert any("clock jumps" in message for message in live.messages)
    moments = times(target)
    assert len(moments) > 50
    assert largest_gap(moments) < 2.0


def test_a_full_disk_ends_the_recording_and_not_the_stream(long_clip: Path, tmp_path: Path) -> None:
    """A limit of the size of files stands for the disk."""
    target = tmp_path / "recording.mkv"
    arguments = [str(long_clip), *FAST, "--record", str(target), "--crf", "0", "--duration", "5"]
    with Live(*arguments, largest_file=4_000) as live:
        failed = live.until("output_failed")
        code = live.wait()
    assert code == 1
    assert live.kinds()[-1] == "closed"
    assert live.events[-1]["seconds"] > 4.0, "the stream went on"
    assert "cannot be" in failed["reason"]
    (part,) = tmp_path.iterdir()
    assert len(times(part)) > 3
    assert str(part) in failed["reason"]


def test_a_killed_program_leaves_a_recording_that_plays(long_clip: Path, tmp_path: Path) -> None:
    with Live(str(long_clip), *FAST, "--record", str(tmp_path / "recording.mkv")) as live:
        live.until("first_picture")
        Event().wait(4.0)
        live.process.kill()
        assert live.wait() == -signal.SIGKILL
    (part,) = tmp_path.iterdir()
    moments = times(part)
    assert moments[-1] > 1.5
    assert largest_gap(moments) <= 0.5


def test_a_new_file_every_so_often_from_where_the_one_before_ended(long_clip: Path, tmp_path: Path) -> None:
    with Live(str(long_clip), *FAST, "--record", str(tmp_path), "--record-every", "0.03", "--duration", "5") as live:
        assert live.wait() == 0
    paths = sorted(tmp_path.iterdir())
    assert [str(path) for path in paths] == [e["path"] for e in live.events if e["event"] == "recording_finished"]
    assert len(paths) >= 3
    files = [times(path) for path in paths]
    assert all(moments[0] == 0 for moments in files)
    assert all(moments[-1] == Fraction(17, 10) for moments in files[:-1]), "1.8 s of ten frames a second"
    assert sum(map(len, files)) + live.events[-1]["dropped"] >= live.events[-1]["frames"]


def test_two_programs_watch_one_camera(tmp_path: Path) -> None:
    with (
        HttpCamera(jpeg_parts(200), "stall", 0.04, MULTIPART) as server,
        Live(server.address, *FAST) as first,
        Live(server.address, *FAST) as second,
    ):
        for live in (first, second):
            live.until("first_picture")
        assert first.end()[0] == second.end()[0] == 130
        assert "lost" not in first.kinds() + second.kinds()


def test_the_end_does_not_wait_for_tensorflow(clip: Path, tmp_path: Path) -> None:
    """A module of its name that never finishes loading stands for it."""
    (tmp_path / "tensorflow.py").write_text("import threading\nthreading.Event().wait()")
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); import runpy; runpy.run_module('realtime', alter_sys=True)"
    command = [sys.executable, "-c", code, str(tmp_path), "live", str(clip), *HEADLESS, "--engine", "exact"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert '"engine": "exposure"' in done.stdout
    assert '"event": "closed"' in done.stdout
