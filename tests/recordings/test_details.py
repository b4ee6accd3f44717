"""Single points in which a recording may lose something without anybody noticing; ffprobe looks at both sides."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ffmpeg_tools import FRAME, ffmpeg, in_sync, make_recording, make_video, packet_times, probe, times
from plain import Plain

from realtime import InputOverrides, enhance_video, open_source

pytestmark = pytest.mark.needs("ffprobe", "ffmpeg")


def test_pictures_before_zero_in_matroska_count_back_from_the_first_known_time(tmp_path: Path) -> None:
    phone = make_recording(tmp_path / "phone.mp4", seconds=2)
    source, out = tmp_path / "a.mkv", tmp_path / "out.mkv"
    ffmpeg("-itsoffset", "-0.5", "-i", phone, "-c", "copy", "-avoid_negative_ts", "disabled", source)
    shown = [frame.seconds for frame in open_source(source).frames()]
    assert shown == [pytest.approx(place / 25 - 0.5, abs=0.001) for place in range(50)]
    report = enhance_video(source, out, enhancer=Plain())
    assert report.diagnostics["repaired_timestamps"] == 13
    assert in_sync(phone, out)
    assert (
        abs((packet_times(out, "a:0")[0] - times(out)[0]) - (packet_times(phone, "a:0")[0] - times(phone)[0]))
        < FRAME / 10
    )


def roles(path: Path) -> list[dict[str, int]]:
    return [stream["disposition"] for stream in probe(path, "-show_streams")["streams"]]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_the_pictures_stay_the_default(suffix: str, tmp_path: Path) -> None:
    default = ("-disposition:v", "default", "-disposition:a", "default")
    source, out = make_recording(tmp_path / f"a{suffix}", *default, seconds=1), tmp_path / f"out{suffix}"
    enhance_video(source, out, enhancer=Plain())
    assert [role["default"] for role in roles(source)] == [1, 1]
    assert roles(out) == roles(source)


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
@pytest.mark.parametrize("seconds", ["2", "2.08"])
def test_the_last_of_pictures_out_of_order_and_at_varying_distances(suffix: str, seconds: str, tmp_path: Path) -> None:
    source, out = tmp_path / f"a{suffix}", tmp_path / f"out{suffix}"
    varying = ("-vf", "select='not(mod(n\\,3))+lt(n\\,9)'", "-vsync", "vfr", "-bf", "2", "-t", seconds)
    make_video(source, *varying, seconds=3)
    enhance_video(source, out, enhancer=Plain())
    before, after = (float(probe(path, "-show_format")["format"]["duration"]) for path in (source, out))
    assert times(out) == times(source)
    assert after == pytest.approx(before, abs=0.001)


def texts(path: Path) -> list[tuple[str, str | None, str]]:
    """Time, length and checksum of every packet of the subtitles, the empty ones included."""
    about = ("-select_streams", "s:0", "-show_packets", "-show_data_hash", "CRC32")
    found = probe(path, *about)["packets"]
    return [(packet["pts_time"], packet.get("duration_time"), packet["data_hash"]) for packet in found]


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
@pytest.mark.parametrize(
    "spans",
    [[("0,080", "0,200"), ("0,240", "0,400"), ("0,900", "1,400")], [("0,500", "2,900")], [("0,500", "3,000")]],
    ids=["three", "one", "to the end"],
)
def test_subtitles_gain_no_packets(suffix: str, spans: list[tuple[str, str]], tmp_path: Path) -> None:
    words = [f"{n}\n00:00:0{begin} --> 00:00:0{end}\nword {n}\n" for n, (begin, end) in enumerate(spans, 1)]
    (tmp_path / "words.srt").write_text("\n".join(words))
    source, out = tmp_path / f"a{suffix}", tmp_path / f"out{suffix}"
    make_video(source, "-i", str(tmp_path / "words.srt"), "-map", "0", "-map", "1", "-c:s", "mov_text", seconds=3)
    enhance_video(source, out, enhancer=Plain())
    assert len([text for text in texts(source) if text[2] != texts(source)[0][2]]) == len(spans)
    assert texts(out) == texts(source)
    lengths = [float(probe(path, "-show_format")["format"]["duration"]) for path in (source, out)]
    assert lengths == [pytest.approx(3), pytest.approx(3)]


def test_a_short_subtitle_at_the_very_end_does_not_make_the_file_longer(tmp_path: Path) -> None:
    """There the muxer's empty packet gets the text's length; two of a microsecond take its place."""
    (tmp_path / "words.srt").write_text("1\n00:00:00,700 --> 00:00:00,900\nword\n")
    source, out = tmp_path / "a.mp4", tmp_path / "out.mp4"
    more = ("-i", str(tmp_path / "words.srt"), "-map", "0", "-map", "1", "-c:s", "mov_text")
    make_video(source, *more, seconds=1)
    enhance_video(source, out, enhancer=Plain())
    assert texts(out)[: len(texts(source))] == texts(source)
    assert len(texts(out)) <= len(texts(source)) + 2
    assert float(probe(out, "-show_format")["format"]["duration"]) == pytest.approx(1, abs=0.001)


@pytest.mark.parametrize("sound", [False, True], ids=["silent", "with sound"])
@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
@pytest.mark.parametrize("rate", ["1/2", "1", "2", "3"])
def test_subtitles_beside_few_pictures(rate: str, suffix: str, sound: bool, tmp_path: Path) -> None:
    """libav's muxer ended the process: pictures that wait to be reordered fill a fragment before any subtitle comes."""
    words = "1\n00:00:00,500 --> 00:00:01,000\none\n\n2\n00:00:03,000 --> 00:00:04,000\ntwo\n"
    (tmp_path / "words.srt").write_text(words)
    source, out = tmp_path / f"a{suffix}", tmp_path / f"out{suffix}"
    more = ("-i", str(tmp_path / "words.srt"), "-map", "0", "-map", "1", "-c:s", "mov_text", "-r", rate, "-bf", "3")
    tone = ("-f", "lavfi", "-i", "sine=r=48000:d=8") if sound else ()
    make_video(source, *more[:2], *tone, *more[2:], *(("-map", "2") if sound else ()), "-t", "8", seconds=8)
    run_alone(source, out)
    assert texts(out) == texts(source)
    assert times(out) == times(source)


@pytest.mark.parametrize("rate", ["1", "25"])
def test_subtitles_that_begin_late_begin_once(rate: str, tmp_path: Path) -> None:
    """Where none lies at the beginning an empty one does, and not one in each fragment."""
    (tmp_path / "words.srt").write_text("1\n00:00:07,000 --> 00:00:08,000\none\n")
    source, out = tmp_path / "a.mp4", tmp_path / "out.mp4"
    more = ("-i", str(tmp_path / "words.srt"), "-map", "0", "-map", "1", "-c:s", "mov_text", "-r", rate)
    make_video(source, *more, seconds=12)
    enhance_video(source, out, enhancer=Plain(), input=InputOverrides(start=1))
    assert [(float(begin), float(length or 0)) for begin, length, _ in texts(out)] == [(0, 6), (6, 1)]


def run_alone(source: Path, out: Path) -> None:
    """Enhances in a process of its own, which may be ended by libav."""
    program = Path(__file__).resolve().parents[1] / "plain.py"
    done = subprocess.run(
        [sys.executable, str(program), str(source), str(out), "0"], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
