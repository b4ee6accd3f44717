"""What a live window costs and how late it is: ``python -m realtime.benchmarks.live FILE --seconds N``.

The file plays at its own pace, over and over, in a window on a virtual display of its own (Xvfb). A time code is drawn
into each frame when it is captured and read from the screen's memory, so that the delay is that of what a viewer sees.
The same is measured for a gamma filter through OpenCV and for plain playback. ``--soak`` measures one long run for
leaks instead: the slope of memory, threads and open files, frames dropped.
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import Any

import numpy as np

from realtime.benchmarks.live_process import FILTERS, WARM_UP
from realtime.benchmarks.time_code import age, read
from realtime.frame import Samples

#: The virtual screen, and the seconds between two looks at it.
WIDTH, HEIGHT, LOOK = 1920, 1080, 0.005


class Screen:
    """A virtual display whose pixels lie in a file (X11's XWD format). `name` is what DISPLAY must be."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        with path.open("rb") as file:
            self._memory = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        head = np.frombuffer(self._memory, ">u4", 25)
        self._offset = int(head[0]) + int(head[19]) * 12  # header, then the colormap
        self._stride = int(head[12])

    def pixels(self, height: int, width: int) -> Samples:
        """The upper left corner of the screen, uint8 (height, width, 4)."""
        rows = np.frombuffer(self._memory, np.uint8, self._stride * height, self._offset)
        return rows.reshape(height, self._stride)[:, : width * 4].reshape(height, width, 4).copy()


@contextmanager
def virtual_screen(width: int = WIDTH, height: int = HEIGHT) -> Iterator[Screen]:
    """Starts Xvfb for the block. Raises FileNotFoundError where it is not installed."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["Xvfb", "-displayfd", "1", "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp"]
        command += ["-fbdir", folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
            try:
                assert server.stdout is not None
                yield Screen(f":{server.stdout.readline().strip()}", Path(folder) / "Xvfb_screen0")
            finally:
                server.terminate()


def measure(path: Path, seconds: float, kind: str = "enhance", record: Path | None = None) -> dict[str, Any]:
    """One run of `kind` in a window: what the process reports, and the delay from capture to screen (p50 and p95 in
    milliseconds) with the number of pictures that were seen."""
    with virtual_screen() as screen:
        command = [sys.executable, "-m", "realtime.benchmarks.live_process", str(path), "--window", "--filter", kind]
        command += ["--seconds", str(seconds), "--began", str(perf_counter())]
        command += [] if record is None else ["--record", str(record)]
        environment = {key: value for key, value in os.environ.items() if key != "WAYLAND_DISPLAY"}
        environment["DISPLAY"] = screen.name
        # Into a file: half an hour's samples are more than a pipe holds that nobody reads meanwhile.
        with tempfile.TemporaryFile("w+") as output:
            with subprocess.Popen(command, stdout=output, text=True, env=environment) as process:
                delays = list(_delays(screen, process))
            output.seek(0)
            result: dict[str, Any] = json.loads(output.read())
    result |= {"filter": kind, "seen": len(delays), "screen_ms": None}
    if delays:
        p50, p95 = np.percentile(delays, [50, 95])
        result["screen_ms"] = {"p50": round(float(p50), 1), "p95": round(float(p95), 1)}
    return result


def _delays(screen: Screen, process: subprocess.Popen[Any]) -> Iterator[float]:
    """The age of each new picture when it was first seen, after the warm-up."""
    last, pause = None, Event()
    first: float | None = None
    while process.poll() is None:
        pause.wait(LOOK)
        code = read(screen.pixels(32, 640))
        now = perf_counter()
        if code is not None and code != last:
            last, first = code, now if first is None else first
            if now - first > WARM_UP and age(code, now) < 60_000:
                yield age(code, now)


def soak_figures(samples: list[dict[str, float]]) -> dict[str, Any]:
    """The slope of memory in megabytes an hour over the second half, and threads and files at start and end."""
    late = samples[len(samples) // 2 :]
    times = [sample["seconds"] / 3600 for sample in late]
    slope = float(np.polyfit(times, [sample["megabytes"] for sample in late], 1)[0]) if len(late) > 2 else None
    ends = {name: [samples[len(samples) // 4][name], samples[-1][name]] for name in ("megabytes", "threads", "files")}
    return {"megabytes_per_hour": slope, **ends}


def main() -> int:
    parser = argparse.ArgumentParser(prog="realtime.benchmarks.live", description=__doc__)
    parser.add_argument("input", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--filter", choices=FILTERS, action="append", help="only these (default: all)")
    parser.add_argument("--record", type=Path, help="record beside the window")
    parser.add_argument("--soak", action="store_true", help="one run, with what a leak would raise")
    args = parser.parse_args()
    for kind in args.filter or (FILTERS[:1] if args.soak else FILTERS):
        result = measure(args.input, args.seconds, kind, args.record)
        samples = result.pop("samples")
        print(json.dumps(result | (soak_figures(samples) if args.soak else {}), indent=1), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
