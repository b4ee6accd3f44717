"""What the user wants of the encoder, and which encoder and options that means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from realtime.config import CODECS, HARDWARE, PRESETS
from realtime.errors import SettingError
from realtime.frame import PixelFormat, StreamInfo
from realtime.media.libav import av

#: Default and worst quality numbers.
QUALITY = {"h264": (18, 51), "hevc": (20, 51), "av1": (24, 63), "vp9": (24, 63)}
SOFTWARE = {"h264": "libx264", "hevc": "libx265", "av1": "libsvtav1", "vp9": "libvpx-vp9", "ffv1": "ffv1"}
#: Quiet, and with groups of pictures that stand alone, so that a file can be cut and continued at its keyframes.
FIXED = {
    "hevc": {"x265-params": "log-level=none:open-gop=0"},
    "vp9": {"b": "0", "row-mt": "1", "deadline": "good"},
    "ffv1": {"level": "3", "slicecrc": "1", "g": "1"},
}
#: Seconds from keyframe to keyframe: what an interrupted run has to do again at most.
GROUP = 2
#: How a hardware family calls constant quality.
CONSTANT = {"nvenc": "cq", "qsv": "global_quality", "vaapi": "qp", "amf": "qp_p"}
SHARED = {(4, 4): "410", (4, 1): "411", (2, 2): "420", (2, 1): "422", (1, 2): "440", (1, 1): "444"}
#: PQ and HLG: eight bits would show as bands.
HDR = (16, 18)


@dataclass(frozen=True)
class EncodingOptions:
    """How to encode: `codec` of `CODECS`; `crf`, None for the codec's default; `preset` of `PRESETS`; `options` for
    the encoder by its own names; `pixels` a libav pixel format, ``source`` for the input's, None for 8-bit 4:2:0;
    `hardware` of `HARDWARE` or None. Raises SettingError for what is none of these.
    """

    codec: str = "h264"
    crf: int | None = None
    preset: str = "veryfast"
    options: Mapping[str, str] = field(default_factory=dict)
    pixels: str | None = None
    hardware: str | None = None

    def __post_init__(self) -> None:
        for name, value, known in (
            ("codec", self.codec, CODECS),
            ("preset", self.preset, PRESETS),
            ("hwaccel", self.hardware or HARDWARE[0], HARDWARE),
        ):
            if value not in known:
                raise SettingError(f"{name} {value!r} is not one of {', '.join(known)}")
        if self.crf is not None:
            if self.codec not in QUALITY:
                raise SettingError(f"crf {self.crf} means nothing to {self.codec}, which is lossless; leave it out")
            worst = QUALITY[self.codec][1]
            if not 0 <= self.crf <= worst:
                raise SettingError(f"crf {self.crf} is outside 0..{worst}")
        if self.pixels not in (None, "source"):
            _named(self.pixels, PixelFormat("yuv"))

    @property
    def encoder(self) -> str:
        """The encoder's name in libav."""
        return f"{self.codec}_{self.hardware}" if self.hardware else SOFTWARE[self.codec]

    def settings(self, info: StreamInfo) -> dict[str, str]:
        """The encoder's options for a stream; what the user gave comes last and wins."""
        rate = float(info.rate or 25)
        chosen = {"g": str(min(max(round(GROUP * rate), 1), 250))} | FIXED.get(self.codec, {})
        quality = str(self.crf if self.crf is not None else QUALITY.get(self.codec, (0, 0))[0])
        place = PRESETS.index(self.preset)
        if self.hardware:
            chosen = {"g": chosen["g"]}
            if self.hardware in CONSTANT:
                chosen[CONSTANT[self.hardware]] = quality
            if self.hardware == "nvenc":
                chosen["preset"] = f"p{1 + place * 6 // (len(PRESETS) - 1)}"
        elif self.codec in ("h264", "hevc"):
            chosen |= {"crf": quality, "preset": self.preset}
        elif self.codec == "av1":
            chosen |= {"crf": quality, "preset": str(12 - place)}
        elif self.codec == "vp9":
            chosen |= {"crf": quality, "cpu-used": str(max(0, 5 - place // 2))}
        return chosen | dict(self.options)

    def format(self, info: StreamInfo) -> PixelFormat:
        """The planes to encode for a stream. Raises SettingError when the encoder does not take that kind."""
        source = info.format
        if source.model == "rgb":
            source = PixelFormat("yuv", 8, (2, 2), "bt709" if info.height >= 720 else "bt601", full_range=False)
        if self.pixels == "source":
            made = source
        elif self.pixels is not None:
            made = _named(self.pixels, source)
        else:
            bits = max(source.bits, 10) if info.color_tags[1] in HDR else 8
            made = replace(source, model="yuv", bits=bits, chroma=(2, 2))
        # JPEG's own names for full range; the tag says the same.
        known = [f.name.replace("yuvj", "yuv") for f in av.Codec(self.encoder, "w").video_formats or ()]
        if known and name_of(made) not in known and not self.hardware:
            fit = ", ".join(sorted({n for n in known if n.startswith(("yuv", "gray")) and not n.endswith("be")}))
            raise SettingError(f"{self.encoder} takes no {name_of(made)}; --pixel-format may be {fit}")
        return made

    def reduction(self, info: StreamInfo) -> str | None:
        """What to tell where `format` has fewer bits or less chroma than the source and nobody asked for that."""
        source, made = info.format, self.format(info)
        finer = source.bits > made.bits or (source.model == "yuv" and source.chroma != made.chroma)
        if self.pixels is not None or source.model == "rgb" or not finer:
            return None
        remedy = f"--pixel-format {name_of(source)}"
        try:
            replace(self, pixels="source").format(info)
        except SettingError:
            remedy += " --codec ffv1"
        became = f"pictures in {name_of(source)} are written as {name_of(made)}, which every player takes"
        return f"{became}; {remedy} keeps them"


def name_of(format: PixelFormat) -> str:
    """What libav calls planes of that kind."""
    deep = f"{format.bits}le" if format.bits > 8 else ""
    if format.model == "gray":
        return f"gray{deep}"
    return f"yuv{SHARED[format.chroma]}p{deep}"


def _named(name: str | None, like: PixelFormat) -> PixelFormat:
    """The format of that name, in the matrix and range of `like`."""
    for bits in (8, 9, 10, 12, 14, 16):
        for made in (
            replace(like, model="gray", bits=bits, chroma=(1, 1)),
            *(replace(like, model="yuv", bits=bits, chroma=chroma) for chroma in SHARED),
        ):
            if name_of(made) == name:
                return made
    raise SettingError(f"pixel format {name!r} is not one of yuv420p, yuv422p, yuv444p, gray, with 10le or 12le behind")
