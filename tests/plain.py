"""A processor that changes no picture, and one run of it as a program: for what surrounds the network.

python plain.py INPUT OUTPUT SECONDS_PER_FRAME [resume] [keep_partial]
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from realtime.frame import Frame, PixelFormat, StreamInfo
from realtime.media.pixel_formats import convert
from realtime.processor import EngineInfo


class Plain:
    """Returns each frame in the pixel format that the output wants.

    `through` converts them by the code of the engines, always. `delay` seconds a frame stand for the network's work.
    """

    def __init__(self, delay: float = 0.0, through: bool = False) -> None:
        self._delay, self._through = delay, through
        self.engine = "plain"

    def plan(self, info: StreamInfo) -> EngineInfo:
        return EngineInfo(self.engine, "none", "exact")

    def session(self, info: StreamInfo, format: PixelFormat) -> PlainSession:
        return PlainSession(format, self._delay, self._through, self.plan(info))


class PlainSession:
    """The session of a `Plain`; `skipped` counts the frames that it was told to skip."""

    batch = 2

    def __init__(self, format: PixelFormat, delay: float, through: bool, about: EngineInfo) -> None:
        self.format, self._delay, self._through, self._about = format, delay, through, about
        self._pause = threading.Event()

    def process(self, frames: Sequence[Frame]) -> list[Frame]:
        self._pause.wait(self._delay * len(frames))
        if self._through:
            return [
                frame.with_planes(converted(frame.planes, frame.format, self.format), self.format) for frame in frames
            ]
        return [convert(frame, self.format) for frame in frames]

    def skip(self, frames: Sequence[Frame]) -> None:
        pass

    def restart(self) -> None:
        pass

    def describe(self) -> EngineInfo:
        return self._about

    def close(self) -> None:
        pass


def converted(planes: tuple[Any, ...], source: PixelFormat, target: PixelFormat) -> tuple[Any, ...]:
    """One picture's planes in another format, by the code that the engines use."""
    import numpy as np

    from realtime.enhance.color_ops import from_rgb, quantize, to_rgb

    rgb = to_rgb(tuple(plane[np.newaxis] for plane in planes), source)
    return tuple(np.asarray(plane)[0] for plane in quantize(from_rgb(rgb, target), target))


if __name__ == "__main__":
    import signal

    from realtime.api import enhance_video
    from realtime.errors import RealtimeError

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.default_int_handler)
    try:
        report = enhance_video(
            Path(sys.argv[1]),
            sys.argv[2],
            enhancer=Plain(float(sys.argv[3])),
            resume="resume" in sys.argv,
            keep_partial="keep_partial" in sys.argv,
            on_message=lambda message: print(message.text, file=sys.stderr),
        )
    except RealtimeError as error:
        print(f"realtime: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    raise SystemExit(1 if report.damaged else 0)
