"""What every sink must do. A new sink gets a line in `SINKS`."""

# ruff: noqa: PT012 (how a block ends is what these tests are about)
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import synthetic
from screen import Screen

from realtime import Discard, EncodingOptions, Frame, SettingError, Sink, SinkError, StreamInfo, open_sink
from realtime.frame import RGB, PixelFormat
from realtime.sinks.base import Interactive, StopsEarly
from realtime.sinks.window import Window

Make = Callable[[Path], Sink]

INFO = StreamInfo(64, 48, PixelFormat("yuv", 8, (2, 2), "bt601", full_range=False), Fraction(1, 25), Fraction(25))
VIDEOS, IMAGES = (".mp4", ".mkv", ".mov", ".ts", ".avi"), (".png", ".jpg", ".bmp")


def to_file(suffix: str) -> Make:
    def make(folder: Path) -> Sink:
        return open_sink(folder / f"out{suffix}")

    make.__name__ = suffix
    return make


def discard(folder: Path) -> Sink:
    return Discard()


def window(folder: Path) -> Sink:
    return Window(title="a test")


SINKS: list[Make] = [*map(to_file, (*VIDEOS, *IMAGES)), discard, window]
every = pytest.mark.parametrize("make", SINKS, ids=lambda make: make.__name__)


def stream_for(make: Make, sink: Sink, width: int = 64, height: int = 48) -> tuple[StreamInfo, list[Frame]]:
    """A stream in the pixel format that the sink wants: one frame for an image, else eight."""
    count = 1 if make.__name__ in IMAGES else 8
    info = replace(INFO, width=width, height=height, frames=count)
    format = sink.format_for(info)
    frames = []
    for index in range(count):
        planes = [np.full(shape, 128, format.dtype) for shape in format.shapes(width, height)]
        planes[0][:] = synthetic.level(index)
        frames.append(Frame(tuple(planes), format, index, Fraction(1, 25)))
    return replace(info, format=format), frames


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@every
@pytest.mark.parametrize(("width", "height"), [(64, 48), (33, 31), (2, 1)])
def test_contract(make: Make, width: int, height: int, tmp_path: Path, screen: Screen) -> None:
    sink = make(tmp_path)
    assert sink.name
    info, frames = stream_for(make, sink, width, height)
    with sink:
        sink.open(info)
        for frame in frames:
            before = [plane.copy() for plane in frame.planes]
            sink.write(frame)
            assert all(map(np.array_equal, before, frame.planes)), "a sink must not change what others still use"
            assert all(name.startswith(".") for name in files(tmp_path)), "the name appears when the file is complete"
            if isinstance(sink, Interactive):
                sink.poll()
    assert files(tmp_path) == ([] if make in (discard, window) else [f"out{make.__name__}"])


@every
@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_abort_leaves_no_file_of_that_name(
    make: Make, failure: type[BaseException], tmp_path: Path, screen: Screen
) -> None:
    sink = make(tmp_path)
    info, frames = stream_for(make, sink)
    with pytest.raises(failure), sink:
        sink.open(info)
        for frame in frames[:4]:
            sink.write(frame)
        raise failure
    assert files(tmp_path) == ([f".out.part{make.__name__}"] if make.__name__ in VIDEOS else [])
    sink.abort()
    sink.close()


@every
def test_abort_before_the_first_frame_leaves_nothing(make: Make, tmp_path: Path, screen: Screen) -> None:
    sink = make(tmp_path)
    with pytest.raises(ValueError, match="somewhere else"), sink:
        sink.open(stream_for(make, sink)[0])
        raise ValueError("somewhere else")
    assert files(tmp_path) == []


@every
def test_a_sink_may_end_before_it_was_opened(make: Make, tmp_path: Path, screen: Screen) -> None:
    make(tmp_path).close()
    make(tmp_path).abort()
    assert files(tmp_path) == []


@every
def test_failing_leaves_what_was_there_before(make: Make, tmp_path: Path, screen: Screen) -> None:
    path = tmp_path / f"out{make.__name__}"
    path.write_bytes(b"of yesterday")
    sink = open_sink(path, overwrite=True) if make not in (discard, window) else make(tmp_path)
    with pytest.raises(ValueError, match="somewhere else"), sink:
        sink.open(stream_for(make, sink)[0])
        raise ValueError("somewhere else")
    assert path.read_bytes() == b"of yesterday"
    assert files(tmp_path) == [path.name]


@every
def test_only_what_shows_frames_may_drop_them(make: Make, tmp_path: Path, screen: Screen) -> None:
    assert make(tmp_path).may_drop == (make is window)
    assert isinstance(make(tmp_path), StopsEarly) == (make.__name__ in VIDEOS)


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"nowhere does not exist; create it first"):
        open_sink(tmp_path / "nowhere" / "out.mp4")


def test_a_folder_in_the_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").mkdir()
    with pytest.raises(SinkError, match="is a folder"):
        open_sink(tmp_path / "out.mp4")


@pytest.mark.parametrize("name", ["out.mp4", "out.png"])
def test_an_existing_file_is_kept(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"of yesterday")
    with pytest.raises(SinkError, match="exists; overwrite=True replaces it"):
        open_sink(tmp_path / name)
    assert (tmp_path / name).read_bytes() == b"of yesterday"


@pytest.mark.parametrize("name", ["out", "out.xyz", "out.txt", ""])
def test_a_suffix_that_means_nothing(name: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"known are .*\.mp4"):
        open_sink(tmp_path / name)


@pytest.mark.parametrize("name", ["~nobody-of-that-name/out.mp4", "~out.mp4"])
def test_a_tilde_that_is_no_users(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    assert open_sink(name).name == name


def test_encoder_settings_are_for_videos_alone(tmp_path: Path) -> None:
    for name in ("out.mp4", "out.png"):
        open_sink(tmp_path / name, EncodingOptions(crf=30))
    assert open_sink(tmp_path / "out.png").format_for(replace(INFO, frames=1)) == RGB
