"""What the page shows beside the picture, as JSON text for its viewers."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from time import perf_counter
from typing import Any

from realtime.control import Control
from realtime.frame import StreamInfo
from realtime.report import Report
from realtime.sinks.happenings import Happenings

#: Seconds between two figures, and over which the frame rate is taken.
FIGURES_INTERVAL, RATE_WINDOW = 0.5, 2.0


class Status:
    """The state of link, control and run. `update` may be called from any one thread, `text` from another."""

    def __init__(self, info: StreamInfo, control: Control, engines: Sequence[str] = ()) -> None:
        """`engines`: those that viewers may choose."""
        self._info, self._control, self.engines = info, control, tuple(engines)
        self._happenings = Happenings()
        self._happenings.follow(info.events)
        self._counts: deque[tuple[float, int]] = deque(maxlen=round(RATE_WINDOW / FIGURES_INTERVAL) + 1)
        self._figures: dict[str, Any] | None = None
        self._updated = 0.0

    def update(self, report: Report) -> None:
        """Takes the numbers of a run so far; those that come too often to be read are left out."""
        now = perf_counter()
        if self._figures is not None and now - self._updated < FIGURES_INTERVAL:
            return
        self._updated = now
        self._counts.append((report.seconds, report.frames))
        began, before = self._counts[0]
        passed = report.seconds - began
        self._figures = {
            "fps": round((report.frames - before) / passed if passed > 0 else report.fps, 1),
            "engine": report.engine,
            "device": report.device,
            "latency_ms": report.latency_ms,
            "dropped": report.dropped,
            "dropped_by": {output.name: output.dropped for output in report.outputs if output.dropped},
        }

    def text(self) -> str:
        """One JSON object; the same text as long as nothing changed."""
        info, state, link, figures = self._info, self._control.state, self._info.link.state, self._figures
        if figures is not None and perf_counter() - self._updated > RATE_WINDOW:
            figures = {**figures, "fps": 0.0}  # no frame, no update
        if figures is not None and self._happenings.engine:
            figures = {**figures, "engine": self._happenings.engine}  # a paused stream has no new figures
        return json.dumps(
            {
                "name": info.name,
                "aspect": info.width / info.height * float(info.sample_aspect_ratio or 1),
                "connected": link.connected,
                "message": link.message,
                "enhanced": state.enhanced,
                "strength": state.strength,
                "exposure_bias": state.exposure_bias,
                "metered": state.exposure in (None, "auto", "scene"),
                "exposure": state.exposure_text,
                "recording": self._happenings.recording,
                "engines": self.engines,
                "loading": self._happenings.loading,
                "figures": figures,
            }
        )
