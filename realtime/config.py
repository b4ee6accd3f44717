"""Settings as frozen values, passed whole from the command line to where they are used.

`EnhanceOptions` says how to enhance, `EncodingOptions` how to encode, `InputOverrides` what to read of an input and
what to believe about it. All raise SettingError for values out of range; no library is loaded to check them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

from realtime.color import Matrix
from realtime.errors import SettingError

PRECISIONS = ("auto", "float32", "bfloat16", "float16")
#: Exposure that a user may ask for, in stops (1 to 64 times the light).
EXPOSURE_STOPS = (0.0, 6.0)
#: Speed presets from fastest to smallest, by x264's names; other encoders get the nearest.
PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
#: That of recordings beside a live picture. 1080p at 30 frames a second takes x264 0.4 of a core of an AMD EPYC
#: (Zen 4), and 1.1 with ``veryfast``, whose files are two fifths as large.
LIVE_PRESET = "ultrafast"
CODECS = ("h264", "hevc", "av1", "vp9", "ffv1")
#: Hardware encoder families, by the suffix of libav's encoder names.
HWACCELS = ("nvenc", "qsv", "videotoolbox", "vaapi", "amf")
#: Default and worst CRF of each lossy codec.
CRF_RANGE = {"h264": (18, 51), "hevc": (20, 51), "av1": (24, 63), "vp9": (24, 63)}
#: Codecs whose encoders keep a limit of the bit rate; libvpx was measured to exceed it by 60 % at low rates.
RATE_LIMITED = ("h264", "hevc", "av1")


@dataclass(frozen=True)
class EnhanceOptions:
    """How to enhance.

    - `weights`: a name from the weights index, or a path; None is the bundled default.
    - `engine`: ``auto`` or the name of a registered engine.
    - `precision`: one of `PRECISIONS`; ``auto`` is measured.
    - `device`: ``auto``, ``cpu`` or ``gpu[:N]``.
    - `strength`: 0..1, linear blend from the input (0) to the enhanced picture (1).
    - `exposure`: ``auto`` (metered place by place), ``scene`` (metered, one number for the frame), ``off`` (the plain
      network) or stops within `EXPOSURE_STOPS`; None is what the weights were trained for.
    - `denoise`: the longest memory over time in frames (2 to 60), ``off``, or ``auto``: on where frames are exposed.
    - `batch`: frames at a time, or ``auto``.
    """

    weights: str | Path | None = None
    engine: str = "auto"
    precision: str = "auto"
    device: str = "auto"
    strength: float = 1.0
    exposure: str | float | None = None
    batch: int | str = "auto"
    denoise: int | str = "auto"

    def __post_init__(self) -> None:
        if not 0.0 <= self.strength <= 1.0:
            raise SettingError(f"strength {self.strength} is outside 0..1")
        if self.batch != "auto" and not (isinstance(self.batch, int) and self.batch >= 1):
            raise SettingError(f"batch {self.batch!r} is neither 'auto' nor a number from 1")
        if self.precision not in PRECISIONS:
            raise SettingError(f"precision {self.precision!r} is not one of {', '.join(PRECISIONS)}")
        check_device(self.device)
        if self.denoise not in ("auto", "off") and not (isinstance(self.denoise, int) and 2 <= self.denoise <= 60):
            raise SettingError(f"denoise {self.denoise!r} is not auto, off or a number of frames from 2 to 60")
        parse_exposure(self.exposure)


def check_device(device: str) -> None:
    """Raises SettingError unless `device` is ``auto``, ``cpu``, ``gpu`` or ``gpu:N``, whether it is there or not."""
    if not re.fullmatch(r"auto|cpu|gpu(:\d+)?", device):
        raise SettingError(f"device {device!r} is not one of auto, cpu, gpu, gpu:N")


def parse_exposure(exposure: str | float | None) -> float | None:
    """The stops that `exposure` asks for, or None for ``auto``, ``scene``, ``off`` and None. Raises SettingError."""
    if exposure in (None, "auto", "scene", "off"):
        return None
    try:
        stops = float(exposure)
    except ValueError:
        stops = float("nan")
    low, high = EXPOSURE_STOPS
    if not low <= stops <= high:
        raise SettingError(f"exposure {exposure!r} is not auto, scene, off or stops from {low:g} to {high:g}")
    return stops


@dataclass(frozen=True)
class EncodingOptions:
    """How to encode a video file.

    - `codec`: one of `CODECS`.
    - `crf`: constant rate factor, 0 is best; None is the codec's default in `CRF_RANGE`.
    - `preset`: one of `PRESETS`.
    - `max_size_ratio`: how many times the input's video bit rate the output's may have, at the cost of quality; None
      is no limit. For video files and the codecs in `RATE_LIMITED`: measured, h264 and hevc exceed it by at most 10 %,
      av1 by 30 %.
    - `pixel_format`: a libav pixel format, ``source`` for the input's, None for 8-bit 4:2:0.
    - `hwaccel`: one of `HWACCELS`, None for software.
    - `encoder_options`: options of the encoder by its own names; they win over the others.
    - `strict`: raise SinkError when a stream or tag cannot be carried, instead of a warning.
    """

    codec: str = "h264"
    crf: int | None = None
    preset: str = "veryfast"
    max_size_ratio: float | None = None
    pixel_format: str | None = None
    hwaccel: str | None = None
    encoder_options: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False

    def __post_init__(self) -> None:
        for name, value, choices in (
            ("codec", self.codec, CODECS),
            ("preset", self.preset, PRESETS),
            ("hwaccel", self.hwaccel or HWACCELS[0], HWACCELS),
        ):
            if value not in choices:
                raise SettingError(f"{name} {value!r} is not one of {', '.join(choices)}")
        if self.max_size_ratio is not None:
            if not (isfinite(self.max_size_ratio) and self.max_size_ratio > 0):
                raise SettingError(f"max_size_ratio {self.max_size_ratio} must be more than 0")
            if self.codec not in RATE_LIMITED:
                raise SettingError(f"max_size_ratio is for {', '.join(RATE_LIMITED)}, not for {self.codec}")
        if self.crf is None:
            return
        if self.codec not in CRF_RANGE:
            raise SettingError(f"crf {self.crf} means nothing to {self.codec}, which is lossless; leave it out")
        worst = CRF_RANGE[self.codec][1]
        if not 0 <= self.crf <= worst:
            raise SettingError(f"crf {self.crf} is outside 0..{worst} of {self.codec}")


@dataclass(frozen=True)
class InputOverrides:
    """What to read of an input, and what to believe about it against its tags.

    - `start`, `duration`: seconds of a video file; None is its beginning, and all of it.
    - `matrix`, `full_range`: color tags that replace the file's; None is as tagged, or guessed.
    - `hdr`: True accepts PQ and HLG as they are, without tone mapping.
    - `size` (width, height), `rate` (frames a second), `fourcc` (such as ``MJPG``): what to ask a camera for; None is
      its usual.
    """

    start: float | None = None
    duration: float | None = None
    matrix: Matrix | None = None
    full_range: bool | None = None
    hdr: bool = False
    size: tuple[int, int] | None = None
    rate: float | None = None
    fourcc: str | None = None

    def __post_init__(self) -> None:
        if self.size is not None and min(self.size) < 1:
            raise SettingError(f"size {self.size[0]}x{self.size[1]} must be 1 or more each way")
        if self.rate is not None and not 0 < self.rate <= 1000:
            raise SettingError(f"rate {self.rate} must be more than 0 and at most 1000 frames a second")
        if self.fourcc is not None and not (self.fourcc.isascii() and 1 <= len(self.fourcc) <= 4):
            raise SettingError(f"fourcc {self.fourcc!r} must have one to four letters, such as MJPG")
        if self.start is not None and not (isfinite(self.start) and self.start >= 0):
            raise SettingError(f"start {self.start} s must be 0 or more")
        if self.duration is not None and not (isfinite(self.duration) and self.duration > 0):
            raise SettingError(f"duration {self.duration} s must be more than 0")
