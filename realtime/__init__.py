"""Low light video, enhanced as it happens, with MBLLEN (Lv et al., BMVC 2018)."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0.dev0"

if TYPE_CHECKING:
    from realtime.api import enhance_video as enhance_video
    from realtime.cluster.batch import enhance_videos as enhance_videos
    from realtime.cluster.tasks import ClusterOptions as ClusterOptions
    from realtime.cluster.tasks import FileResult as FileResult
    from realtime.config import EncodingOptions as EncodingOptions
    from realtime.config import EnhanceOptions as EnhanceOptions
    from realtime.config import InputOverrides as InputOverrides
    from realtime.control import Control as Control
    from realtime.control import ControlState as ControlState
    from realtime.diagnostics import Diagnostics as Diagnostics
    from realtime.diagnostics import Message as Message
    from realtime.diagnostics import Severity as Severity
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
    from realtime.processor import EngineInfo as EngineInfo
    from realtime.processor import PerFrame as PerFrame
    from realtime.processor import Processor as Processor
    from realtime.processor import Session as Session
    from realtime.report import OutputReport as OutputReport
    from realtime.report import Report as Report
    from realtime.sinks.base import Discard as Discard
    from realtime.sinks.base import Sink as Sink
    from realtime.sinks.registry import open_sink as open_sink
    from realtime.sources.base import Source as Source
    from realtime.sources.registry import open_source as open_source

#: Modules and their public names. TensorFlow takes seconds to load, so each module is imported when it is first used.
_PUBLIC = {
    "realtime.api": ("enhance_video",),
    "realtime.cluster.batch": ("enhance_videos",),
    "realtime.cluster.tasks": ("ClusterOptions", "FileResult"),
    "realtime.config": ("EncodingOptions", "EnhanceOptions", "InputOverrides"),
    "realtime.control": ("Control", "ControlState"),
    "realtime.diagnostics": ("Diagnostics", "Message", "Severity"),
    "realtime.enhance.enhancer": ("Enhancer",),
    "realtime.errors": (
        *("RealtimeError", "SettingError", "SourceError", "SinkError", "WeightsError", "DeviceError"),
        *("TrainingError", "StopStreaming"),
    ),
    "realtime.frame": ("Frame", "PixelFormat", "StreamInfo"),
    "realtime.pipeline": ("run",),
    "realtime.processor": ("EngineInfo", "PerFrame", "Processor", "Session"),
    "realtime.report": ("OutputReport", "Report"),
    "realtime.sinks.base": ("Discard", "Sink"),
    "realtime.sinks.registry": ("open_sink",),
    "realtime.sources.base": ("Source",),
    "realtime.sources.registry": ("open_source",),
}
_MODULE_OF = {name: module for module, names in _PUBLIC.items() for name in names}
__all__ = ["__version__", *_MODULE_OF]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'realtime' has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULE_OF[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
