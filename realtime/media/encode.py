"""Which encoder, options and pixel format `EncodingOptions` mean for a stream."""

from __future__ import annotations

from dataclasses import replace

from realtime.color import CHROMA_SUBSAMPLING, HDR_TRANSFERS, guess_matrix
from realtime.config import CRF_RANGE, PRESETS, EncodingOptions
from realtime.errors import SettingError
from realtime.frame import PixelFormat, StreamInfo
from realtime.media.libav import av
from realtime.media.packet_scan import packet_bytes
from realtime.media.pixel_formats import HIGH_BIT_DEPTHS, pix_fmt_name

SOFTWARE_ENCODERS = {"h264": "libx264", "hevc": "libx265", "av1": "libsvtav1", "vp9": "libvpx-vp9", "ffv1": "ffv1"}
#: Options that make groups of pictures stand alone, so that a file can be cut and continued at its keyframes.
CODEC_OPTIONS = {
    "hevc": {"x265-params": "log-level=none:open-gop=0"},
    "vp9": {"b": "0", "row-mt": "1", "deadline": "good"},
    "ffv1": {"level": "3", "slicecrc": "1", "g": "1"},
}
#: Seconds between keyframes: the most that an interrupted run has to do again.
GROUP_SECONDS = 2
#: The option for constant quality, by hardware family.
QUALITY_OPTION = {"nvenc": "cq", "qsv": "global_quality", "vaapi": "qp", "amf": "qp_p"}
DEFAULT_RATE = 25
#: Seconds of video at the highest bit rate that an encoder may spend ahead, such as on a keyframe.
BUFFER_SECONDS = 1


def encoder_name(options: EncodingOptions) -> str:
    """The encoder's name in libav."""
    return f"{options.codec}_{options.hwaccel}" if options.hwaccel else SOFTWARE_ENCODERS[options.codec]


def encoder_settings(options: EncodingOptions, info: StreamInfo) -> dict[str, str]:
    """The encoder's own options for a stream; `options.encoder_options` come last and win."""
    rate = float(info.rate or DEFAULT_RATE)
    group = {"g": str(min(max(round(GROUP_SECONDS * rate), 1), 250))}
    quality = str(options.crf if options.crf is not None else CRF_RANGE.get(options.codec, (0, 0))[0])
    speed = PRESETS.index(options.preset)  # 0 is fastest
    if options.hwaccel:
        settings = dict(group)
        if options.hwaccel in QUALITY_OPTION:
            settings[QUALITY_OPTION[options.hwaccel]] = quality
        if options.hwaccel == "nvenc":
            settings["preset"] = f"p{1 + speed * 6 // (len(PRESETS) - 1)}"
        return settings | rate_limit(options, info) | dict(options.encoder_options)
    settings = group | CODEC_OPTIONS.get(options.codec, {})
    if options.codec in ("h264", "hevc"):
        settings |= {"crf": quality, "preset": options.preset}
    elif options.codec == "av1":
        settings |= {"crf": quality, "preset": str(12 - speed)}
    elif options.codec == "vp9":
        settings |= {"crf": quality, "cpu-used": str(max(0, 5 - speed // 2))}
    return settings | rate_limit(options, info) | dict(options.encoder_options)


def rate_limit(options: EncodingOptions, info: StreamInfo) -> dict[str, str]:
    """Options that hold the bit rate below `options.max_size_ratio` times the input's. Reads all of the input."""
    if options.max_size_ratio is None:
        return {}
    if info.path is None or info.live or not info.seconds:
        raise SettingError(f"max_size_ratio needs a video file as input, which {info.name} is not")
    start, end = info.time_span
    limit = round(options.max_size_ratio * 8 * packet_bytes(info.path, info.stream_index, start, end) / info.seconds)
    return {"maxrate": str(limit), "bufsize": str(BUFFER_SECONDS * limit)}


def output_format(options: EncodingOptions, info: StreamInfo) -> PixelFormat:
    """The pixel format to encode for a stream. Raises SettingError when the encoder does not take it."""
    source = info.format
    if source.model == "rgb":
        source = PixelFormat("yuv", 8, (2, 2), guess_matrix(info.width, info.height), full_range=False)
    if options.pixel_format == "source":
        result = source
    elif options.pixel_format is not None:
        result = parse_pixel_format(options.pixel_format, source)
    else:
        # PQ and HLG in eight bits would show as bands.
        bits = max(source.bits, 10) if info.color_tags[1] in HDR_TRANSFERS else 8
        result = replace(source, model="yuv", bits=bits, chroma=(2, 2))
    # JPEG has names of its own for full range; the tag says the same.
    known = [f.name.replace("yuvj", "yuv") for f in av.Codec(encoder_name(options), "w").video_formats or ()]
    if known and pix_fmt_name(result) not in known and not options.hwaccel:
        fit = ", ".join(sorted({n for n in known if n.startswith(("yuv", "gray")) and not n.endswith("be")}))
        raise SettingError(f"pixel format {pix_fmt_name(result)} is not one that {encoder_name(options)} takes: {fit}")
    return result


def reduction(options: EncodingOptions, info: StreamInfo) -> str | None:
    """A warning where `output_format` has fewer bits or less chroma than the source and nobody asked for that."""
    source, output = info.format, output_format(options, info)
    finer = source.bits > output.bits or (source.model == "yuv" and source.chroma != output.chroma)
    if options.pixel_format is not None or source.model == "rgb" or not finer:
        return None
    remedy = f"pixel format {pix_fmt_name(source)}"
    try:
        output_format(replace(options, pixel_format="source"), info)
    except SettingError:
        remedy += " with codec ffv1"
    return (
        f"frames in {pix_fmt_name(source)} are written as {pix_fmt_name(output)}, which every player takes; "
        f"{remedy} keeps them"
    )


def parse_pixel_format(name: str, like: PixelFormat) -> PixelFormat:
    """The pixel format that libav calls `name`, in the matrix and range of `like`. Raises SettingError."""
    for bits in (8, *HIGH_BIT_DEPTHS):
        for candidate in (
            replace(like, model="gray", bits=bits, chroma=(1, 1)),
            *(replace(like, model="yuv", bits=bits, chroma=chroma) for chroma in CHROMA_SUBSAMPLING.values()),
        ):
            if pix_fmt_name(candidate) == name:
                return candidate
    raise SettingError(
        f"pixel format {name!r} is not one of source, yuv420p, yuv422p, yuv444p, gray, or these with 10le or 12le "
        "appended"
    )
