"""One call for one file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import synthetic

from realtime import Enhancer, Report, SettingError, SinkError, SourceError, enhance_video


def test_a_file_goes_in_and_a_file_comes_out(clip: Path, plain: Enhancer, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    told: list[Report] = []
    report = enhance_video(clip, str(target), enhancer=plain, progress=told.append)
    assert synthetic.read_clip(target) == synthetic.regular()
    assert told[-1] == report
    assert (report.frames, report.width, report.height) == (8, 64, 48)
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_a_part_keeps_the_right_frames(clip: Path, plain: Enhancer, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    enhance_video(clip, target, enhancer=plain, start=0.12, duration=0.12)
    assert synthetic.read_clip(target) == synthetic.regular(3, first=3)


def test_pictures_get_brighter(enhancer: Enhancer, tmp_path: Path) -> None:
    source = synthetic.image(tmp_path / "dark.png", value=30)
    enhance_video(source, tmp_path / "bright.png", enhancer=enhancer)
    before, after = synthetic.read_image(source), synthetic.read_image(tmp_path / "bright.png")
    assert after.shape == before.shape
    assert after.mean() > before.mean() + 20
    assert np.array_equal(after, enhancer(before[None])[0])


def test_options_go_to_the_enhancer(clip: Path, weights: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    report = enhance_video(clip, target, weights=weights, strength=0.0, **synthetic.QUICK)
    assert report.precision == "float32"
    assert synthetic.read_clip(target) == synthetic.regular()


def test_options_beside_an_enhancer_are_refused(clip: Path, plain: Enhancer, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="strength"):
        enhance_video(clip, tmp_path / "out.mp4", enhancer=plain, strength=0.5)


def test_an_enhancer_is_made_only_when_both_files_proved_usable(clip: Path, tmp_path: Path) -> None:
    def make() -> Enhancer:
        raise AssertionError("too early")

    with pytest.raises(SourceError):
        enhance_video(tmp_path / "missing.mp4", tmp_path / "out.mp4", enhancer=make)
    with pytest.raises(SinkError):
        enhance_video(clip, tmp_path / "nowhere" / "out.mp4", enhancer=make)
    with pytest.raises(AssertionError, match="too early"):
        enhance_video(clip, tmp_path / "out.mp4", enhancer=make)
    assert list(tmp_path.iterdir()) == []


def test_the_input_is_never_the_output(clip: Path, plain: Enhancer, tmp_path: Path) -> None:
    source = tmp_path / "a.mp4"
    source.write_bytes(clip.read_bytes())
    with pytest.raises(SettingError, match="is the input"):
        enhance_video(source, source, enhancer=plain, overwrite=True)
    assert source.read_bytes() == clip.read_bytes()


def test_a_failure_leaves_the_file_of_before(clip: Path, plain: Enhancer, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    target.write_bytes(b"of yesterday")
    with pytest.raises(SinkError, match="exists"):
        enhance_video(clip, target, enhancer=plain)

    def progress(report: Report) -> None:
        raise ValueError("no interest")

    with pytest.raises(ValueError, match="no interest"):
        enhance_video(clip, target, enhancer=plain, overwrite=True, progress=progress)
    # The last report comes when the file is complete; what matters is that it is one or the other, and whole.
    assert target.read_bytes() == b"of yesterday" or synthetic.read_clip(target) == synthetic.regular()
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
