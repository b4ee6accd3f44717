"""Which encoder, options and pixel format the settings mean."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from ffmpeg_tools import make_video

from realtime import EncodingOptions, Frame, PerFrame, PixelFormat, SettingError, StreamInfo, enhance_video
from realtime.color import CHROMA_SUBSAMPLING
from realtime.config import CODECS, CRF_RANGE, HWACCELS, PRESETS, RATE_LIMITED
from realtime.media.encode import encoder_name, encoder_settings, output_format, parse_pixel_format, reduction
from realtime.media.encoders import try_encoder
from realtime.media.libav import av
from realtime.media.packet_scan import packet_bytes
from realtime.media.pixel_formats import HIGH_BIT_DEPTHS, pix_fmt_name


def stream(format: PixelFormat, **more: object) -> StreamInfo:
    return StreamInfo(64, 48, format, Fraction(1, 25), Fraction(25), **more)  # type: ignore[arg-type]


def amplified(frame: Frame) -> Frame:
    """A frame with noise that was not there, so that it takes more bytes."""
    noise = np.random.default_rng(frame.pts).integers(-50, 50, frame.planes[0].shape)
    luma = np.clip(frame.planes[0].astype(int) + noise, 16, 235).astype(np.uint8)
    return frame.with_planes((luma, *frame.planes[1:]), frame.format)


YUV = PixelFormat("yuv", 8, (2, 2), "bt601", full_range=False)


@pytest.mark.parametrize("codec", CODECS)
def test_every_software_encoder_works_and_knows_its_options(codec: str) -> None:
    options = EncodingOptions(codec, preset="ultrafast")
    name = encoder_name(options)
    assert try_encoder(name) is None
    context = av.CodecContext.create(name, "w")
    context.width, context.height, context.pix_fmt, context.time_base = 64, 48, "yuv420p", Fraction(1, 25)
    context.options = encoder_settings(options, stream(YUV))
    context.open()
    assert not context.options, "what the encoder did not take is left there"


def test_an_encoder_that_is_not_there_is_named() -> None:
    assert try_encoder("no_such_encoder") == "is not part of this build of PyAV"


@pytest.mark.parametrize("codec", CRF_RANGE)
def test_a_smaller_crf_reaches_the_encoder(codec: str) -> None:
    assert encoder_settings(EncodingOptions(codec, crf=7), stream(YUV))["crf"] == "7"
    assert encoder_settings(EncodingOptions(codec), stream(YUV))["crf"] == str(CRF_RANGE[codec][0])


@pytest.mark.parametrize("hwaccel", HWACCELS)
def test_hardware_gets_the_quality_by_its_own_name(hwaccel: str) -> None:
    options = EncodingOptions("hevc", crf=30, hwaccel=hwaccel)
    assert encoder_name(options) == f"hevc_{hwaccel}"
    settings = encoder_settings(options, stream(YUV))
    assert "crf" not in settings
    assert hwaccel == "videotoolbox" or "30" in settings.values()


def test_presets_keep_their_order() -> None:
    speeds = [int(encoder_settings(EncodingOptions("av1", preset=preset), stream(YUV))["preset"]) for preset in PRESETS]
    assert speeds == sorted(speeds, reverse=True)
    efforts = [
        int(encoder_settings(EncodingOptions("vp9", preset=preset), stream(YUV))["cpu-used"]) for preset in PRESETS
    ]
    assert efforts == sorted(efforts, reverse=True)


def test_the_users_options_win() -> None:
    options = EncodingOptions(crf=20, encoder_options={"crf": "30", "tune": "film"})
    settings = encoder_settings(options, stream(YUV))
    assert (settings["crf"], settings["tune"]) == ("30", "film")


@pytest.mark.parametrize(("rate", "group"), [(25, "50"), (Fraction(1, 2), "1"), (240, "250"), (None, "50")])
def test_keyframes_come_every_two_seconds(rate: Fraction | None, group: str) -> None:
    info = StreamInfo(64, 48, YUV, rate=None if rate is None else Fraction(rate))
    assert encoder_settings(EncodingOptions(), info)["g"] == group


@pytest.mark.parametrize("bits", [8, *HIGH_BIT_DEPTHS])
@pytest.mark.parametrize("chroma", CHROMA_SUBSAMPLING.values())
def test_names_of_pixel_formats_are_read_back(bits: int, chroma: tuple[int, int]) -> None:
    format = PixelFormat("yuv", bits, chroma, "bt2020", full_range=False)
    assert parse_pixel_format(pix_fmt_name(format), format) == format


@pytest.mark.parametrize("name", ["", "rgb24", "yuv420", "yuv420p11le", "nv12"])
def test_other_names_are_refused_with_those_that_are_known(name: str) -> None:
    with pytest.raises(SettingError, match="is not one of source, yuv420p"):
        output_format(EncodingOptions(pixel_format=name), stream(YUV))


def test_what_the_encoder_does_not_take_is_refused_with_what_it_takes() -> None:
    with pytest.raises(SettingError, match=r"yuv420p12le is not one that libx264 takes: .*yuv420p10le"):
        output_format(EncodingOptions(pixel_format="yuv420p12le"), stream(YUV))


@pytest.mark.parametrize(
    ("format", "pixel_format", "expected"),
    [
        (YUV, None, None),
        (PixelFormat("gray", 8, (1, 1), "bt601", full_range=False), None, None),
        (PixelFormat(), None, None),
        (PixelFormat("yuv", 8, (1, 1)), None, "yuv444p are written as yuv420p.*pixel format yuv444p keeps them"),
        (PixelFormat("yuv", 10, (2, 2)), None, "yuv420p10le are written as yuv420p.*pixel format yuv420p10le keeps"),
        (PixelFormat("yuv", 12, (2, 2)), None, "pixel format yuv420p12le with codec ffv1 keeps them"),
        (PixelFormat("yuv", 8, (1, 1)), "source", None),
        (PixelFormat("yuv", 10, (2, 2)), "yuv420p", None),
    ],
)
def test_fewer_bits_or_less_chroma_by_default_is_said(
    format: PixelFormat, pixel_format: str | None, expected: str | None
) -> None:
    text = reduction(EncodingOptions(pixel_format=pixel_format), stream(format))
    assert (text is None) == (expected is None)
    if expected is not None and text is not None:
        assert re.search(expected, text)


def test_hdr_keeps_ten_bits_and_its_matrix() -> None:
    info = stream(PixelFormat("yuv", 10, (2, 2), "bt2020", full_range=False), color_tags=(9, 16))
    output = output_format(EncodingOptions("hevc"), info)
    assert (output.bits, output.matrix, output.full_range) == (10, "bt2020", False)


@pytest.mark.parametrize(("size", "matrix"), [((640, 480), "bt601"), ((1280, 544), "bt709"), ((960, 720), "bt709")])
def test_rgb_gets_the_matrix_that_players_guess(size: tuple[int, int], matrix: str) -> None:
    assert output_format(EncodingOptions(), StreamInfo(*size)).matrix == matrix


@pytest.mark.needs("ffmpeg", "ffprobe")
@pytest.mark.parametrize("codec", RATE_LIMITED)
def test_the_size_is_limited_by_the_inputs(codec: str, tmp_path: Path) -> None:
    """The input was encoded at low quality; its noise, kept well, takes many times the bytes."""
    noise = ("-vf", "noise=alls=40:allf=t", "-crf", "40")
    source = make_video(tmp_path / "a.mp4", *noise, seconds=8, size="320x240")
    sizes = {}
    for ratio in (None, 2.0, 3.0):
        out = tmp_path / f"{ratio}.mkv"
        encoding = EncodingOptions(codec, preset="ultrafast", max_size_ratio=ratio)
        enhance_video(source, out, enhancer=PerFrame(amplified), encoding=encoding)
        sizes[ratio] = packet_bytes(out, 0, None, None) / packet_bytes(source, 0, None, None)
    assert sizes[None] > 4
    assert sizes[2.0] < 2.7
    assert sizes[2.0] < sizes[3.0] < 4.05


def test_a_limit_needs_the_size_of_a_file() -> None:
    with pytest.raises(SettingError, match="max_size_ratio needs a video file as input, which input is not"):
        encoder_settings(EncodingOptions(max_size_ratio=2.0), stream(YUV, live=True))
