"""Recordings of every kind, before and after: each row of the matrix, the table in the document, and single points."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic import clip, random_planes

from realtime import Enhancer, SinkError, enhance_video, open_source
from realtime.cli.main import main
from realtime.config import HWACCELS, EncodingOptions
from realtime.frame import PixelFormat
from realtime.media.encoders import try_encoder
from realtime.media.libav import av
from realtime.media.pixel_formats import pix_fmt_name

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from matrix import KEPT, NONE, Found, enhance, probe  # noqa: E402
from plain import Plain  # noqa: E402
from recipe import Row  # noqa: E402
from rows import ROWS  # noqa: E402
from table import DOCUMENT, document  # noqa: E402

pytestmark = pytest.mark.needs("ffprobe", "ffmpeg")
RANGE = {True: "pc", False: "tv"}
SPACE = {"bt601": "smpte170m", "bt709": "bt709", "bt2020": "bt2020nc"}


@pytest.fixture(scope="module")
def find(plain: Enhancer, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Row], Found]:
    """What becomes of a row, found once."""
    return cache(lambda row: enhance(row, tmp_path_factory.mktemp("row"), plain))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.file)
def test_only_what_is_known_changes(row: Row, find: Callable[[Row], Found]) -> None:
    found = find(row)
    assert row.refused in found.refused
    assert bool(row.refused) == bool(found.refused)
    assert {column: cell for column, cell in found.cells.items() if cell not in (KEPT, NONE)} == dict(row.changes)
    assert len(found.said) == len(row.said), found.said
    assert all(part in sentence for part, sentence in zip(row.said, found.said))


@pytest.mark.timeout(900)
def test_the_table_in_the_document_is_what_is_found(find: Callable[[Row], Found]) -> None:
    text = DOCUMENT.read_text("utf-8")
    assert document(find, text) == text, "python tests/recordings/table.py writes it anew; look at what changed"


@pytest.mark.parametrize("matrix", ["bt601", "bt709", "bt2020"])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("bits", [8, 10])
def test_a_lossless_round_trip_moves_no_sample(
    matrix: Any, full: bool, bits: int, plain: Enhancer, tmp_path: Path
) -> None:
    format = PixelFormat("yuv", bits, (2, 2), matrix, full)
    planes = [random_planes(format, 64, 48, seed) for seed in range(3)]
    raw = b"".join(plane.tobytes() for picture in planes for plane in picture)
    tags = ["-colorspace", SPACE[matrix], "-color_range", RANGE[full]]
    shape = ["-f", "rawvideo", "-pix_fmt", pix_fmt_name(format), "-s", "64x48"]
    source, out = tmp_path / "a.mkv", tmp_path / "b.mkv"
    write = ["ffmpeg", "-v", "error", *shape, "-i", "-", *tags, "-c:v", "ffv1", str(source)]
    subprocess.run(write, input=raw, check=True, timeout=60)
    enhance_video(source, out, enhancer=plain, encoding=EncodingOptions(codec="ffv1", pixel_format="source"))
    read = ["ffmpeg", "-v", "error", "-i", str(out), "-f", "rawvideo", "-"]
    made = subprocess.run(read, check=True, capture_output=True, timeout=60).stdout
    before, after = (np.frombuffer(data, format.dtype).astype(int) for data in (raw, made))
    assert before.shape == after.shape
    assert np.abs(before - after).max() <= 1
    about = ("-select_streams", "v:0", "-show_entries", "stream=pix_fmt,color_space,color_range")
    assert probe(out, *about) == probe(source, *about)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_the_last_picture_stays_as_long(suffix: str, tmp_path: Path) -> None:
    source, out = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 25)
        pictures = [av.VideoFrame(64, 48, "yuv420p") for _ in range(6)]
        for place, picture in enumerate(pictures):
            picture.pts, picture.time_base = place, Fraction(1, 25)
        for packet in [packet for picture in (*pictures, None) for packet in stream.encode(picture)]:
            packet.duration = 25 if packet.pts == 5 else 1
            container.mux(packet)
    enhance_video(source, out, enhancer=Plain())
    lengths = [float(probe(path, "-show_format")["format"]["duration"]) for path in (source, out)]
    assert lengths == [pytest.approx(1.2), pytest.approx(1.2)]


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize("hardware", HWACCELS)
def test_hardware_encodes_or_is_refused_in_one_line(
    codec: str, hardware: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("realtime.cli.options.make_enhancer", lambda chosen: Plain())
    source, out = clip(tmp_path / "a.mp4", 320, 240), tmp_path / "b.mp4"
    works = try_encoder(f"{codec}_{hardware}") is None
    code = main(["enhance", str(source), "-o", str(out), "-q", "--codec", codec, "--hwaccel", hardware])
    said = capfd.readouterr().err
    assert code == (0 if works else 1)
    if works:
        assert probe(out, "-show_streams")["streams"][0]["codec_name"] == codec
    else:
        assert len(said.splitlines()) == 1
        assert f"{codec}_{hardware}" in said
        assert "leave --hwaccel out to encode in software" in said
        assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_a_container_that_cannot_hold_the_codec_says_what_would(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4")
    with pytest.raises(SinkError, match=r"\.mkv takes all codecs"):
        enhance_video(source, tmp_path / "b.webm", enhancer=Plain())
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize("suffix", [".ts", ".avi"])
def test_strict_refuses_a_container_without_room_for_a_rotation(suffix: str, tmp_path: Path) -> None:
    source = next(row for row in ROWS if row.file == "turned.mp4").make(tmp_path)
    with pytest.raises(SinkError, match="without strict=True that is a warning"):
        enhance_video(source, tmp_path / f"b{suffix}", enhancer=Plain(), encoding=EncodingOptions(strict=True))
    assert not list(tmp_path.glob(f"*b*{suffix}"))


def test_a_cover_becomes_an_attachment_of_matroska(tmp_path: Path) -> None:
    source = next(row for row in ROWS if row.file == "cover.mp4").make(tmp_path)
    report = enhance_video(source, tmp_path / "b.mkv", enhancer=Plain())
    assert report.warnings == ()
    about = ("-show_entries", "stream=codec_name,width:stream_disposition=attached_pic")
    cover = {"codec_name": "png", "width": 32, "disposition": {"attached_pic": 1}}
    assert cover in probe(tmp_path / "b.mkv", *about)["streams"]


@pytest.mark.parametrize("suffix", [".mkv", ".mov"])
def test_a_rotation_goes_into_another_container(suffix: str, tmp_path: Path) -> None:
    source = next(row for row in ROWS if row.file == "turned.mp4").make(tmp_path)
    out = tmp_path / f"b{suffix}"
    report = enhance_video(source, out, enhancer=Plain())
    # Debian's ffprobe does not know Matroska's way of turning; the library does.
    assert open_source(out).info.display_matrix == open_source(source).info.display_matrix is not None
    assert report.warnings == ()
