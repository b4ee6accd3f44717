"""What enhancing costs beside decoding and encoding: ``python -m realtime.benchmarks.transcode FILE``.

The file goes through the same pipeline with the same encoder settings, with an enhancer and without, in turns within
one run: machines are noisy, ratios less so.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, cast

from realtime.enhance.enhancer import Enhancer
from realtime.frame import Frame, StreamInfo
from realtime.pipeline import run
from realtime.sinks.registry import open_sink
from realtime.sources.registry import open_source


class Unchanged:
    """In the place of an enhancer: passes frames on."""

    batch = 1

    def prepare(self, info: StreamInfo, rgb: bool) -> StreamInfo:
        return replace(info)

    def enhance(self, frames: Sequence[Frame]) -> list[Frame]:
        return list(frames)

    def describe(self) -> dict[str, Any]:
        return {"engine": "none", "device": "cpu", "precision": "none"}


def transcode(
    path: Path, engines: Sequence[str], preset: str, seconds: float, rounds: int = 3, weights: Path | None = None
) -> list[dict[str, Any]]:
    """Rows: engine, fps and CPU milliseconds a frame (the best of `rounds`), and the share of the plain speed.

    `path` is a video whose planes the encoder takes as they are, 8-bit 4:2:0; `seconds` of it are used. `weights` are
    metered ones, None the bundled.
    """
    made = {engine: Enhancer(weights, engine, exposure="auto") for engine in engines}
    enhancers: dict[str, Any] = {"none": Unchanged()} | made
    best: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for name, enhancer in enhancers.items():
                source = open_source(path, duration=seconds)
                sink = open_sink(Path(folder) / f"{name}.mp4", overwrite=True, preset=preset)
                enhancer.prepare(source.info, rgb=False)  # compiled before the clock runs
                began, worked = perf_counter(), process_time()
                report = run(source, cast(Enhancer, enhancer), sink)
                took = (perf_counter() - began) / report.frames, (process_time() - worked) / report.frames
                best[name] = min(best.get(name, took), took)
    return [
        {
            "engine": name,
            "fps": round(1 / wall, 1),
            "cpu_ms": round(cpu * 1000, 1),
            "of_plain": round(best["none"][0] / wall, 3),
        }
        for name, (wall, cpu) in best.items()
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="realtime.benchmarks.transcode", description=__doc__)
    parser.add_argument("input", type=Path)
    parser.add_argument("--engine", action="append", choices=("exact", "fast"), help="default: fast")
    parser.add_argument("--weights", type=Path, help="a file trained behind the meter (default: the bundled one)")
    parser.add_argument("--preset", default="veryfast")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    engines = chosen.engine or ["fast"]
    rows = transcode(chosen.input, engines, chosen.preset, chosen.seconds, chosen.rounds, chosen.weights)
    kilo = 1 if sys.platform == "darwin" else 1024
    memory = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * kilo / 1e9, 2)
    print(json.dumps({"preset": chosen.preset, "rows": rows, "largest_memory_gb": memory}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
