"""What kills and damage do to recordings, in figures: python torture.py [KILLS] [FILES] [PARTS] [SEED].

- A killed run must leave what can be played up to its last second, and resuming must end in every frame and all sound
  at their times.
- A damaged file must be done, in part, or refused in one line, within ten seconds; a file under the final name must be
  whole.
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
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from plain import Plain

import realtime.pipeline  # noqa: F401 (it takes seconds, which belong to no run)
from realtime import Message, Report, SourceError, enhance_video, report
from realtime.frame import Samples
from realtime.media.libav import av

FRAMES, RATE = 250, 25
#: Seconds after which a run hangs.
LIMIT = 10.0
CODECS = {".mp4": "libx264", ".mkv": "libx265", ".ts": "mpeg2video", ".avi": "mjpeg", ".webm": "libvpx-vp9"}
SOUND = {".avi": "mp3", ".webm": "libopus"}
#: Quick at a size where no setting shows.
OPTIONS = {"libx265": {"x265-params": "log-level=none"}, "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"}}
RESUMABLE = (".mp4", ".mkv", ".ts")
#: Mean difference of a block of 16x16 samples that re-encoding may make.
BLOCK_DIFFERENCE = 12.0


def make(path: Path) -> Path:
    """Ten seconds of noise around a gray that tells the frame's number, and a sound."""
    noise = np.random.default_rng(1)
    codec = CODECS[path.suffix]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE, options={"g": "25", **OPTIONS.get(codec, {})})
        stream.width, stream.height = 64, 48
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        voice = container.add_stream(SOUND.get(path.suffix, "aac"), rate=48000, layout="mono")
        for index in range(FRAMES):
            samples = np.full((72, 64), 128, np.uint8)
            samples[:48] = 30 + 6 * index % 180 + noise.integers(0, 8, (48, 64))
            picture = av.VideoFrame.from_ndarray(samples, "yuv420p").reformat(format=stream.pix_fmt)
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
    seen = all(abs(b[0] + moved - a[0]) < 0.002 for a, b in zip(after, before))
    seen = seen and all(np.abs(b[1] - a[1]).max() < BLOCK_DIFFERENCE for a, b in zip(after, before))
    return seen and all(abs(b + moved - a) < 1 / RATE for a, b in zip(sound(out), sound(source)))


def alone(work: Callable[[], str], seconds: float, expected: bool = False) -> str:
    """What `work` returns in a process of its own, or how it failed; `expected` to be killed after so many seconds."""
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
    enhance_video(source, out, enhancer=Plain(delay), resume=True, progress=progress, on_message=heard.append)
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
        kind, data = damaged(parts[source])
        part.write_bytes(data)
        found[f"parts {kind}"] += 1
        ended = alone(partial(resumed, source, out), LIMIT)
        fine = "FAILED" not in ended and alike(source, out)
        found[f"damaged part: {ended}, every frame once" if fine else f"FAILED to resume ({kind}): {ended}"] += 1
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


def mutated(sources: list[bytes]) -> tuple[str, bytes]:
    """The first of the files with bits flipped, cut or with parts of the others in it."""
    kind = random.choice(("bits flipped", "cut", "spliced"))
    data = bytearray(sources[0])
    if kind == "bits flipped":
        for _ in range(random.choice((1, 10, 100, 1000))):
            data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    elif kind == "cut":
        begin = random.choice((0, 0, random.randrange(len(data))))
        data = data[begin : random.randrange(begin, len(data))]
    else:
        other, offset = random.choice(sources), random.randrange(len(data))
        begin, size = random.randrange(len(other)), random.randrange(1, 20_000)
        data[offset : offset + random.choice((0, size))] = other[begin : begin + size]
    return kind, bytes(data)


def damage(folder: Path, files: int) -> Counter[str]:
    """Enhances damaged files."""
    found: Counter[str] = Counter()
    contents = {suffix: make(folder / f"source{suffix}").read_bytes() for suffix in CODECS}
    longest = 0.0
    for number in range(files):
        suffix = random.choice(list(CODECS))
        source, out = folder / f"damaged{suffix}", folder / "damaged_out.mkv"
        out = out.with_suffix(suffix) if suffix in RESUMABLE else out
        kind, data = mutated([contents[suffix], *contents.values()])
        source.write_bytes(data)
        found[f"files {kind}"] += 1

        def run(source: Path = source, out: Path = out) -> str:
            try:
                result = enhance_video(source, out, enhancer=Plain())
            except SourceError as error:
                return "refused in one line" if "\n" not in str(error) else "FAILED in several lines"
            if len(pictures(out)) != result.frames:
                return "FAILED: not whole under its final name"
            if result.damaged:
                return "done in part, and said so"
            return "done" if result.frames >= FRAMES else "done in part, without saying so"

        began = time.monotonic()
        ended = alone(run, LIMIT)
        longest = max(longest, time.monotonic() - began)
        if out.exists() and not ended.startswith("done"):
            ended = f"FAILED: there after it was {ended}"
        found[f"damaged: {ended}"] += 1
        if "FAILED" in ended:
            source.rename(Path(tempfile.gettempdir()) / f"torture{number}{suffix}")
        for path in folder.glob("*damaged*"):
            path.unlink()
    print(f"{longest:6.1f}  seconds for the damaged file that took longest")
    return found


if __name__ == "__main__":
    kills, files, parts, seed = [*map(int, sys.argv[1:]), *(20, 100, 50, 1)[len(sys.argv) - 1 :]]
    random.seed(seed)
    failed = False
    for work, count in ((kill, kills), (damage, files), (damaged_parts, parts)):
        with tempfile.TemporaryDirectory() as name:
            figures = work(Path(name), count)
        for what, number in figures.items():
            print(f"{number:6}  {what}", flush=True)
        failed = failed or any("FAILED" in what for what in figures)
    raise SystemExit(failed)
