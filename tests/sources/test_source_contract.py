"""What every source must do. A new source gets a line in `SOURCES`."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synthetic

from realtime import Frame, InputOverrides, SettingError, Source, SourceError, StreamInfo, open_source
from realtime.media.libav import cv2
from realtime.sources.limited import Limited

Make = Callable[[Path], Source]


class Lens:
    """Stands for an OpenCV capture: a camera that delivers five pictures."""

    def __init__(self, *address: object) -> None:
        self.left = 5

    def isOpened(self) -> bool:
        return True

    def set(self, what: int, value: float) -> bool:
        return True

    def get(self, what: int) -> float:
        return 30.0

    def read(self) -> tuple[bool, Any]:
        self.left -= 1
        return self.left >= 0, np.full((48, 64, 3), synthetic.level(5 - self.left), np.uint8)

    def release(self) -> None:
        self.left = 0


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The address of a clip, as a network camera would serve it."""
    # Matroska: a camera's stream cannot be searched for an index at its end either.
    synthetic.clip(tmp_path / "camera.mkv")
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/camera.mkv"
        server.shutdown()
        thread.join()


def file(folder: Path) -> Source:
    return open_source(synthetic.clip(folder / "a.mp4"))


def shortened(folder: Path) -> Source:
    return open_source(synthetic.clip(folder / "a.mp4"), InputOverrides(start=0.08, duration=0.16))


def ten_bit(folder: Path) -> Source:
    return open_source(synthetic.clip(folder / "a.mkv", codec="ffv1", pixels="yuv420p10le"))


def through_rgb(folder: Path) -> Source:
    return open_source(synthetic.clip(folder / "a.mkv", codec="ffv1", pixels="bgr0"))


def paced(folder: Path) -> Source:
    return open_source(synthetic.clip(folder / "a.mp4"), paced=True)


def limited(folder: Path) -> Source:
    return Limited(open_source(synthetic.clip(folder / "a.mp4")), seconds=3600)


def one_image(folder: Path) -> Source:
    return open_source(synthetic.image(folder / "a.png"))


def folder_of_images(folder: Path) -> Source:
    for name in ("b.png", "a.bmp", "c.jpg"):
        synthetic.image(folder / name)
    (folder / "notes.txt").write_text("not a picture")
    return open_source(folder)


def glob_of_images(folder: Path) -> Source:
    for name in ("b.png", "a.png", "c.jpg"):
        synthetic.image(folder / name)
    return open_source(str(folder / "*.png"))


SOURCES: dict[Make, int] = {
    file: 8,
    shortened: 4,
    ten_bit: 8,
    through_rgb: 8,
    paced: 8,
    limited: 8,
    one_image: 1,
    folder_of_images: 3,
    glob_of_images: 2,
}


def check(source: Source, count: int) -> None:
    """The contract, for a source of so many frames."""
    info = source.info
    assert isinstance(info, StreamInfo)
    frames, before = [], []
    with source:
        for frame in source.frames():
            frames.append(frame)
            before.append(frame.planes[0].mean())
    assert len(frames) == count
    assert all(isinstance(frame, Frame) for frame in frames)
    assert {(frame.width, frame.height) for frame in frames} == {(info.width, info.height)}
    assert {frame.format for frame in frames} == {info.format}
    assert {frame.time_base for frame in frames} == {info.time_base}
    assert [frame.pts for frame in frames] == sorted({frame.pts for frame in frames}), "times must rise"
    assert all(frame.captured_at > 0 for frame in frames)
    assert [frame.captured_at for frame in frames] == sorted(frame.captured_at for frame in frames)
    if info.frames is not None:
        assert info.frames == count
    # Planes belong to the frame: those of an earlier one keep their samples while later ones are read.
    assert [frame.planes[0].mean() for frame in frames] == before


@pytest.mark.parametrize("make", SOURCES, ids=lambda make: make.__name__)
def test_contract(make: Make, tmp_path: Path) -> None:
    check(make(tmp_path), SOURCES[make])


def test_contract_of_a_network_camera(served: str) -> None:
    source = open_source(served)
    assert source.info.live
    check(source, 8)


def test_contract_of_a_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", Lens)
    source = open_source(0)
    assert source.info.live
    frames: list[Frame] = []
    # A camera has no end, so its end is an error; what came before counts.
    with source, pytest.raises(SourceError, match="camera 0"):
        frames.extend(source.frames())
    monkeypatch.undo()
    assert [frame.pts for frame in frames] == sorted({frame.pts for frame in frames})
    assert {(frame.width, frame.height) for frame in frames} == {(64, 48)}


@pytest.mark.parametrize("make", SOURCES, ids=lambda make: make.__name__)
def test_stop_and_close_may_come_before_any_frame(make: Make, tmp_path: Path) -> None:
    source = make(tmp_path)
    source.stop()
    source.close()


@pytest.mark.parametrize("make", [file, paced, limited, folder_of_images], ids=lambda make: make.__name__)
def test_an_iteration_may_be_left_in_the_middle(make: Make, tmp_path: Path) -> None:
    with make(tmp_path) as source:
        frames = source.frames()
        first = next(frames)
        source.stop()
        assert sum(1 for _ in frames) <= 8
    assert first.pts == 0


@pytest.mark.parametrize("make", [file, shortened, ten_bit, folder_of_images], ids=lambda make: make.__name__)
def test_frames_can_be_had_again(make: Make, tmp_path: Path) -> None:
    source = make(tmp_path)
    first, second = list(source.frames()), list(source.frames())
    assert [frame.pts for frame in first] == [frame.pts for frame in second]
    assert all(np.array_equal(a.planes[0], b.planes[0]) for a, b in zip(first, second))


def test_frames_are_what_was_put_in(tmp_path: Path) -> None:
    frames = list(file(tmp_path).frames())
    assert [synthetic.index_at(float(frame.planes[0].mean())) for frame in frames] == list(range(8))
    assert [frame.seconds for frame in frames] == pytest.approx([index / 25 for index in range(8)])


def test_a_shortened_file_counts_from_its_start(tmp_path: Path) -> None:
    frames = list(shortened(tmp_path).frames())
    assert [synthetic.index_at(float(frame.planes[0].mean())) for frame in frames] == [2, 3, 4, 5]
    assert [Fraction(frame.pts) * frame.time_base for frame in frames] == [Fraction(index, 25) for index in range(4)]


def test_a_paced_file_keeps_its_time(tmp_path: Path) -> None:
    source = paced(tmp_path)
    assert source.info.live
    frames = list(source.frames())
    assert frames[-1].captured_at - frames[0].captured_at >= 7 / 25 - 0.001


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("missing.mp4", None),
        ("empty.mp4", b""),
        ("text.mp4", b"this is no film\n" * 50),
        ("missing.png", None),
        ("empty.png", b""),
        ("text.png", b"this is no picture\n" * 50),
        ("nothing*.png", None),
    ],
)
def test_what_cannot_be_read_is_one_error(name: str, content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError) as caught:
        list(open_source(path).frames())
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no image"):
        open_source(tmp_path)


def test_a_file_with_sound_only_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no video stream"):
        open_source(synthetic.voice_only(tmp_path / "voice.m4a"))


def test_a_damaged_file_says_so_or_gives_what_it_has(tmp_path: Path) -> None:
    whole = synthetic.clip(tmp_path / "whole.mkv", count=30)
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    try:
        indices = [synthetic.index_at(float(frame.planes[0].mean())) for frame in open_source(cut).frames()]
    except SourceError:
        return
    assert indices == list(range(len(indices)))
    assert len(indices) < 30


@pytest.mark.parametrize(
    ("start", "duration", "name"), [(-1.0, None, "start"), (None, 0.0, "duration"), (None, -1.0, "duration")]
)
def test_a_range_that_is_none_names_the_value_that_is_wrong(
    start: float | None, duration: float | None, name: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingError, match=name) as caught:
        open_source(synthetic.clip(tmp_path / "a.mp4"), InputOverrides(start=start, duration=duration))
    assert "None" not in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_a_start_behind_the_end_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="start 99 s"):
        open_source(synthetic.clip(tmp_path / "a.mp4"), InputOverrides(start=99.0))
