"""One call for one file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synthetic
from plain import Plain

from realtime import (
    EncodingOptions,
    EngineInfo,
    EnhanceOptions,
    Enhancer,
    InputOverrides,
    Message,
    Report,
    SettingError,
    Severity,
    SinkError,
    SourceError,
    StreamInfo,
    enhance_video,
)
from realtime.api import is_up_to_date
from realtime.media.job_tag import read_job
from realtime.sources.base import Source


def test_a_file_goes_in_and_a_file_comes_out(clip: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    reports: list[Report] = []
    report = enhance_video(clip, str(target), enhancer=Plain(), progress=reports.append)
    assert synthetic.read_clip(target) == synthetic.regular()
    assert reports[-1] == report
    assert (report.frames, report.width, report.height) == (8, 64, 48)
    assert os.listdir(tmp_path) == ["out.mp4"]


def test_pictures_get_brighter(enhancer: Enhancer, tmp_path: Path) -> None:
    source = synthetic.image(tmp_path / "dark.png", value=30)
    enhance_video(source, tmp_path / "bright.png", enhancer=enhancer)
    before, after = synthetic.read_image(source), synthetic.read_image(tmp_path / "bright.png")
    assert after.shape == before.shape
    assert after.mean() > before.mean() + 20
    assert np.array_equal(after, enhancer(before[None])[0])


def test_options_make_an_enhancer(clip: Path, weights: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    options = EnhanceOptions(weights=weights, strength=0.0, **synthetic.QUICK)
    report = enhance_video(clip, target, enhancer=options)
    assert report.precision == "float32"
    assert synthetic.read_clip(target) == synthetic.regular()
    assert is_up_to_date(clip, target, enhancer=options)
    assert not is_up_to_date(clip, target, enhancer=EnhanceOptions(weights=weights, **synthetic.QUICK))


def test_an_enhancer_is_made_only_when_both_files_proved_usable(clip: Path, tmp_path: Path) -> None:
    def make() -> Enhancer:
        raise AssertionError("too early")

    with pytest.raises(SourceError):
        enhance_video(tmp_path / "missing.mp4", tmp_path / "out.mp4", enhancer=make)
    with pytest.raises(SinkError):
        enhance_video(clip, tmp_path / "nowhere" / "out.mp4", enhancer=make)
    with pytest.raises(SinkError, match="holds one picture"):
        enhance_video(clip, tmp_path / "out.png", enhancer=make)
    with pytest.raises(SettingError, match="pixel format"):
        enhance_video(clip, tmp_path / "out.mp4", enhancer=make, encoding=EncodingOptions(pixel_format="yuv420p12le"))
    with pytest.raises(AssertionError, match="too early"):
        enhance_video(clip, tmp_path / "out.mp4", enhancer=make)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "address", ["rtsp://me:secret@camera/1", "http://me:secret@camera/1", "rtsp://camera/?pw=secret"]
)
def test_an_address_is_refused_without_its_password(address: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is an address; enhance_video reads files") as caught:
        enhance_video(address, tmp_path / "out.mp4", enhancer=Plain())
    assert "secret" not in f"{caught.value} {caught.value!r}"


@pytest.mark.parametrize(
    ("name", "said"),
    [("*.mp4", "no pattern"), (".", "is a folder"), ("missing.mp4", "does not exist"), ("7", "does not exist")],
)
def test_what_is_no_file_is_refused(name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    synthetic.clip(tmp_path / "a.mp4")
    with pytest.raises(SourceError, match=said):
        enhance_video(name, tmp_path / "out.mp4", enhancer=Plain())
    assert os.listdir(tmp_path) == ["a.mp4"]


@pytest.mark.parametrize(
    "name", ["7.mp4", "concat:a|b.mp4", "img%03d.mp4", "-.mp4", "pipe:0.mp4", "~nobody.mp4", "[a].mp4"]
)
def test_odd_names_are_names(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    synthetic.clip(tmp_path / "a.mp4").rename(tmp_path / name)
    enhance_video(name, f"out-{name}", enhancer=Plain())
    assert synthetic.read_clip(tmp_path / f"out-{name}") == synthetic.regular()


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_a_name_that_is_no_unicode(tmp_path: Path) -> None:
    source = Path(os.fsdecode(os.fsencode(tmp_path) + b"/n\xffght.mp4"))
    synthetic.clip(tmp_path / "a.mp4").rename(source)
    out = source.with_name("out-" + source.name)
    enhance_video(source, out, enhancer=Plain(), manifest=True)
    out.rename(tmp_path / "out.mp4")
    assert synthetic.read_clip(tmp_path / "out.mp4") == synthetic.regular()


def test_the_input_is_never_the_output(clip: Path, tmp_path: Path) -> None:
    source = tmp_path / "a.mp4"
    source.write_bytes(clip.read_bytes())
    os.link(source, tmp_path / "b.mp4")
    for target in (source, tmp_path / "b.mp4"):
        with pytest.raises(SettingError, match="is the input"):
            enhance_video(source, target, enhancer=Plain(), overwrite=True)
    assert source.read_bytes() == clip.read_bytes()


def test_a_failure_leaves_the_file_of_before(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.report.PROGRESS_INTERVAL", 0.0)
    target = tmp_path / "out.mp4"
    target.write_bytes(b"of yesterday")
    with pytest.raises(SinkError, match="exists; overwrite=True replaces it"):
        enhance_video(clip, target, enhancer=Plain())

    def progress(report: Report) -> None:
        raise ValueError("no interest")

    with pytest.raises(ValueError, match="no interest"):
        enhance_video(clip, target, enhancer=Plain(), overwrite=True, progress=progress)
    assert target.read_bytes() == b"of yesterday"


class Failing(Plain):
    """Fails at the step that it is named after."""

    def __init__(self, step: str) -> None:
        super().__init__()
        self._step = step

    def plan(self, info: StreamInfo) -> EngineInfo:
        if self._step == "plan":
            raise ValueError(self._step)
        return super().plan(info)

    def session(self, *about: Any) -> Any:
        if self._step == "session":
            raise ValueError(self._step)
        return super().session(*about)


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[Source]:
    """The sources that were closed, of those that `realtime.api` opens."""
    import realtime.api

    closed: list[Source] = []
    real = vars(realtime.api)["open_source"]

    def opened(*arguments: Any, **more: Any) -> Source:
        source = real(*arguments, **more)
        close = source.close

        def closing() -> None:
            closed.append(source)
            close()

        monkeypatch.setattr(source, "close", closing)
        return source

    monkeypatch.setattr(realtime.api, "open_source", opened)
    return closed


@pytest.mark.parametrize("step", ["plan", "session", "listener", "format"])
def test_every_failure_closes_the_source_and_frees_the_output(
    step: str, clip: Path, tmp_path: Path, closed: list[Source]
) -> None:
    target = tmp_path / "out.mp4"
    more: dict[str, Any] = {"enhancer": Failing(step)}
    if step == "listener":
        source = synthetic.clip(tmp_path / "deep.mkv", codec="ffv1", pixels="yuv444p")

        def listener(message: Message) -> None:
            raise ValueError(step)

        more["on_message"] = listener
    else:
        source = clip
    if step == "format":
        more["encoding"] = EncodingOptions(pixel_format="format")
    with pytest.raises(ValueError, match=step):
        enhance_video(source, target, resume=True, **more)
    assert len(closed) == 1
    enhance_video(source, target, enhancer=Plain())


def test_messages_come_when_they_are_known(tmp_path: Path) -> None:
    source = synthetic.clip(tmp_path / "a.mkv", codec="ffv1", pixels="yuv444p", count=60)
    order: list[str] = []

    class Slow(Plain):
        def session(self, *about: Any) -> Any:
            order.append("session")
            return super().session(*about)

    def listen(message: Message) -> None:
        assert message.severity is Severity.WARNING
        order.append(message.text.split()[0])

    enhance_video(source, tmp_path / "out.mkv", enhancer=Slow(), on_message=listen)
    assert order == ["frames", "session"], "what is reduced is said before the work, and once"


def test_the_tags_name_the_engine_that_is_used(tmp_path: Path) -> None:
    """It is chosen by the whole stream, also when only one frame is left to do."""
    seen: list[int | None] = []

    class Choosing(Plain):
        def plan(self, info: StreamInfo) -> EngineInfo:
            seen.append(info.frames)
            return EngineInfo("exact" if info.frames == 1 else "fast", "cpu", "float32")

    source, out = synthetic.clip(tmp_path / "a.mp4", count=101), tmp_path / "out.mkv"
    encoding = EncodingOptions(encoder_options={"sc_threshold": "0"})

    class Stop(Exception):
        pass

    def stop(report: Report) -> None:
        if report.frames == 101:
            raise Stop

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("realtime.report.PROGRESS_INTERVAL", 0.0)
        with pytest.raises(Stop):
            enhance_video(source, out, enhancer=Choosing(), encoding=encoding, progress=stop)
    report = enhance_video(source, out, enhancer=Choosing(), encoding=encoding, resume=True)
    assert (report.engine, report.frames) == ("fast", 1)
    assert set(seen) == {101}
    assert read_job(out) is not None


def test_a_manifest_that_cannot_get_a_name_is_refused_before_the_work(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / ("n" * 246 + ".mp4")
    with pytest.raises(SinkError, match=r"too long to add \.manifest\.json"):
        enhance_video(clip, out, enhancer=Plain(), manifest=True)
    assert os.listdir(tmp_path) == []
    enhance_video(clip, out, enhancer=Plain())


def test_a_part_keeps_the_right_frames(clip: Path, tmp_path: Path) -> None:
    enhance_video(clip, tmp_path / "out.mp4", enhancer=Plain(), input=InputOverrides(start=0.12, duration=0.12))
    assert synthetic.read_clip(tmp_path / "out.mp4") == synthetic.regular(3, first=3)
