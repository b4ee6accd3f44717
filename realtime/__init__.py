"""Low light video, enhanced as it happens, with MBLLEN (Lv et al., BMVC 2018)."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from realtime.api import enhance_video as enhance_video
    from realtime.enhance.enhancer import Enhancer as Enhancer
    from realtime.errors import DeviceError as DeviceError
    from realtime.errors import RealtimeError as RealtimeError
    from realtime.errors import SettingError as SettingError
    from realtime.errors import SinkError as SinkError
    from realtime.errors import SourceError as SourceError
    from realtime.errors import StopStreaming as StopStreaming
    from realtime.errors import TrainingError as TrainingError
    from realtime.errors import WeightsError as WeightsError
    from realtime.frame import Frame as Frame
    from realtime.frame import PixelFormat as PixelFormat
    from realtime.frame import StreamInfo as StreamInfo
    from realtime.pipeline import run as run
    from realtime.report import Report as Report
    from realtime.sinks.base import Discard as Discard
    from realtime.sinks.base import Sink as Sink
    from realtime.sinks.registry import open_sink as open_sink
    from realtime.sources.base import Source as Source
    from realtime.sources.registry import open_source as open_source

#: Public names and where they live. TensorFlow takes seconds to load, so each is imported when it is first used.
_HOMES = {
    "enhance_video": "realtime.api",
    "run": "realtime.pipeline",
    "Enhancer": "realtime.enhance.enhancer",
    "open_source": "realtime.sources.registry",
    "Source": "realtime.sources.base",
    "open_sink": "realtime.sinks.registry",
    "Sink": "realtime.sinks.base",
    "Discard": "realtime.sinks.base",
    "Frame": "realtime.frame",
    "PixelFormat": "realtime.frame",
    "StreamInfo": "realtime.frame",
    "Report": "realtime.report",
    "RealtimeError": "realtime.errors",
    "SettingError": "realtime.errors",
    "SourceError": "realtime.errors",
    "SinkError": "realtime.errors",
    "WeightsError": "realtime.errors",
    "DeviceError": "realtime.errors",
    "TrainingError": "realtime.errors",
    "StopStreaming": "realtime.errors",
}
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'realtime' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
