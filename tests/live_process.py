"""`realtime live` as a process of its own, and the servers that it watches."""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any

from realtime.media.libav import av

#: Seconds that anything may take on a loaded machine before a test fails.
PATIENCE = 60.0
#: What all runs without a window have.
HEADLESS = ("--no-window", "--json-lines")


class Live:
    """A running ``realtime live``, in `folder`. `events` are those that came so far. `largest_file`: bytes that a file
    may have."""

    def __init__(
        self,
        *arguments: str,
        env: dict[str, str] | None = None,
        folder: Path | None = None,
        largest_file: int | None = None,
    ) -> None:
        command = [sys.executable, "-m", "realtime", "live", *arguments]
        if largest_file is not None:
            limit = f"import resource, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, ({largest_file},) * 2)"
            command[1:3] = ["-c", f"{limit}; runpy.run_module('realtime', alter_sys=True)"]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | (env or {}),
            cwd=folder,
        )
        self.events: list[dict[str, Any]] = []
        self.messages: list[str] = []
        self._changed = threading.Condition()
        self._threads = [
            threading.Thread(target=self._read, args=(self.process.stdout, self._add_event)),
            threading.Thread(target=self._read, args=(self.process.stderr, self.messages.append)),
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Live:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.wait()

    def wait(self) -> int:
        """The exit code, once it has ended and all that it printed was read."""
        code = self.process.wait(PATIENCE)
        for thread in self._threads:
            thread.join()
        return code

    def kinds(self) -> list[str]:
        return [event["event"] for event in self.events]

    def until(self, kind: str, number: int = 1) -> dict[str, Any]:
        """The event of that kind, the first or the `number` th, once it has come."""
        with self._changed:
            came = self._changed.wait_for(lambda: self.kinds().count(kind) >= number, PATIENCE)
            assert came, (self.events, self.messages)
            return [event for event in self.events if event["event"] == kind][number - 1]

    def end(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Sends a signal; the exit code, and after how many seconds capture heard it."""
        asked = monotonic()
        self.process.send_signal(how)
        self.until("closed")
        return self.wait(), monotonic() - asked

    def _add_event(self, line: str) -> None:
        with self._changed:
            self.events.append(json.loads(line))
            self._changed.notify_all()

    def _read(self, stream: Any, take: Callable[[str], None]) -> None:
        with stream:
            for line in stream:
                take(line.rstrip("\n"))


@contextmanager
def running(command: Sequence[str | Path], port: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A server as a process, killed in the end; with `port` it is waited for."""
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            if port is not None:
                wait_for_port(port)
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()


def wait_for_port(port: int) -> None:
    end = monotonic() + PATIENCE
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert monotonic() < end, f"nobody listens on port {port}"
        threading.Event().wait(0.05)


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    with socket.socket(type=kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def rtsp_server(folder: Path, port: int) -> list[str]:
    """The command of a server that plays the files of `folder` over and over."""
    code = (
        "import asyncio, sys, aio_rtsp_toolkit.server as server\n"
        "folder, port, control_port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])\n"
        "asyncio.run(server.serve(folder, '127.0.0.1', port, control_port=control_port))"
    )
    return [sys.executable, "-c", code, str(folder), str(port), str(free_port())]


def times(path: Path, kind: str = "video") -> list[Fraction]:
    """The times in seconds at which packets of a recording are due, in order."""
    with av.open(str(path)) as container:
        packets = container.demux(container.streams.get(**{kind: 0}))
        return sorted(packet.pts * packet.time_base for packet in packets if packet.size)


def largest_gap(moments: Sequence[Fraction]) -> float:
    return float(max(after - before for before, after in itertools.pairwise(moments)))
