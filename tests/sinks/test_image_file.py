"""One picture in one file."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import synthetic
from ffmpeg_tools import make_video
from plain import Plain

from realtime import Frame, SinkError, StreamInfo, enhance_video, open_sink

INFO = StreamInfo(31, 17, time_base=Fraction(1), frames=1, name="a.png")


def test_an_image_is_what_was_written(tmp_path: Path) -> None:
    picture = synthetic.noise(31, 17, top=256)[0]
    with open_sink(tmp_path / "out.png") as sink:
        sink.open(INFO)
        sink.write(Frame((picture,)))
    assert np.array_equal(synthetic.read_image(tmp_path / "out.png"), picture)


@pytest.mark.needs("ffmpeg")
def test_a_video_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    source = make_video(tmp_path / "night.mp4", seconds=1)
    with pytest.raises(SinkError, match=r"out.jpg holds one picture, and .*night.mp4 has more; .* such as \.mp4"):
        enhance_video(source, tmp_path / "out.jpg", enhancer=Plain())
    assert [path.name for path in tmp_path.iterdir()] == ["night.mp4"]


@pytest.mark.needs("ffmpeg")
def test_a_video_of_one_frame_is_a_picture(tmp_path: Path) -> None:
    source = make_video(tmp_path / "a.mp4", "-frames:v", "1")
    assert enhance_video(source, tmp_path / "out.png", enhancer=Plain()).frames == 1
    assert synthetic.read_image(tmp_path / "out.png").shape == (48, 64, 3)


def test_a_stream_that_turns_out_to_have_more_leaves_nothing(tmp_path: Path) -> None:
    frame = Frame((synthetic.noise(31, 17)[0],))
    with pytest.raises(SinkError, match="the source has more"), open_sink(tmp_path / "out.png") as sink:  # noqa: PT012
        sink.open(INFO)
        sink.write(frame)
        sink.write(frame)
    assert list(tmp_path.iterdir()) == []


def test_a_picture_too_large_for_the_format_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="cannot be encoded at 70000x1"), open_sink(tmp_path / "out.jpg") as sink:  # noqa: PT012
        sink.open(INFO)
        sink.write(Frame((np.zeros((1, 70000, 3), np.uint8),)))
    assert list(tmp_path.iterdir()) == []
