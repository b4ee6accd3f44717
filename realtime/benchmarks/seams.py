"""What is seen where a long file was cut: ``python -m realtime.benchmarks.seams FILE --at SECONDS``.

The frames behind the cut, enhanced after so many seconds of settling, are compared with those of a session that saw the
file from its beginning.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from realtime.cluster.segments import SETTLE_SECONDS
from realtime.config import EncodingOptions
from realtime.enhance.enhancer import Enhancer
from realtime.frame import Frame
from realtime.media.encode import output_format
from realtime.processor import Session
from realtime.sources.video_file import VideoFile

#: Seconds behind the cut that are compared, and around it whose frames are compared with their neighbors.
COMPARED, AROUND = 4, 1


def seam(path: Path, at: float, settle: Sequence[float], engine: str = "fast") -> list[dict[str, Any]]:
    """A row for each of `settle` seconds. In levels of luma, 0..255: how far the mean of the first frame is off, the
    most that one is within `COMPARED` seconds, and how far the first frame's pixels are off. `usual`: the most that the
    mean changes from frame to frame around the cut."""
    source, enhancer = VideoFile(path), Enhancer(engine=engine)
    format = output_format(EncodingOptions(), source.info)

    def luma(session: Session, frame: Frame) -> Any:
        return session.process([frame])[0].planes[0].astype(np.float32)

    def new_session() -> Session:
        return enhancer.session(source.info, format)

    end, session = Fraction(at + COMPARED), new_session()
    whole, means = {}, {}
    for frame in source.between(None, end):
        picture = luma(session, frame)
        means[frame.seconds] = float(picture.mean())
        if frame.seconds >= at:
            whole[frame.pts] = picture
    around = [mean for time, mean in means.items() if abs(time - at) <= AROUND]
    rows = []
    for seconds in settle:
        off: list[float] = []
        session, first = new_session(), 0.0
        for frame in source.between(Fraction(max(at - seconds, 0)), end):
            if frame.seconds < at:
                session.skip([frame])
                continue
            difference = luma(session, frame) - whole[frame.pts]
            first = first if off else float(np.abs(difference).mean())
            off.append(float(difference.mean()))
        rows.append(
            {
                "settle": seconds,
                "first": round(off[0], 3),
                "worst": round(max(map(abs, off)), 3),
                "pixels": round(first, 3),
                "usual": round(float(np.abs(np.diff(around)).max()), 3),
            }
        )
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(prog="realtime.benchmarks.seams", description=__doc__)
    parser.add_argument("input", type=Path)
    parser.add_argument("--at", type=float, required=True, help="where to cut, in seconds")
    parser.add_argument("--settle", type=float, action="append", help=f"seconds (default: {SETTLE_SECONDS})")
    args = parser.parse_args()
    json.dump(seam(args.input, args.at, args.settle or [SETTLE_SECONDS]), sys.stdout, indent=2)
    print()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
