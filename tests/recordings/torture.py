"""What kills and damage do to recordings, in figures: python torture.py [KILLS] [FILES] [PARTS] [SEED].

- A killed run must leave what can be played up to its last second, and resuming must end in every frame and all sound
  at their times.
- A damaged file must be done, or in part, or refused in one line, within a minute; a file under the final name must be
  whole. Where frames, sound or subtitles of the undamaged recording are not in it, or more than one in fifty at another
  time, the run must have said so. Damage is that of `media_mutations`.
- A part file that is damaged before it is resumed must end in every frame, once, at its time, and undamaged.

Anything else is a failure, and the exit code 1. Each run is a process of its own.
"""

from __future__ import annotations

import mmap
import os
import random
import shutil
import signal
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import ffmpeg_tools
import iso_mutations
import matroska_mutations
import transport_mutations
from media_mutations import MUTATIONS, RECORDINGS, Mutation, record
from plain import Plain

import realtime.pipeline  # noqa: F401 (it takes seconds, which belong to no run)
from realtime import Message, Report, SinkError, SourceError, enhance_video, report
from realtime.frame import Samples
from realtime.media.libav import av

FRAMES, RATE = 250, 25
#: Seconds after which a run hangs: each time that libav opens a file may take ten.
LIMIT = 60.0
RESUMABLE = {".mp4": "libx264", ".mkv": "libx265", ".ts": "mpeg2video"}
OPTIONS = {"libx265": {"x265-params": "log-level=none"}}
#: Structure-aware damage for part files of each container.
OF_PARTS: dict[str, Sequence[Mutation]] = {
    ".mp4": iso_mutations.FRAGMENTED,
    ".mkv": matroska_mutations.BLOCKS,
    ".ts": transport_mutations.PACKETS,
}
#: Mean difference of a block of 16x16 samples that re-encoding may make.
BLOCK_DIFFERENCE = 12.0
#: Seconds by which times may differ: resuming takes two and a half milliseconds for rounding.
TIME_DIFFERENCE = 0.003
#: Seconds by which something may be shown or heard earlier or later than in an undamaged recording.
MOVED = 0.1


def make(path: Path) -> Path:
    """Ten seconds of noise around a gray that tells the frame's number, and a sound."""
    noise = np.random.default_rng(1)
    codec = RESUMABLE[path.suffix]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE, options={"g": "25", **OPTIONS.get(codec, {})})
        stream.width, stream.height = 64, 48
        stream.pix_fmt = "yuv420p"
        voice = container.add_stream("aac", rate=48000, layout="mono")
        for index in range(FRAMES):
            samples = np.full((72, 64), 128, np.uint8)
            samples[:48] = 30 + 6 * index % 180 + noise.integers(0, 8, (48, 64))
            picture = av.VideoFrame.from_ndarray(samples, "yuv420p")
            picture.pts, picture.time_base = index, Fraction(1, RATE)
            container.mux(stream.encode(picture))
            wave = noise.uniform(-0.2, 0.2, (1, 48000 // RATE)).astype(np.float32)
            audio = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            audio.sample_rate, audio.pts = 48000, index * 48000 // RATE
            container.mux(voice.encode(audio))
        container.mux(stream.encode(None))
        container.mux(voice.encode(None))
    return path


def pictures(path: Path) -> list[tuple[float, Samples]]:
    """(time, means of 16x16 blocks of luma) of all that decodes, in order; nothing where nothing does."""
    found = []
    try:
        with av.open(str(path)) as container:
            for picture in container.decode(video=0):
                luma = np.frombuffer(picture.planes[0], np.uint8).reshape(picture.planes[0].height, -1)
                blocks = luma[:48, :64].reshape(3, 16, 4, 16).mean((1, 3)) if luma.shape[0] >= 48 else np.zeros((3, 4))
                found.append((float((picture.pts or 0) * picture.time_base), blocks))
    except (av.error.FFmpegError, OSError, IndexError):
        pass
    return found


def sound(path: Path) -> list[float]:
    """When each packet of sound is heard, in seconds."""
    with av.open(str(path)) as container:
        return [float(packet.pts * packet.time_base) for packet in container.demux(audio=0) if packet.size]


def alike(source: Path, out: Path) -> bool:
    """Whether every frame is there exactly once, at its time and undamaged, and all sound within a frame of its own."""
    before, after = pictures(source), pictures(out)
    if len(before) != len(after) or len(sound(source)) != len(sound(out)):
        return False
    # MPEG-TS moves all times by one amount.
    moved = after[0][0] - before[0][0]
    seen = all(abs(b[0] + moved - a[0]) < TIME_DIFFERENCE for a, b in zip(after, before))
    seen = seen and all(np.abs(b[1] - a[1]).max() < BLOCK_DIFFERENCE for a, b in zip(after, before))
    return seen and all(abs(b + moved - a) < 1 / RATE for a, b in zip(sound(out), sound(source)))


def alone(work: Callable[[], str], seconds: float, expected: bool = False) -> str:
    """What `work` returns in a process of its own, or how it failed; `expected` to be killed after so many seconds."""
    sys.stdout.flush()
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        os.dup2(write, 2)  # a traceback is a failure too
        try:
            said = work()
        except BaseException as error:
            said = f"FAILED with {type(error).__name__}: {error}"
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    end, gone, status = time.monotonic() + seconds, 0, 0
    while not gone and time.monotonic() < end:
        time.sleep(0.002)
        gone, status = os.waitpid(child, os.WNOHANG)
    if not gone:
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    with os.fdopen(read, "rb") as pipe:
        said = pipe.read().decode(errors="replace")
    if os.WIFSIGNALED(status):
        hung = "" if expected else f"FAILED: no end after {seconds:g} s"
        return hung if not gone else f"FAILED by signal {os.WTERMSIG(status)}"
    return f"FAILED with {said}" if "Traceback" in said else said


def resumed(source: Path, out: Path, delay: float = 0.0, progress: Callable[[Report], None] | None = None) -> str:
    """Enhances with `resume`; returns how: "done", "continued", or "continued before the damage"."""
    heard: list[Message] = []
    try:
        enhance_video(source, out, enhancer=Plain(delay), resume=True, progress=progress, on_message=heard.append)
    except SinkError as error:
        if "made of another input" not in str(error):
            raise
        return "refused, as the part does not say any more what it was made of"
    texts = [message.text for message in heard]
    if any("done again" in text or "starts over" in text for text in texts):
        return "continued before the damage"
    return "continued" if any(text.startswith("continues behind") for text in texts) else "done"


def kill(folder: Path, kills: int) -> Counter[str]:
    """Kills runs at random moments, and resumes them."""
    found: Counter[str] = Counter()
    report.PROGRESS_INTERVAL = 0.0
    shared = mmap.mmap(-1, 8)

    def note(now: Report) -> None:
        shared[:] = struct.pack("q", now.frames)

    sources = [make(folder / f"source{suffix}") for suffix in RESUMABLE]
    began = time.monotonic()
    alone(lambda: resumed(sources[0], folder / "out.mp4", 0.004), 60)
    whole = time.monotonic() - began
    (folder / "out.mp4").unlink()
    lost = 0
    while found["kills"] < kills or found["resumes that went on behind what was there"] < kills // 2:
        source = random.choice(sources)
        out = folder / f"out{source.suffix}"
        ended = "FAILED" if out.exists() else ""
        while not ended:
            shared[:] = struct.pack("q", 0)
            work = partial(resumed, source, out, 0.004, note)
            ended = alone(work, random.uniform(0, 1.1 * whole), expected=True)
            if not ended:
                found["kills"] += 1
                played = max([0, *(len(pictures(part)) for part in folder.glob(".out.part*"))])
                lost = max(lost, struct.unpack("q", shared[:])[0] - (FRAMES if out.exists() else played))
                if random.random() < 0.5:
                    break
        if not out.exists():
            ended = alone(partial(resumed, source, out), 60)
        found["resumes that went on behind what was there"] += ended == "continued"
        fine = "FAILED" not in ended and alike(source, out)
        found["completed, every frame once, all sound" if fine else f"FAILED to complete: {ended}"] += 1
        for path in folder.glob("*out*"):
            path.unlink()
    found["frames handed over and not playable after a kill, at most"] = lost
    return found


def damaged_parts(folder: Path, count: int) -> Counter[str]:
    """Damages the part files of killed runs as power cuts and disks do, and resumes them."""
    found: Counter[str] = Counter()
    parts = {}
    for suffix in RESUMABLE:
        source, out = make(folder / f"source{suffix}"), folder / f"out{suffix}"
        part = folder / f".out.part{suffix}"
        seconds = 0.8
        while len(pictures(part)) < FRAMES // 2:
            alone(partial(resumed, source, out, 0.008), seconds, expected=True)
            seconds *= 1.3
        parts[source] = part.read_bytes()
        for path in folder.glob("*out*"):
            path.unlink()
    for number in range(count):
        source = random.choice(list(parts))
        out, part = folder / f"out{source.suffix}", folder / f".out.part{source.suffix}"
        if random.random() < 0.5:
            kind, data = damaged(parts[source])
        else:
            mutation = random.choice(OF_PARTS[source.suffix])
            kind, data = mutation.__name__, bytes(mutation(bytearray(parts[source]), random.Random(random.random())))
        part.write_bytes(data)
        found["parts damaged"] += 1
        ended = alone(partial(resumed, source, out), LIMIT)
        refused = ended.startswith("refused") and not out.exists()
        fine = refused or ("FAILED" not in ended and alike(source, out))
        ended = ended if refused else f"{ended}, every frame once"
        found[f"damaged part: {ended}" if fine else f"FAILED to resume ({kind}): {ended}"] += 1
        if not fine:
            kept = Path(tempfile.mkdtemp(prefix=f"torture{number}_"))
            shutil.copy2(source, kept)  # a part belongs to a file of that name and time
            (kept / part.name).write_bytes(data)
        for path in folder.glob("*out*"):
            path.unlink()
    return found


def damaged(data: bytes) -> tuple[str, bytes]:
    """A block of a file zeroed, filled with noise, removed, or the file cut off; most often near its end."""
    kind = random.choice(("zeroed", "filled with noise", "lacking a block", "cut off", "with one bit flipped"))
    size = min(random.choice((1, 512, 4096, 4096, 16384)), len(data) // 2)
    last = len(data) - size
    offset = random.randrange(last // 2, last) if random.random() < 0.7 else random.randrange(last)
    result = bytearray(data)
    if kind == "zeroed":
        result[offset : offset + size] = bytes(size)
    elif kind == "filled with noise":
        result[offset : offset + size] = random.randbytes(size)
    elif kind == "lacking a block":
        del result[offset : offset + size]
    elif kind == "cut off":
        del result[offset:]
    else:
        result[offset] ^= 1 << random.randrange(8)
    return kind, bytes(result)


#: By kind (video, audio, subtitle), when each packet is shown or heard, in seconds, in order.
Times = dict[str, list[float]]


def streams(path: Path) -> Times:
    """When all packets of picture, sound and subtitles are due that ffprobe reads from a file."""
    found: Times = {}
    for packet in ffmpeg_tools.probe(path, "-show_entries", "packet=codec_type,size,pts_time").get("packets", ()):
        if int(packet["size"]):
            found.setdefault(packet["codec_type"], []).append(float(packet.get("pts_time", "nan")))
    return {kind: sorted(times) for kind, times in found.items()}


def lost_in(got: Times, wanted: Times) -> str:
    """What of a recording is missing, or at another time; all times may have moved by one amount."""
    missing = [
        f"{kind} {len(got.get(kind, ()))} of {len(times)}"
        for kind, times in wanted.items()
        if len(got.get(kind, ())) < len(times)
    ]
    if missing:
        return ", ".join(missing)
    steps = {kind: np.array(got[kind][: len(times)]) - np.array(times) for kind, times in wanted.items()}
    moved = {kind: int((np.abs(step - np.median(steps["video"])) > MOVED).sum()) for kind, step in steps.items()}
    return ", ".join(
        f"{kind} {count} at other times" for kind, count in moved.items() if count > len(wanted[kind]) // 50
    )


def damage(folder: Path, files: int) -> Counter[str]:
    """Enhances damaged files."""
    found: Counter[str] = Counter()
    whole: dict[str, tuple[bytes, Times]] = {}
    for name in RECORDINGS:
        source, out = record(folder, name), output(folder, name)
        enhance_video(source, out, enhancer=Plain())
        whole[name] = source.read_bytes(), streams(out)
        out.unlink()
    longest = 0.0
    for number in range(files):
        name = random.choice(list(RECORDINGS))
        mutation = random.choice(MUTATIONS[name])
        data = bytes(mutation(bytearray(whole[name][0]), random.Random(random.random())))
        if data == whole[name][0]:
            continue
        source, out = folder / f"damaged{Path(name).suffix}", output(folder, name)
        source.write_bytes(data)
        found["files damaged"] += 1
        began = time.monotonic()
        ended = alone(partial(judged, source, out, whole[name][1]), LIMIT)
        longest = max(longest, time.monotonic() - began)
        if out.exists() and not ended.startswith(("done", "LOST")):
            ended = f"FAILED: there after it was {ended}"
        if "FAILED" in ended or "LOST" in ended:
            kept = Path(tempfile.gettempdir()) / f"torture_{name}_{mutation.__name__}_{number}{source.suffix}"
            source.rename(kept)
            print(f"        {ended}: {kept}")
            ended = ended.partition(":")[0]
        found[f"damaged: {ended}"] += 1
        for path in folder.glob("*damaged*"):
            path.unlink()
    print(f"{longest:6.1f}  seconds for the damaged file that took longest")
    return found


def output(folder: Path, name: str) -> Path:
    """Where a recording of that name is written: in its own container where that can be."""
    suffix = Path(name).suffix
    return folder / f"damaged_out{suffix if suffix in (*RESUMABLE, '.mov') else '.mkv'}"


def judged(source: Path, out: Path, wanted: Times) -> str:
    """Enhances a damaged file, and says how that ended, compared with what an undamaged one has, by ffprobe."""
    said: list[Message] = []
    try:
        report = enhance_video(source, out, enhancer=Plain(), on_message=said.append)
    except SourceError as error:
        return "refused in one line" if "\n" not in str(error) else "FAILED in several lines"
    got = streams(out)
    if not len(pictures(out)) == report.frames == len(got["video"]):
        return "FAILED: not whole under its final name"
    lost = lost_in(got, wanted)
    if report.damaged:
        return "done in part, and said so" if lost else "done, with a word about the damage"
    if lost and report.warnings:
        return "done in part, with a warning"
    if lost and said:
        return "done in part, with information"
    return f"LOST without a word: {lost}" if lost else "done, nothing is missing"


if __name__ == "__main__":
    kills, files, parts, seed = [*map(int, sys.argv[1:]), *(100, 1000, 100, 1)[len(sys.argv) - 1 :]]
    random.seed(seed)
    failed = False
    for work, count in ((kill, kills), (damage, files), (damaged_parts, parts)):
        with tempfile.TemporaryDirectory() as name:
            figures = work(Path(name), count)
        for what, number in figures.items():
            print(f"{number:6}  {what}", flush=True)
        failed = failed or any("FAILED" in what or "LOST" in what for what in figures)
    raise SystemExit(failed)
