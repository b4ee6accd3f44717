"""What kills and damage do to recordings, in figures: python torture.py [KILLS] [MUTATIONS] [SEED].

A killed run must leave what can be played up to its last second, and resuming must end in every picture and all sound
at their times. A damaged file must be done, in part, or refused in one line, in ten seconds; a file under the final
name must be whole. Anything else is a failure, and the exit code 1. Each run is a process of its own.
"""

from __future__ import annotations

import mmap
import os
import random
import signal
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from plain import plain

import realtime.pipeline  # noqa: F401 (it takes seconds, which belong to no run)
from realtime import Report, SourceError, enhance_video, report
from realtime.media.libav import av

PICTURES, RATE = 250, 25
#: Seconds after which a run hangs.
LIMIT = 10.0
CODECS = {".mp4": "libx264", ".mkv": "libx265", ".ts": "mpeg2video", ".avi": "mjpeg", ".webm": "libvpx-vp9"}
SOUND = {".avi": "mp3", ".webm": "libopus"}
#: Quick at a size where no setting shows.
OPTIONS = {"libx265": {"x265-params": "log-level=none"}, "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"}}
CONTINUED = (".mp4", ".mkv", ".ts")


def make(path: Path) -> Path:
    """Ten seconds of noise around a gray that tells the picture's number, and a sound."""
    noise = np.random.default_rng(1)
    codec = CODECS[path.suffix]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE, options={"g": "25", **OPTIONS.get(codec, {})})
        stream.width, stream.height = 64, 48
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        voice = container.add_stream(SOUND.get(path.suffix, "aac"), rate=48000, layout="mono")
        for place in range(PICTURES):
            samples = np.full((72, 64), 128, np.uint8)
            samples[:48] = 30 + 6 * place % 180 + noise.integers(0, 8, (48, 64))
            picture = av.VideoFrame.from_ndarray(samples, "yuv420p").reformat(format=stream.pix_fmt)
            picture.pts = place
            container.mux(stream.encode(picture))
            wave = noise.uniform(-0.2, 0.2, (1, 48000 // RATE)).astype(np.float32)
            audio = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            audio.sample_rate, audio.pts = 48000, place * 48000 // RATE
            container.mux(voice.encode(audio))
        container.mux(stream.encode(None))
        container.mux(voice.encode(None))
    return path


def pictures(path: Path) -> list[tuple[float, float]]:
    """(time, mean luma) of all that decodes, in order; nothing where nothing does."""
    found = []
    try:
        with av.open(str(path)) as container:
            for picture in container.decode(video=0):
                luma = float(np.frombuffer(picture.planes[0], np.uint8).mean())
                found.append((float((picture.pts or 0) * picture.time_base), luma))
    except (av.error.FFmpegError, OSError, IndexError):
        pass
    return found


def sound(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(packet.pts * packet.time_base) for packet in container.demux(audio=0) if packet.size]


def alike(source: Path, out: Path) -> bool:
    """Every picture exactly once and at its time, and all sound within a frame of its own."""
    begun, ended = pictures(source), pictures(out)
    if len(begun) != len(ended) or len(sound(source)) != len(sound(out)):
        return False
    # MPEG-TS moves all times by one amount.
    moved = ended[0][0] - begun[0][0]
    seen = all(abs(b[0] + moved - a[0]) < 0.002 and abs(b[1] - a[1]) < 2.5 for a, b in zip(ended, begun))
    return seen and all(abs(b + moved - a) < 1 / RATE for a, b in zip(sound(out), sound(source)))


def alone(work: Callable[[], str], seconds: float, expected: bool = False) -> str:
    """What `work` says in a process of its own, or how that failed; `expected` to be killed after so many seconds."""
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


def kill(folder: Path, kills: int) -> Counter[str]:
    found: Counter[str] = Counter()
    report.INTERVAL = 0.0
    told = mmap.mmap(-1, 8)

    def note(now: Report) -> None:
        before = [int(w.split()[2]) for w in now.warnings if w.startswith("continued behind")]
        told[:] = struct.pack("q", now.frames + sum(before))

    def run(source: Path, out: Path) -> str:
        made = enhance_video(source, out, enhancer=plain(0.004), resume=True, progress=note)
        return "continued" if any(w.startswith("continued behind") for w in made.warnings) else "done"

    sources = [make(folder / f"source{suffix}") for suffix in CONTINUED]
    began = time.monotonic()
    alone(lambda: run(sources[0], folder / "out.mp4"), 60)
    whole = time.monotonic() - began
    (folder / "out.mp4").unlink()
    lost = 0
    while found["kills"] < kills or found["resumes that went on behind what was there"] < kills // 2:
        source = random.choice(sources)
        out = folder / f"out{source.suffix}"
        ended = "FAILED" if out.exists() else ""
        while not ended:
            told[:] = struct.pack("q", 0)
            ended = alone(partial(run, source, out), random.uniform(0, 1.1 * whole), expected=True)
            if not ended:
                found["kills"] += 1
                played = max([0, *(len(pictures(part)) for part in folder.glob(".out.part*"))])
                lost = max(lost, struct.unpack("q", told[:])[0] - (PICTURES if out.exists() else played))
                if random.random() < 0.5:
                    break
        if not out.exists():
            ended = alone(partial(run, source, out), 60)
        found["resumes that went on behind what was there"] += ended == "continued"
        fine = "FAILED" not in ended and alike(source, out)
        found["completed, every picture once, all sound" if fine else f"FAILED to complete: {ended}"] += 1
        for path in folder.glob("*out*"):
            path.unlink()
    found["pictures handed over and not playable after a kill, at most"] = lost
    return found


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
        other, place = random.choice(sources), random.randrange(len(data))
        begin, size = random.randrange(len(other)), random.randrange(1, 20_000)
        data[place : place + random.choice((0, size))] = other[begin : begin + size]
    return kind, bytes(data)


def damage(folder: Path, mutations: int) -> Counter[str]:
    found: Counter[str] = Counter()
    contents = {suffix: make(folder / f"source{suffix}").read_bytes() for suffix in CODECS}
    longest = 0.0
    for place in range(mutations):
        suffix = random.choice(list(CODECS))
        source, out = folder / f"damaged{suffix}", folder / "damaged_out.mkv"
        out = out.with_suffix(suffix) if suffix in CONTINUED else out
        kind, data = mutated([contents[suffix], *contents.values()])
        source.write_bytes(data)
        found[f"files {kind}"] += 1

        def run(source: Path = source, out: Path = out) -> str:
            try:
                made = enhance_video(source, out, enhancer=plain())
            except SourceError as error:
                return "refused in one line" if "\n" not in str(error) else "FAILED in several lines"
            if len(pictures(out)) != made.frames:
                return "FAILED: not whole under its final name"
            if made.damaged:
                return "done in part, and said so"
            return "done" if made.frames >= PICTURES else "done in part, without saying so"

        began = time.monotonic()
        said = alone(run, LIMIT)
        longest = max(longest, time.monotonic() - began)
        if out.exists() and not said.startswith("done"):
            said = f"FAILED: there after it was {said}"
        found[f"damaged: {said}"] += 1
        if "FAILED" in said:
            source.rename(Path(tempfile.gettempdir()) / f"torture{place}{suffix}")
        for path in folder.glob("*damaged*"):
            path.unlink()
    print(f"{longest:6.1f}  seconds for the damaged file that took longest")
    return found


if __name__ == "__main__":
    kills, mutations, seed = [*map(int, sys.argv[1:]), *(20, 100, 1)[len(sys.argv) - 1 :]]
    random.seed(seed)
    failed = False
    with tempfile.TemporaryDirectory() as name:
        for work, count in ((kill, kills), (damage, mutations)):
            figures = work(Path(name), count)
            for what, number in figures.items():
                print(f"{number:6}  {what}", flush=True)
            failed = failed or any("FAILED" in what for what in figures)
    raise SystemExit(failed)
