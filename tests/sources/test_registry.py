"""Which source an address means, and what is said where it means none."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import synthetic

from realtime import Frame, InputOverrides, Source, SourceError, open_source
from realtime.media.libav import cv2
from realtime.sources import registry
from realtime.sources.images import ImageFiles
from realtime.sources.video_file import VideoFile


@pytest.mark.parametrize("address", ["", " "])
def test_an_empty_address_is_an_error_and_not_the_images_of_this_folder(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synthetic.image(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError, match="address of the source is empty"):
        open_source(address)


@pytest.mark.parametrize("address", ["./7", Path("7")])
def test_a_file_that_is_called_like_a_camera_is_a_file(
    address: str | Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synthetic.clip(tmp_path / "a.mkv").rename(tmp_path / "7")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cv2, "VideoCapture", lambda *address: pytest.fail("a camera was opened"))
    with open_source(address) as source:
        assert isinstance(source, VideoFile)
        assert len(list(source.frames())) == synthetic.COUNT


def test_a_file_whose_name_begins_with_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synthetic.clip(tmp_path / "~night.mp4")
    monkeypatch.chdir(tmp_path)
    with open_source("~night.mp4") as source:
        assert len(list(source.frames())) == synthetic.COUNT


@pytest.mark.parametrize("address", ["missing.mp4", "missing.png", "no*.png", "~nobody-of-that-name/a.mp4"])
def test_what_is_not_there_is_named(address: str) -> None:
    with pytest.raises(SourceError, match=r"missing|no|nobody"):
        list(open_source(address).frames())


def test_a_seek_stays_in_the_part_that_was_asked_for() -> None:
    part = registry._seek(InputOverrides(start=10.0, duration=5.0), 2.0)
    assert (part.start, part.duration) == (12.0, 3.0)
    assert registry._seek(InputOverrides(start=10.0), None) == InputOverrides(start=10.0)


def test_images_of_other_sizes_are_resized_and_counted(tmp_path: Path) -> None:
    synthetic.image(tmp_path / "a.png", 64, 48, 200)
    synthetic.image(tmp_path / "b.png", 100, 20, 200)
    synthetic.image(tmp_path / "c.png", 64, 48, 200)
    with open_source(tmp_path) as source:
        assert isinstance(source, ImageFiles)
        frames = list(source.frames())
    assert [(frame.width, frame.height) for frame in frames] == [(64, 48)] * 3
    # The whole second image, at its own proportions, in the middle of black.
    rows = frames[1].planes[0].max((1, 2)) > 0
    assert 11 <= rows.sum() <= 13
    assert rows[20:28].all()
    assert source.info.diagnostics.counts == {"resized_frames": 1}
    assert not source.info.diagnostics.damaged


def test_an_image_that_claims_more_pixels_than_there_may_be_is_an_error(tmp_path: Path) -> None:
    path = synthetic.image(tmp_path / "a.png")
    data = bytearray(path.read_bytes())
    data[16:24] = (1 << 15).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"a\.png"):
        open_source(path)


class WithoutInfo(Source):
    def frames(self) -> Iterator[Frame]:
        yield from ()


def test_a_source_without_info_is_told_what_it_lacks() -> None:
    with pytest.raises(TypeError, match=r"WithoutInfo has no info: its constructor must set self\.info"):
        _ = WithoutInfo().info
