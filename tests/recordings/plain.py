"""An enhancer that changes no picture, and one run of it as a program: for what surrounds the network.

python plain.py INPUT OUTPUT SECONDS_A_FRAME [resume]
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from realtime.frame import RGB, Frame, PixelFormat, StreamInfo

if TYPE_CHECKING:
    from realtime.enhance.enhancer import Enhancer


class Plain:
    """Strength 0 without the network: planes go through RGB in float wherever the sink wants another format.

    `through` sends them that way always. `delay` seconds a frame stand for the network's work.
    """

    batch = 2
    strength = 0.0

    def __init__(self, delay: float = 0.0, through: bool = False) -> None:
        self._delay, self._through = delay, through
        self._target = RGB
        self._pause = threading.Event()

    def prepare(self, info: StreamInfo, rgb: bool) -> StreamInfo:
        self._target = RGB if rgb or info.wish is None else info.wish
        return replace(info, format=self._target)

    def enhance(self, frames: Sequence[Frame]) -> list[Frame]:
        self._pause.wait(self._delay * len(frames))
        return [f if f.format == self._target and not self._through else self._converted(f) for f in frames]

    def look(self, frame: Frame) -> None:
        pass

    def describe(self) -> dict[str, Any]:
        return {"engine": "plain", "device": "none", "precision": "exact"}

    def _converted(self, frame: Frame) -> Frame:
        made = converted(frame.planes, frame.format, self._target)
        return frame.with_planes(made, self._target)


def converted(planes: tuple[Any, ...], source: PixelFormat, target: PixelFormat) -> tuple[Any, ...]:
    """One picture's planes in another format, by the code that the engines use."""
    from realtime.enhance.color_ops import from_rgb, quantise, to_rgb

    rgb = to_rgb(tuple(plane[np.newaxis] for plane in planes), source)
    return tuple(np.asarray(plane)[0] for plane in quantise(from_rgb(rgb, target), target))


def plain(delay: float = 0.0, through: bool = False) -> Enhancer:
    return cast("Enhancer", Plain(delay, through))


if __name__ == "__main__":
    from realtime.api import enhance_video
    from realtime.errors import RealtimeError

    try:
        report = enhance_video(
            Path(sys.argv[1]), sys.argv[2], enhancer=plain(float(sys.argv[3])), resume="resume" in sys.argv
        )
    except RealtimeError as error:
        print(f"realtime: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    raise SystemExit(1 if report.damaged else 0)
