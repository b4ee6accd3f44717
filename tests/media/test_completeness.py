"""A file is whole when all that was written is in it: before it gets its name, and when it is found again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import synthetic
from ffmpeg_tools import make_noise
from plain import Plain

from realtime import EncodingOptions, InputOverrides, SinkError, enhance_video
from realtime.api import is_up_to_date
from realtime.media.completeness import check_written

SUFFIXES = (".mp4", ".mkv", ".ts", ".avi", ".mov")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_whole_file_has_all_frames(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"out{suffix}"
    enhance_video(synthetic.clip(tmp_path / "a.mp4"), path, enhancer=Plain())
    check_written(path, 8)
    with pytest.raises(SinkError, match="8 of the 9 frames"):
        check_written(path, 9)


def test_two_frames_at_one_time_are_one(tmp_path: Path) -> None:
    path = synthetic.clip(tmp_path / "a.mkv", count=6, times=[0, 1, 2, 2, 3, 4])
    with pytest.raises(SinkError, match="5 of the 6 frames"):
        check_written(path, 6)


def test_what_does_not_decode_or_open_is_not_whole(tmp_path: Path) -> None:
    path = synthetic.clip(tmp_path / "a.mp4")
    data = path.read_bytes()
    start, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
    path.write_bytes(data[:start] + bytes(end - start) + data[end:])
    with pytest.raises(SinkError, match=r"none of the frames|cannot be read back"):
        check_written(path, 8)
    path.write_bytes(b"nothing")
    with pytest.raises(SinkError, match="cannot be read back"):
        check_written(path, 8)


class Made:
    """An output, and what it was made of."""

    def __init__(self, folder: Path, suffix: str) -> None:
        self.source, self.output = make_noise(folder / "a.mp4", seconds=4), folder / f"out{suffix}"
        self.processor = Plain()
        enhance_video(self.source, self.output, enhancer=self.processor)

    def is_complete(self, **changed: Any) -> bool:
        about: dict[str, Any] = {"src": self.source, "dst": self.output, "enhancer": self.processor}
        return is_up_to_date(**(about | changed))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_output_half_of_which_was_zeroed_is_not_complete(suffix: str, tmp_path: Path) -> None:
    made = Made(tmp_path, suffix)
    assert made.is_complete()
    data = made.output.read_bytes()
    for start, end in ((0.25, 0.75), (0.5, 0.6), (0.1, 0.11)):
        first, last = int(start * len(data)), int(end * len(data))
        made.output.write_bytes(data[:first] + bytes(last - first) + data[last:])
        assert not made.is_complete()
    made.output.write_bytes(data)
    assert made.is_complete()


def test_another_input_of_that_name_and_other_settings_are_not_complete(tmp_path: Path) -> None:
    made = Made(tmp_path, ".mkv")
    assert made.is_complete()
    assert not made.is_complete(encoding=EncodingOptions(crf=30))
    assert not made.is_complete(input=InputOverrides(duration=1.0))
    # Dashcams use names again: as long, with other pictures.
    make_noise(made.source, "-bf", "0", seconds=4)
    assert not made.is_complete()


def test_a_part_of_the_input_is_complete_when_it_was_asked_for(tmp_path: Path) -> None:
    source, out, part = make_noise(tmp_path / "a.mp4", seconds=2), tmp_path / "out.mp4", InputOverrides(0.5, 1.0)
    enhance_video(source, out, enhancer=Plain(), input=part)
    assert is_up_to_date(source, out, enhancer=Plain(), input=part)
    assert not is_up_to_date(source, out, enhancer=Plain())


def test_a_damaged_input_is_complete_with_what_could_be_read_of_it(tmp_path: Path) -> None:
    source, out = make_noise(tmp_path / "a.ts", seconds=4), tmp_path / "out.mkv"
    data = source.read_bytes()
    source.write_bytes(data[: len(data) // 3] + bytes(188 * 40) + data[len(data) // 3 + 188 * 40 :])
    report = enhance_video(source, out, enhancer=Plain())
    assert report.damaged
    assert is_up_to_date(source, out, enhancer=Plain())


def test_an_image_is_complete_when_it_is_there(tmp_path: Path) -> None:
    source, out = synthetic.image(tmp_path / "a.png"), tmp_path / "b.png"
    assert not is_up_to_date(source, out)
    synthetic.image(out)
    assert is_up_to_date(source, out)


@pytest.mark.parametrize("content", [b"", b"no video"])
def test_what_cannot_be_read_is_not_complete(content: bytes, tmp_path: Path) -> None:
    made = Made(tmp_path, ".mp4")
    made.output.write_bytes(content)
    assert not made.is_complete()
    made.source.write_bytes(content)
    assert not made.is_complete()
