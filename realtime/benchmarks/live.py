"""Whether a stream is kept up with: ``python -m realtime.benchmarks.live FILE``.

The file plays at its own pace, as a camera would deliver it, through the same pipeline as ``realtime live``. Dropped
frames, how far behind capture the pictures are, and what the governor did are reported.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from realtime.enhance.engines.registry import engine_names
from realtime.enhance.enhancer import Enhancer
from realtime.pipeline import run
from realtime.sinks.base import Discard, Sink
from realtime.sources.limited import Limited
from realtime.sources.registry import open_source


def live(
    path: Path, seconds: float, engine: str = "fast", weights: Path | None = None, window: bool = False
) -> dict[str, Any]:
    """Plays `seconds` of a video. `weights` None is the bundled ones; `window` shows it, which needs a display."""
    sink: Sink = Discard()
    if window:
        from realtime.sinks.window import Window

        sink = Window(title="realtime: benchmark")
    source = Limited(open_source(str(path), paced=True), seconds)
    report = run(source, Enhancer(weights=weights, engine=engine), sink)
    return {
        "size": f"{report.width}x{report.height}",
        "rate": round(float(source.info.rate), 2) if source.info.rate else None,
        "engine": report.engine,
        "frames": report.frames,
        "dropped": report.dropped,
        "latency_ms": report.latency_ms,
        "governor": report.governor,
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="realtime.benchmarks.live", description=__doc__)
    parser.add_argument("input", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--engine", default="fast", choices=engine_names())
    parser.add_argument("--weights", type=Path, help="default: the bundled ones")
    parser.add_argument("--window", action="store_true", help="show it: latency then runs to the display")
    args = parser.parse_args()
    print(json.dumps(live(args.input, args.seconds, args.engine, args.weights, args.window), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
