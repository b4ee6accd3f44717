"""The process that `realtime.benchmarks.live` measures: a file with a time code in its frames, in a window or nowhere.

Prints one JSON object: what the pipeline reports, the CPU time, and samples of memory, threads and files.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np

from realtime.benchmarks.time_code import draw
from realtime.config import LIVE_PRESET, EncodingOptions
from realtime.control import Control
from realtime.enhance.enhancer import Enhancer
from realtime.enhance.host import configure_process
from realtime.frame import Frame, PixelFormat, StreamInfo
from realtime.pipeline import run
from realtime.processor import PerFrame, Processor
from realtime.report import Report
from realtime.sinks.base import Discard, Interactive, Sink
from realtime.sources.base import Source
from realtime.sources.limited import Limited
from realtime.sources.registry import open_source

#: Seconds at the start that do not count: libraries load and the first picture is compiled for.
WARM_UP = 10.0
FILTERS = ("enhance", "gamma", "none")


class Coded(Source):
    """A source whose frames carry the moment of their capture."""

    def __init__(self, source: Source) -> None:
        self._source, self.info = source, source.info

    def frames(self) -> Iterator[Frame]:
        for frame in self._source.frames():
            luma = frame.planes[0].copy()
            draw(luma, perf_counter())
            yield replace(frame, planes=(luma, *frame.planes[1:]), captured_at=perf_counter())

    def stop(self) -> None:
        self._source.stop()

    def close(self) -> None:
        self._source.close()


class Usage:
    """CPU time since the end of the warm-up, and samples of what a leak would raise."""

    def __init__(self, began: float) -> None:
        self._began, self._reported = began, 0.0
        self.first_picture: float | None = None
        self._mark: tuple[float, float] | None = None
        self.samples: list[dict[str, float]] = []

    def __call__(self, report: Report) -> None:
        now = perf_counter()
        if self._mark is None and report.seconds > WARM_UP:
            self._mark = now, _cpu_seconds()
        if now - self._reported >= 1.0:
            self._reported = now
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            memory = pages * resource.getpagesize() / 1e6
            threads, files = (len(os.listdir(f"/proc/self/{kind}")) for kind in ("task", "fd"))
            self.samples.append({"seconds": report.seconds, "megabytes": memory, "threads": threads, "files": files})

    def cores(self) -> float | None:
        """Core-seconds a second since the warm-up."""
        if self._mark is None:
            return None
        return (_cpu_seconds() - self._mark[1]) / (perf_counter() - self._mark[0])


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class FirstPicture(Sink):
    """Notes when the first frame was written to `sink`, and is it otherwise."""

    def __init__(self, sink: Sink, usage: Usage, began: float) -> None:
        self._sink, self._usage, self._began = sink, usage, began
        self.name = sink.name
        if isinstance(sink, Interactive):
            self.poll, self.poll_interval = sink.poll, sink.poll_interval

    def format_for(self, info: StreamInfo) -> PixelFormat:
        return self._sink.format_for(info)

    def open(self, info: StreamInfo) -> None:
        self._sink.open(info)

    def write(self, frame: Frame) -> None:
        self._sink.write(frame)
        if self._usage.first_picture is None:
            self._usage.first_picture = perf_counter() - self._began

    def close(self) -> None:
        self._sink.close()


def processor(kind: str) -> Processor:
    """What stands between source and sink: nothing, a filter of luma through a table of 256 values, or the enhancer."""
    if kind == "none":
        return PerFrame(lambda frame: frame, "none")
    if kind == "gamma":
        table = np.rint(255 * (np.arange(256) / 255) ** 0.5).astype(np.uint8)
        return PerFrame(lambda f: replace(f, planes=(cv2.LUT(f.planes[0], table), *f.planes[1:])), "gamma")
    configure_process("auto")
    return Enhancer().with_control(Control())


def main() -> int:
    parser = argparse.ArgumentParser(prog="realtime.benchmarks.live_process", description=__doc__)
    parser.add_argument("input")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--filter", choices=FILTERS, default="enhance")
    parser.add_argument("--window", action="store_true")
    parser.add_argument("--record", type=Path)
    parser.add_argument("--began", type=float, help="when the process was started, by time.perf_counter")
    args = parser.parse_args()
    began = args.began or perf_counter()
    usage = Usage(began)
    sink: Sink = Discard()
    if args.window:
        from realtime.sinks.window import Window

        sink = Window(title="benchmark")
    outputs: list[Sink] = [FirstPicture(sink, usage, began)]
    if args.record:
        from realtime.sinks.registry import open_sink

        outputs.append(open_sink(args.record, EncodingOptions(preset=LIVE_PRESET), overwrite=True))
    source = Limited(Coded(open_source(args.input, paced=True, loop=True)), args.seconds)
    report = run(source, processor(args.filter), outputs, progress=usage)
    fields = ("width", "height", "engine", "frames", "dropped", "fps", "latency_ms", "governor")
    result = {name: getattr(report, name) for name in fields} | {"outputs": [vars(output) for output in report.outputs]}
    result |= {"first_picture_s": usage.first_picture, "cores": usage.cores(), "samples": usage.samples}
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
