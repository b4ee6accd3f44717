"""Power cuts, full disks, damage and hostile files: what was written stays, and nothing else is read."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime import Enhancer, Report, SinkError, SourceError, StreamInfo, enhance_video, open_source
from realtime.cli.main import main
from realtime.cli.watch_folder import arrivals
from realtime.media.libav import av
from realtime.media.stream_copy import StreamCopier

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import torture  # noqa: E402
from plain import Plain, plain  # noqa: E402
from test_recordings import ffmpeg, playable, probe, synthetic, times  # noqa: E402

pytestmark = pytest.mark.needs("ffprobe", "ffmpeg")

FRAME = Fraction(1, 25)


class Cut(Exception):
    """What ends a run in these tests."""


@pytest.fixture
def cut_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Callable[[Report], None]]:
    """A progress that ends the run at a frame, as a failure of anything would."""
    monkeypatch.setattr("realtime.report.INTERVAL", 0.0)

    def at(count: int) -> Callable[[Report], None]:
        def progress(report: Report) -> None:
            if report.frames == count:
                raise Cut

        return progress

    return at


def filmed(path: Path, *more: str, seconds: int = 6) -> Path:
    """Pictures with B-frames, and a sound that lasts longer and began earlier by what AAC needs."""
    sound = ("-f", "lavfi", "-i", f"sine=r=48000:d={seconds}", "-c:a", "aac", "-bf", "2")
    return synthetic(path, *sound, *more, seconds=seconds)


def packets(path: Path, stream: str) -> list[Fraction]:
    found = probe(path, "-select_streams", stream, "-show_entries", "packet=pts_time")["packets"]
    return sorted(Fraction(packet["pts_time"]) for packet in found if "pts_time" in packet)


def in_sync(source: Path, out: Path, begin: Fraction | None = None, end: Fraction | None = None) -> bool:
    """Whether all pictures and all sound between two moments are there, each sound as far from the first picture as
    it was, to within a frame."""
    before, after = ([packets(path, stream) for stream in ("v:0", "a:0")] for path in (source, out))
    if begin is not None and end is not None:
        before = [[t for t in stream if begin <= t < end] for stream in before]
    if not before[1] or [len(stream) for stream in before] != [len(stream) for stream in after]:
        return False
    moved = after[0][0] - before[0][0]
    return all(abs(b + moved - a) < FRAME for old, new in zip(before, after) for b, a in zip(old, new))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_resume_goes_on_in_every_container_and_in_sync(
    suffix: str, codec: str, tmp_path: Path, cut_at: Callable[[int], Any]
) -> None:
    source, out = filmed(tmp_path / f"a{suffix}"), tmp_path / f"out{suffix}"
    with pytest.raises(Cut):
        enhance_video(source, out, enhancer=plain(), codec=codec, progress=cut_at(130))
    with pytest.raises(SinkError, match="other settings"):
        enhance_video(source, out, enhancer=plain(), codec=codec, crf=30, resume=True)
    report = enhance_video(source, out, enhancer=plain(), codec=codec, resume=True)
    assert report.warnings == ("continued behind 100 frames of an interrupted run",)
    assert report.frames == 50
    assert in_sync(source, out)
    decoded = subprocess.run(["ffmpeg", "-v", "error", "-i", out, "-f", "null", "-"], capture_output=True, timeout=60)
    assert decoded.stderr == b""


def test_avi_says_that_it_starts_over(
    tmp_path: Path, cut_at: Callable[[int], Any], caplog: pytest.LogCaptureFixture
) -> None:
    source, out = synthetic(tmp_path / "a.mp4", seconds=6), tmp_path / "out.avi"
    with pytest.raises(Cut):
        enhance_video(source, out, enhancer=plain(), progress=cut_at(130))
    with pytest.raises(SinkError, match="AVI cannot be continued, --overwrite starts over"):
        enhance_video(source, out, enhancer=plain())
    assert enhance_video(source, out, enhancer=plain(), resume=True).frames == 150
    assert "starts over" in caplog.text
    assert sorted(os.listdir(tmp_path)) == ["a.mp4", "out.avi"]


def test_the_meter_knows_what_was_before_the_seam(weights: Path, tmp_path: Path, cut_at: Callable[[int], Any]) -> None:
    """Pictures grow darker, so that calm exposure hangs on the past; both runs answer the same to the sample."""
    source = tmp_path / "a.mkv"
    fade = "format=gray,format=yuv420p,geq=lum='16+(lum(X,Y)-16)*(0.6-0.5*min(N/20\\,1))':cb=128:cr=128"
    synthetic(source, "-vf", fade, "-c:v", "ffv1", seconds=1)
    enhancer = Enhancer(weights, engine="exact", precision="float32", device="cpu", exposure="auto")
    how: dict[str, Any] = {"enhancer": enhancer, "codec": "ffv1"}
    enhance_video(source, tmp_path / "whole.mkv", **how)
    with pytest.raises(Cut):
        enhance_video(source, tmp_path / "out.mkv", progress=cut_at(20), **how)
    report = enhance_video(source, tmp_path / "out.mkv", resume=True, **how)
    assert 0 < report.frames < 15
    whole, out = (list(open_source(tmp_path / name).frames()) for name in ("whole.mkv", "out.mkv"))
    assert len(whole) == len(out) == 25
    assert all(np.array_equal(a.planes[0], b.planes[0]) for a, b in zip(whole, out))


class Choosing(Plain):
    """Chooses its engine when it learns what it is to do."""

    chosen = "undecided"

    def prepare(self, info: StreamInfo, rgb: bool) -> StreamInfo:
        self.chosen = "decided"
        return super().prepare(info, rgb)

    def describe(self) -> dict[str, Any]:
        return super().describe() | {"engine": self.chosen}


def test_the_tag_and_the_manifest_name_the_engine_that_was_used(tmp_path: Path) -> None:
    source, out = synthetic(tmp_path / "a.mp4", seconds=1), tmp_path / "out.mp4"
    enhance_video(source, out, enhancer=Choosing(), manifest=True)  # type: ignore[arg-type]
    assert "engine decided" in probe(out, "-show_format")["format"]["tags"]["enhanced_with"]
    record = json.loads((tmp_path / "out.mp4.manifest.json").read_text())
    assert record["parameters"]["engine"] == record["result"]["engine"] == "decided"


@pytest.mark.parametrize(
    ("suffix", "more"),
    [(".mp4", ()), (".mkv", ()), (".ts", ()), (".mp4", ("-output_ts_offset", "3.5"))],
    ids=["mp4", "mkv", "ts", "late"],
)
def test_sound_is_in_sync(suffix: str, more: tuple[str, ...], tmp_path: Path) -> None:
    source, out = filmed(tmp_path / f"a{suffix}", *more, seconds=4), tmp_path / f"out{suffix}"
    enhance_video(source, out, enhancer=plain())
    assert in_sync(source, out)
    # From a second behind the beginning, wherever the file's own times begin.
    enhance_video(source, out, enhancer=plain(), start=1.01, duration=2, overwrite=True)
    begin = Fraction(probe(source, "-show_entries", "format=start_time")["format"]["start_time"]) + Fraction("1.01")
    assert len(times(out)) == 50
    assert in_sync(source, out, begin, begin + 2)


def test_sound_before_the_first_picture_is_there(tmp_path: Path) -> None:
    """In Matroska a seek leads to a picture, and what is before it would be lost."""
    pictures = synthetic(tmp_path / "pictures.mkv", seconds=3)
    ffmpeg("-f", "lavfi", "-i", "sine=d=4:r=48000", "-c:a", "aac", tmp_path / "sound.mka")
    source, out = tmp_path / "a.mkv", tmp_path / "out.mkv"
    ffmpeg("-itsoffset", "0.7", "-i", pictures, "-i", tmp_path / "sound.mka", "-c", "copy", source)
    enhance_video(source, out, enhancer=plain(), start=0.5, duration=2)
    assert in_sync(source, out, Fraction(1, 2), Fraction(5, 2))


@pytest.mark.parametrize("before", ["-0.5", "-1.3"])
def test_a_negative_start_keeps_the_sync(before: str, tmp_path: Path) -> None:
    """What lies before 0 is not shown; the pictures and the sound from there on are as they were."""
    whole = filmed(tmp_path / "whole.mp4", seconds=4)
    source, out = tmp_path / "a.mov", tmp_path / "out.mov"
    ffmpeg("-i", whole, "-c", "copy", "-output_ts_offset", before, "-avoid_negative_ts", "disabled", source)
    assert packets(source, "v:0")[0] < -0.4
    enhance_video(source, out, enhancer=plain())
    old, new = ([packets(path, stream) for stream in ("v:0", "a:0")] for path in (source, out))
    shown = [[t for t in stream if t >= 0] for stream in old]
    assert all(len(a) - len(b) in (0, 1) for a, b in zip(([t for t in s if t >= 0] for s in new), shown))
    assert abs((new[1][-1] - new[0][-1]) - (old[1][-1] - old[0][-1])) < FRAME


def noisy(path: Path) -> Path:
    return synthetic(path, "-vf", "noise=alls=80:allf=t", seconds=8)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_a_full_disk_is_one_line_and_the_part_is_kept(suffix: str, tmp_path: Path) -> None:
    source, out = noisy(tmp_path / "a.mp4"), tmp_path / f"out{suffix}"

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    command = [sys.executable, str(HERE / "plain.py"), str(source), str(out), "0"]
    run = subprocess.run(command, preexec_fn=full, capture_output=True, text=True, timeout=100)
    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    part = tmp_path / f".out.part{suffix}"
    assert line == f"realtime: {out} cannot be written: File too large; what was written is kept in {part}, " + (
        "--resume goes on behind it"
    )
    assert not out.exists()
    assert 50 <= playable(part) < 200
    report = enhance_video(source, out, enhancer=plain(), resume=True)
    assert "continued behind" in report.warnings[0]
    assert [t - times(out)[0] for t in times(out)] == times(source)
    assert sorted(os.listdir(tmp_path)) == sorted(["a.mp4", out.name])


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_an_output_folder_that_vanishes(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.report.INTERVAL", 0.0)
    source, folder = synthetic(tmp_path / "a.mp4", seconds=4), tmp_path / "stick"
    folder.mkdir()

    def progress(report: Report) -> None:
        if report.frames == 60:
            folder.rename(tmp_path / "elsewhere")

    with pytest.raises(SinkError, match=r"cannot be finished: No such file or directory$"):
        enhance_video(source, folder / f"out{suffix}", enhancer=plain(), progress=progress)
    assert not folder.exists()
    (tmp_path / "elsewhere").rename(folder)
    assert os.listdir(folder) == [f".out.part{suffix}"]
    assert playable(folder / f".out.part{suffix}") >= 60


#: Texts that make a player open "secret.mp4", or the address in them.
SCRIPTS = {
    "a.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n",
    "a.ffconcat": "ffconcat version 1.0\nfile {target}\n",
    "a.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\n"
    "a=rtpmap:96 H264/90000\n",
    "a.mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
    'mediaPresentationDuration="PT1S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet '
    'mimeType="video/mp4"><Representation id="0" bandwidth="1"><BaseURL>{target}</BaseURL><SegmentBase/>'
    "</Representation></AdaptationSet></Period></MPD>",
}


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)
        yield server


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("dressed", [False, True], ids=["plain", "as mp4"])
def test_a_script_is_not_followed(name: str, dressed: bool, tmp_path: Path, listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    synthetic(tmp_path / "secret.mp4", "-movflags", "frag_keyframe+empty_moov+default_base_moof", seconds=1)
    for target in ("secret.mp4", f"http://127.0.0.1:{port}/secret.mp4"):
        path = tmp_path / ("clip.mp4" if dressed else name)
        path.write_text(SCRIPTS[name].format(target=target, port=port))
        with pytest.raises(SourceError, match="not followed"):
            enhance_video(path, tmp_path / "out.mp4", enhancer=plain())
    with pytest.raises(TimeoutError):
        listening.accept()
    assert not (tmp_path / "out.mp4").exists()


def referring(path: Path, target: Path) -> Path:
    """An MP4 whose pictures are said to lie in `target`, by an alias record as QuickTime writes it."""
    data = synthetic(path, seconds=1).read_bytes()
    name = str(target).encode()
    name += b"\0" * (len(name) % 2)
    head = bytes(10) + bytes([3]) + b"vol".ljust(27, b"\0") + bytes(12) + bytes([1]) + b"s".ljust(63, b"\0")
    alias = head + bytes(16) + struct.pack(">hh", 0, 0) + bytes(16) + struct.pack(">HH", 2, len(name)) + name
    alias += struct.pack(">HH", 0xFFFF, 0)
    entry = struct.pack(">I4sI", len(alias) + 12, b"alis", 0) + alias
    own = struct.pack(">I4sI", 12, b"url ", 1)
    assert data.count(own) == 1
    assert data.index(b"moov") > data.index(b"mdat"), "offsets of pictures would move"
    made = bytearray(data.replace(own, entry))
    for box in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        place = made.index(box) - 4
        made[place : place + 4] = struct.pack(">I", struct.unpack(">I", made[place : place + 4])[0] + len(entry) - 12)
    path.write_bytes(made)
    return path


def test_pictures_said_to_lie_in_another_file_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.mp4"
    path = referring(tmp_path / "a.mp4", secret)
    # The same pictures at the same places.
    synthetic(secret, seconds=1)
    followed = {"enable_drefs": "1", "use_absolute_path": "1"}
    with av.open(str(path), options=followed) as container:
        assert len(list(container.decode(video=0))) == 25, "this file would be followed by one who may"
    with pytest.raises(SourceError):
        enhance_video(path, tmp_path / "out.mp4", enhancer=plain())
    assert not (tmp_path / "out.mp4").exists()


def test_a_name_that_looks_like_a_pattern_or_a_protocol_is_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    clip = synthetic(tmp_path / "a.mp4", seconds=1)
    for name in ("img%03d.mp4", "concat:a|b.mp4", "-.mp4", "pipe:0.mp4"):
        shutil.copy(clip, tmp_path / name)
        enhance_video(name, f"out-{name}", enhancer=plain())
        assert times(tmp_path / f"out-{name}") == times(clip)


@pytest.mark.parametrize("command", ["enhance", "live", "preview"])
@pytest.mark.parametrize("password", ["secret", "se/cr@et", "secret?x"])
def test_passwords_never_show(command: str, password: str, capfd: pytest.CaptureFixture[str]) -> None:
    more = {"live": ["--no-window"], "enhance": [], "preview": []}[command]
    for address in (f"rtsp://me:{password}@127.0.0.1:9/x", f"http://127.0.0.1:9/x?password={password}"):
        for how in ([], ["--json"], ["-v"]):
            assert main([command, address, *more, *how]) in (1, 2)
            said = "".join(capfd.readouterr())
            assert "realtime: " in said or '"error"' in said
            assert password not in said
            assert "cr@" not in said


def test_passwords_are_not_in_the_cause_either() -> None:
    with pytest.raises(SourceError) as caught:
        open_source("http://me:secret@127.0.0.1:9/x")
    assert "secret" not in f"{caught.value} {caught.value!r} {caught.value.__cause__} {caught.value.__cause__!r}"


def test_a_small_torture(tmp_path: Path) -> None:
    """A sample of what `torture.py` does by the thousand."""
    random.seed(5)
    figures = torture.kill(tmp_path, 3) + torture.damage(tmp_path, 20)
    assert figures["kills"] >= 3
    assert figures["resumes that went on behind what was there"] >= 1
    assert [what for what in figures if "FAILED" in what] == []


@pytest.fixture
def dashcam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of folders: two whole clips, one cut off, one empty, one that is none."""
    monkeypatch.setattr("realtime.cli.options.make_enhancer", lambda chosen: plain())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cam" / "day" / "noon").mkdir(parents=True)
    whole = synthetic(tmp_path / "cam" / "a.mp4", "-movflags", "faststart", seconds=4)
    synthetic(tmp_path / "cam" / "day" / "noon" / "b.ts", seconds=1)
    half = int(probe(whole, "-select_streams", "v:0", "-show_entries", "packet=pos")["packets"][50]["pos"])
    (tmp_path / "cam" / "day" / "cut.mp4").write_bytes(whole.read_bytes()[:half])
    (tmp_path / "cam" / "day" / "empty.mp4").write_bytes(b"")
    (tmp_path / "cam" / "notes.txt").write_text("no clip")
    return tmp_path


def test_a_batch_mirrors_goes_on_and_says_what_was_wrong(dashcam: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def made() -> list[str]:
        return sorted(path.relative_to("out").as_posix() for path in Path("out").rglob("*") if path.is_file())

    assert main(["enhance", "-r", "cam", "-o", "out"]) == 1
    assert made() == ["a.mp4", "day/cut.mp4", "day/noon/b.ts"]
    table = capfd.readouterr().err.splitlines()[-5:]
    states = {line.split()[0]: line.split("fps  ")[1] for line in table[:4]}
    assert states == {
        "cam/a.mp4": "done",
        "cam/day/cut.mp4": "with warnings",
        "cam/day/empty.mp4": "failed",
        "cam/day/noon/b.ts": "done",
    }
    assert table[4] == "3 of 4 files done"
    assert main(["enhance", "-r", "cam", "-o", "out", "--skip-existing", "--json"]) == 1
    again = json.loads(capfd.readouterr().out)
    assert [result["input"] for result in again["results"]] == ["cam/day/empty.mp4"]
    assert (again["ok"], again["skipped"]) == (False, 3)
    assert main(["enhance", "cam/a.mp4", "cam/day/*/*.ts", "-o", "flat"]) == 0
    assert sorted(os.listdir("flat")) == ["a.mp4", "b.ts"]
    assert main(["enhance", "cam/a.mp4", "cam/day/*/*.ts", "-o", "flat", "--skip-existing"]) == 0
    assert capfd.readouterr().err.splitlines()[-1] == "2 left alone, whose outputs are there and as long"


def test_watch_takes_what_has_arrived_once_it_is_whole(
    dashcam: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = (dashcam / "cam" / "a.mp4").read_bytes()
    box, out = dashcam / "box", dashcam / "out" / "new.mp4"
    box.mkdir()
    grows = [whole[:3000], whole[:6000], whole, whole]

    def wait(seconds: float) -> None:
        """The camera writes a little between two looks; in the end somebody presses Ctrl-C."""
        if not grows:
            raise KeyboardInterrupt
        assert not out.exists()
        (box / "new.mp4").write_bytes(grows.pop(0))
        os.utime(box / "new.mp4", (0, 0))

    monkeypatch.setattr("realtime.cli.watch_folder.arrivals", partial(arrivals, wait=wait))
    assert main(["enhance", "--watch", "box", "-o", "out"]) == 130
    assert times(out) == times(dashcam / "cam" / "a.mp4")
    assert "realtime: box" not in capfd.readouterr().err, "it was not tried before"


@pytest.mark.parametrize("count", range(25, 38))
def test_the_last_picture_is_shown_whatever_the_length(count: int, tmp_path: Path) -> None:
    """The muxer's edit list hid it where a fragment happened to begin behind it."""
    source, out = synthetic(tmp_path / "a.mp4", "-frames:v", str(count)), tmp_path / "out.mp4"
    enhance_video(source, out, enhancer=plain())
    about = ("-count_frames", "-select_streams", "v:0", "-show_entries", "stream=nb_read_frames,duration")
    (stream,) = probe(out, *about)["streams"]
    assert (int(stream["nb_read_frames"]), Fraction(stream["duration"])) == (count, Fraction(count, 25))


def test_streams_that_come_up_on_the_way(tmp_path: Path) -> None:
    """PyAV means to end those as well, and does not know them."""
    first, second = filmed(tmp_path / "a.ts", seconds=1), tmp_path / "b.ts"
    other = ("-mpegts_start_pid", "0x200", "-mpegts_pmt_start_pid", "0x300", "-mpegts_service_id", "7")
    ffmpeg("-i", first, "-c", "copy", *other, second)
    both = tmp_path / "both.ts"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    assert enhance_video(both, tmp_path / "out.ts", enhancer=plain()).frames == 25


def test_damaged_sound_does_not_cost_the_pictures_and_a_full_disk_does() -> None:
    class Muxer:
        def __init__(self, error: Exception) -> None:
            self.error = error

        def mux(self, packet: Any) -> None:
            raise self.error

    info = StreamInfo(64, 48)
    # What MPEG-TS says to AAC of a few bytes when its turn comes, which may be that of a picture.
    short = av.error.InvalidDataError(1094995529, "AAC packet too short")
    StreamCopier(Muxer(short), info).mux(av.Packet(b"x"))
    assert (info.diagnostics.counts["skipped_packets"], info.diagnostics.damaged) == (1, True)
    with pytest.raises(OSError, match="No space"):
        StreamCopier(Muxer(OSError(28, "No space left on device")), info).mux(av.Packet(b"x"))
