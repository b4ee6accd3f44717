"""What a run did, in numbers: one value for progress bars, summaries and ``--json``."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Protocol

import numpy as np

from realtime.frame import Frame, StreamInfo

#: Latency percentiles look at this many frames, so that a night-long run needs no more memory than a minute.
RECENT = 1800
#: Seconds between two progress calls.
INTERVAL = 0.1


class Described(Protocol):
    """What a report wants to know of an enhancer."""

    def describe(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Report:
    """`seconds` is wall time from the first hand-off to now; latencies run from capture to written, None for files
    (they wait in queues on purpose); `total` is the expected number of frames or None."""

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
    #: What was repaired, skipped or left out, by the names in `frame.FINDINGS`.
    findings: dict[str, int] = field(default_factory=dict)
    #: Whether some of the input could not be read.
    damaged: bool = False
    #: What a governor did for a live stream, as `enhance.governor` describes it; None without one.
    governor: dict[str, int] | None = None
    #: Frames at a time.
    batch: int | None = None

    @property
    def fps(self) -> float:
        return self.frames / self.seconds if self.seconds > 0 else 0.0


class Tally:
    """Counts frames as they are written and calls `progress` at most every `INTERVAL` seconds."""

    def __init__(
        self,
        info: StreamInfo,
        enhancer: Described,
        dropped: Callable[[], int],
        progress: Callable[[Report], None] | None,
    ) -> None:
        self._info, self._enhancer, self._dropped, self._progress = info, enhancer, dropped, progress
        self._frames = 0
        self._latencies: deque[float] = deque(maxlen=RECENT)
        self._began = self._told = perf_counter()

    def add(self, frame: Frame) -> None:
        now = perf_counter()
        self._frames += 1
        if self._info.live and frame.arrived:
            self._latencies.append(now - frame.arrived)
        if self._progress is not None and now - self._told >= INTERVAL:
            self._told = now
            self._progress(self.report())

    def report(self, final: bool = False) -> Report:
        latency = None
        if self._latencies:
            p50, p95 = np.percentile(np.asarray(self._latencies) * 1000, [50, 95])
            latency = {"p50": round(float(p50), 1), "p95": round(float(p95), 1)}
        about = self._enhancer.describe()
        result = Report(
            engine=about["engine"],
            device=about["device"],
            precision=about["precision"],
            width=self._info.width,
            height=self._info.height,
            frames=self._frames,
            total=self._info.frames,
            dropped=self._dropped(),
            seconds=perf_counter() - self._began,
            latency_ms=latency,
            warnings=(*self._info.notes, *self._info.findings.sentences),
            findings=dict(self._info.findings.counts),
            damaged=self._info.findings.damaged,
            governor=about.get("governor"),
            batch=about.get("batch"),
        )
        if final and self._progress is not None:
            self._progress(result)
        return result
