"""What enhancing costs beside decoding and encoding: ``python -m realtime.benchmarks.transcode FILE``.

The file goes through the same pipeline with the same encoder settings, enhanced and unchanged, in turns within one run:
machines are noisy, ratios less so.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from realtime.config import PRESETS, EncodingOptions, InputOverrides
from realtime.enhance.engines.registry import ENGINES
from realtime.enhance.enhancer import Enhancer
from realtime.pipeline import run
from realtime.processor import PerFrame, Processor
from realtime.sinks.registry import open_sink
from realtime.sources.registry import open_source

#: The row of frames that are only decoded and encoded.
PLAIN = "none"


def transcode(
    path: Path, engines: Sequence[str], preset: str, seconds: float, rounds: int = 3, weights: Path | None = None
) -> list[dict[str, Any]]:
    """Rows: `engine`, `fps`, `cpu_ms` a frame (the best of `rounds`), and `of_plain`, the share of the plain speed.

    `path` is a video whose planes the encoder takes as they are, 8-bit 4:2:0; `seconds` of it are used. `weights` None
    is the bundled ones.
    """
    processors: dict[str, Processor] = {PLAIN: PerFrame(lambda frame: frame, PLAIN)}
    processors |= {engine: Enhancer(weights=weights, engine=engine) for engine in engines}
    overrides, encoding = InputOverrides(duration=seconds), EncodingOptions(preset=preset)
    best: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for name, processor in processors.items():
                source = open_source(str(path), overrides)
                sink = open_sink(Path(folder) / f"{name}.mp4", encoding, overwrite=True)
                # Compiled before the clock runs; the run then finds the program.
                processor.session(source.info, sink.format_for(source.info)).close()
                began, cpu_began = perf_counter(), process_time()
                report = run(source, processor, sink)
                took = (perf_counter() - began) / report.frames, (process_time() - cpu_began) / report.frames
                best[name] = min(best.get(name, took), took)
    return [
        {
            "engine": name,
            "fps": round(1 / wall, 1),
            "cpu_ms": round(cpu * 1000, 1),
            "of_plain": round(best[PLAIN][0] / wall, 3),
        }
        for name, (wall, cpu) in best.items()
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="realtime.benchmarks.transcode", description=__doc__)
    parser.add_argument("input", type=Path)
    names = [engine.name for engine in ENGINES]
    parser.add_argument(
        "--engine", action="append", choices=names, help="may be repeated (default: those for live video)"
    )
    parser.add_argument("--weights", type=Path, help="default: the bundled ones")
    parser.add_argument("--preset", default="veryfast", choices=PRESETS)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    engines = args.engine or [engine.name for engine in ENGINES if engine.realtime]
    rows = transcode(args.input, engines, args.preset, args.seconds, args.rounds, args.weights)
    unit = 1 if sys.platform == "darwin" else 1024
    memory = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9, 2)
    print(json.dumps({"preset": args.preset, "rows": rows, "peak_memory_gb": memory}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
