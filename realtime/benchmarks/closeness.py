"""How close the fast engine comes to the exact one: ``python -m realtime.benchmarks.closeness FILE...``.

Both get the same frames behind the same exposure and memory, so the difference is that of the network alone. Needs
scikit-image (extra ``train``).
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from realtime.enhance.enhancer import Enhancer
from realtime.frame import RGB
from realtime.sources.video_file import VideoFile
from realtime.training.metrics import psnr, ssim

#: Seconds from which on frames are compared, which of the frames from there on, and the seconds before, in which
#: exposure and memory settle.
STARTS, COMPARED, SETTLE_SECONDS = (1.0, 4.0), (3, 9, 10, 11), 2.0


def closeness(path: Path, exact: Enhancer, fast: Enhancer) -> list[dict[str, Any]]:
    """A row for each frame: `seconds`, `psnr` in dB and `ssim` of fast against exact, 8-bit RGB."""
    source, rows = VideoFile(path), []
    for start in STARTS:
        sessions = [enhancer.session(source.info, RGB) for enhancer in (exact, fast)]
        behind = 0
        for frame in source.between(Fraction(max(0.0, start - SETTLE_SECONDS)), None):
            if frame.seconds >= start:
                behind += 1
            if behind - 1 not in COMPARED:
                for session in sessions:
                    session.skip([frame])
                continue
            truth, picture = (np.asarray(session.process([frame])[0].planes[0]) for session in sessions)
            rows.append(
                {
                    "seconds": round(frame.seconds, 2),
                    "psnr": round(psnr(picture, truth), 2),
                    "ssim": round(ssim(picture, truth), 4),
                }
            )
            if behind - 1 == COMPARED[-1]:
                break
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="realtime.benchmarks.closeness", description=__doc__)
    parser.add_argument("inputs", type=Path, nargs="+")
    parser.add_argument("--weights", type=Path, help="default: the bundled ones")
    args = parser.parse_args(arguments)
    exact, fast = (Enhancer(weights=args.weights, engine=engine) for engine in ("exact", "fast"))
    files = {path.name: closeness(path, exact, fast) for path in args.inputs}
    median = statistics.median(row["psnr"] for rows in files.values() for row in rows)
    json.dump({"median_psnr": median, "files": files}, sys.stdout, indent=2)
    print()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
