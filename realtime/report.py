"""What a run did, in numbers: one value for progress bars, summaries and ``--json``."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from realtime.diagnostics import DamagedPlace
from realtime.frame import Frame, StreamInfo
from realtime.processor import EngineInfo

#: Latency percentiles cover this many frames, so that a night-long run needs no more memory than a minute.
RECENT_FRAMES = 1800
#: Seconds between two progress calls.
PROGRESS_INTERVAL = 0.1


@dataclass(frozen=True)
class OutputReport:
    """One output: its name, the frames written to it, and those that were dropped for it alone."""

    name: str
    frames: int
    dropped: int


@dataclass(frozen=True)
class Report:
    """What happened in a run so far.

    - `engine`, `device`, `precision`, `batch`, `governor`: as in `EngineInfo`.
    - `width`, `height`: pixels. `frames`: written to the first output. `total`: expected frames, or None.
    - `dropped`: frames that a live source delivered and nobody took in time. `outputs`: each output's own counts.
    - `seconds`: wall time since the first frame was captured; 0 before that.
    - `latency_ms`: p50 and p95 from capture to written to the first output, live only.
    - `warnings`: what was reduced, left out, repaired or damaged; `diagnostics`: counts by kind.
    - `damaged`: some of the input could not be read. `places`: where, and what is missing there.
    """

    engine: str
    device: str
    precision: str
    width: int
    height: int
    frames: int
    total: int | None
    dropped: int
    seconds: float
    latency_ms: dict[str, float] | None
    warnings: tuple[str, ...]
    outputs: tuple[OutputReport, ...] = ()
    diagnostics: Mapping[str, int] = field(default_factory=dict)
    damaged: bool = False
    places: tuple[DamagedPlace, ...] = ()
    governor: Mapping[str, int] | None = None
    batch: int | None = None

    @property
    def fps(self) -> float:
        return self.frames / self.seconds if self.seconds > 0 else 0.0


class RunStats:
    """Counts frames as each output writes them and calls `progress` at most every `PROGRESS_INTERVAL` seconds.

    The first of `outputs` leads: its frames give progress and latency, and `progress` is called from its thread.
    """

    def __init__(
        self,
        info: StreamInfo,
        outputs: Mapping[str, Callable[[], int]],
        describe: Callable[[], EngineInfo],
        dropped: Callable[[], int],
        progress: Callable[[Report], None] | None,
    ) -> None:
        """`outputs` maps each output's name to a function that returns how many frames were dropped for it alone;
        `dropped` returns how many were dropped at capture."""
        self._info, self._describe, self._dropped, self._progress = info, describe, dropped, progress
        self._dropped_for = dict(outputs)
        self._frames = dict.fromkeys(outputs, 0)
        self._leading = next(iter(outputs))
        self._latencies: deque[float] = deque(maxlen=RECENT_FRAMES)
        self._lock = threading.Lock()
        self._began: float | None = None
        self._reported = perf_counter()

    def add(self, output: str, frame: Frame) -> None:
        """Counts a frame that `output` has written."""
        now = perf_counter()
        with self._lock:
            self._frames[output] += 1
            first = self._began is None
            if first:
                self._began = frame.captured_at or now
            if output == self._leading and self._info.live and frame.captured_at:
                self._latencies.append(now - frame.captured_at)
        if first and self._info.live:
            self._info.events.publish("first_picture", engine=self._describe().engine)
        if output == self._leading and self._progress is not None and now - self._reported >= PROGRESS_INTERVAL:
            self._reported = now
            self._progress(self.report())

    def report(self, final: bool = False) -> Report:
        """The numbers now; with `final` they also go to `progress`."""
        about, diagnostics = self._describe(), self._info.diagnostics
        with self._lock:
            latency = None
            if self._latencies:
                p50, p95 = np.percentile(np.asarray(self._latencies) * 1000, [50, 95])
                latency = {"p50": round(float(p50), 1), "p95": round(float(p95), 1)}
            result = Report(
                engine=about.engine,
                device=about.device,
                precision=about.precision,
                width=self._info.width,
                height=self._info.height,
                frames=self._frames[self._leading],
                total=self._info.frames,
                dropped=self._dropped(),
                seconds=0.0 if self._began is None else perf_counter() - self._began,
                latency_ms=latency,
                warnings=diagnostics.warnings,
                outputs=tuple(OutputReport(n, self._frames[n], lost()) for n, lost in self._dropped_for.items()),
                diagnostics=diagnostics.counts,
                damaged=diagnostics.damaged,
                places=diagnostics.places,
                governor=about.governor,
                batch=about.batch,
            )
        if final and self._progress is not None:
            self._progress(result)
        return result
