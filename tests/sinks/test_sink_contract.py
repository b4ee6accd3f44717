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

from realtime import Discard, Frame, SettingError, Sink, SinkError, StopStreaming, StreamInfo, open_sink
from realtime.frame import RGB, PixelFormat
from realtime.media.libav import av, cv2
from realtime.sinks.window import Window

Make = Callable[[Path], Sink]

PLANES = PixelFormat("yuv", 8, (2, 2), "bt601", full_range=False)
INFO = StreamInfo(64, 48, RGB, Fraction(1, 25), Fraction(25), 8)
SUFFIXES = (".mp4", ".mkv", ".mov", ".png", ".jpg", ".bmp")


def frames(sink: Sink, width: int = 64, height: int = 48, count: int = 8) -> tuple[StreamInfo, list[Frame]]:
    """A stream as this sink wants it."""
    format = RGB if sink.wants_rgb else PLANES
    made = []
    for place in range(count):
        planes = [np.full(shape, 128, np.uint8) for shape in format.shapes(width, height)]
        planes[0][:] = synthetic.level(place)
        made.append(Frame(tuple(planes), format, place, Fraction(1, 25)))
    return replace(INFO, width=width, height=height, format=format), made


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """OpenCV's windows without a display; answers the list of calls."""
    calls: list[str] = []

    def note(name: str, answer: object) -> None:
        def call(*arguments: object) -> object:
            calls.append(name)
            return answer

        monkeypatch.setattr(cv2, name, call)

    for name in ("namedWindow", "resizeWindow", "imshow", "destroyWindow", "pollKey"):
        note(name, -1 if name == "pollKey" else None)
    note("waitKey", -1)
    note("waitKeyEx", -1)
    note("getWindowProperty", 1.0)
    monkeypatch.setenv("DISPLAY", ":0")
    return calls


def to_file(suffix: str) -> Make:
    def make(folder: Path) -> Sink:
        return open_sink(folder / f"out{suffix}")

    make.__name__ = suffix
    return make


def discard(folder: Path) -> Sink:
    return Discard()


def window(folder: Path) -> Sink:
    return Window("a test")


SINKS: list[Make] = [*map(to_file, SUFFIXES), discard, window]
every = pytest.mark.parametrize("make", SINKS, ids=lambda make: make.__name__)


@every
@pytest.mark.parametrize(("width", "height"), [(64, 48), (33, 31), (1, 1)])
def test_contract(make: Make, width: int, height: int, tmp_path: Path, screen: list[str]) -> None:
    sink = make(tmp_path)
    assert isinstance(sink.wants_rgb, bool)
    info, given = frames(sink, width, height)
    if width == 1:
        given = given[:1]
    with sink:
        sink.open(info)
        for frame in given:
            kept = [plane.copy() for plane in frame.planes]
            sink.write(frame)
            assert all(map(np.array_equal, kept, frame.planes)), "a sink must not change what others still use"
            visible = [path for path in tmp_path.iterdir() if not path.name.startswith(".")]
            assert not visible or make.__name__ in (".png", ".jpg", ".bmp")
    left = [path.name for path in tmp_path.iterdir()]
    assert left == ([] if make in (discard, window) else [f"out{make.__name__}"])


@every
def test_a_failure_takes_back_what_was_written(make: Make, tmp_path: Path, screen: list[str]) -> None:
    sink = make(tmp_path)
    info, given = frames(sink)
    with pytest.raises(ValueError, match="somewhere else"), sink:
        sink.open(info)
        if make.__name__ not in (".png", ".jpg", ".bmp"):  # a single picture is complete as soon as it is written
            for frame in given[:4]:
                sink.write(frame)
        raise ValueError("somewhere else")
    assert list(tmp_path.iterdir()) == []


@every
def test_ctrl_c_keeps_what_was_written(make: Make, tmp_path: Path, screen: list[str]) -> None:
    sink = make(tmp_path)
    info, given = frames(sink)
    with pytest.raises(KeyboardInterrupt), sink:
        sink.open(info)
        for frame in given[:4]:
            sink.write(frame)
        raise KeyboardInterrupt
    left = [path.name for path in tmp_path.iterdir()]
    assert left == ([] if make in (discard, window) else [f"out{make.__name__}"])


@every
def test_a_sink_may_end_before_it_was_opened(make: Make, tmp_path: Path, screen: list[str]) -> None:
    sink = make(tmp_path)
    sink.close()
    make(tmp_path).abort()
    assert list(tmp_path.iterdir()) == []


@every
def test_failing_leaves_what_was_there_before(make: Make, tmp_path: Path, screen: list[str]) -> None:
    path = tmp_path / f"out{make.__name__}"
    path.write_bytes(b"of yesterday")
    sink = open_sink(path, overwrite=True) if make not in (discard, window) else make(tmp_path)
    with pytest.raises(ValueError, match="somewhere else"), sink:
        sink.open(frames(sink)[0])
        raise ValueError("somewhere else")
    assert path.read_bytes() == b"of yesterday"
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".m4v", ".ts"])
def test_a_video_holds_every_frame_at_its_time(suffix: str, tmp_path: Path) -> None:
    sink = open_sink(tmp_path / f"out{suffix}")
    info, given = frames(sink)
    with sink:
        sink.open(info)
        for frame in given:
            sink.write(frame)
    found = synthetic.read_clip(tmp_path / f"out{suffix}")
    assert [place for _, place in found] == list(range(8))
    # Transport streams begin where they like.
    assert [time - found[0][0] for time, _ in found] == [Fraction(place, 25) for place in range(8)]


def test_a_video_takes_rgb_too(tmp_path: Path) -> None:
    """A recording beside a window gets what the window gets."""
    with open_sink(tmp_path / "out.mp4") as sink:
        sink.open(INFO)
        for place in range(8):
            sink.write(Frame((np.full((48, 64, 3), 30 * place, np.uint8),), pts=place, time_base=Fraction(1, 25)))
    with av.open(str(tmp_path / "out.mp4")) as container:
        lumas = [synthetic.luma(frame) for frame in container.decode(video=0)]
    assert lumas == pytest.approx([16 + 30 * place * 219 / 255 for place in range(8)], abs=1)


def test_an_image_is_what_was_written(tmp_path: Path) -> None:
    picture = synthetic.noise(31, 17, top=256)[0]
    with open_sink(tmp_path / "out.png") as sink:
        sink.open(INFO)
        sink.write(Frame((picture,)))
    assert np.array_equal(synthetic.read_image(tmp_path / "out.png"), picture)


@pytest.mark.parametrize("key", [ord("q"), ord("Q"), 27])
def test_a_key_finishes_the_window(key: int, screen: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("waitKey", "waitKeyEx", "pollKey"):
        monkeypatch.setattr(cv2, name, lambda *_: key)
    sink = Window("a test")
    with pytest.raises(StopStreaming), sink:
        sink.open(INFO)
        sink.write(frames(sink)[1][0])
    assert screen.count("imshow") == 1


def test_its_own_button_finishes_the_window(screen: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    sink = Window("a test")
    with sink:
        sink.open(INFO)
        sink.write(frames(sink)[1][0])
        monkeypatch.setattr(cv2, "getWindowProperty", lambda *_: 0.0)
        with pytest.raises(StopStreaming):
            sink.write(frames(sink)[1][1])


def test_a_window_that_says_it_does_not_know_stays(screen: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "getWindowProperty", lambda *_: -1.0)
    with Window("a test") as sink:
        sink.open(INFO)
        for frame in frames(sink)[1]:
            sink.write(frame)
    assert screen.count("imshow") == 8


def test_no_display_is_an_error_and_no_abort(no_display: None) -> None:
    with pytest.raises(SinkError, match="display"):
        Window("a test")


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"nowhere does not exist; create it first"):
        open_sink(tmp_path / "nowhere" / "out.mp4")


def test_a_folder_in_the_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").mkdir()
    with pytest.raises(SinkError, match="is a folder"):
        open_sink(tmp_path / "out.mp4")


def test_an_existing_file_is_kept(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").write_bytes(b"of yesterday")
    with pytest.raises(SinkError, match="--overwrite"):
        open_sink(tmp_path / "out.mp4")
    assert (tmp_path / "out.mp4").read_bytes() == b"of yesterday"


@pytest.mark.parametrize("name", ["out", "out.xyz", "out.txt"])
def test_a_suffix_that_means_nothing(name: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"known are .*\.mp4"):
        open_sink(tmp_path / name)


@pytest.mark.parametrize("setting", [{"crf": -1}, {"crf": 52}, {"preset": "sluggish"}])
def test_encoder_settings_out_of_range(setting: dict[str, int | str], tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"crf|preset"):
        open_sink(tmp_path / "out.mp4", **setting)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
