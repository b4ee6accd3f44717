"""What kills and damage do to recordings, in figures: python torture.py [KILLS] [MUTATIONS] [SEED].

A killed run must leave what can be played, and resuming must end in every picture at its time. A damaged file must
be done, in part, or refused in one line; anything else is a failure.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from plain import plain

from realtime import RealtimeError, enhance_video
from realtime.media import av

PICTURES, RATE = 250, 25
#: Seconds after which a run hangs.
LIMIT = 30
SUFFIXES = (".mp4", ".mkv", ".ts")


def make(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"g": "25"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for place in range(PICTURES):
            picture = av.VideoFrame(64, 48, "yuv420p")
            for plane in picture.planes:
                plane.update(random.randbytes(plane.buffer_size))
            picture.pts = place
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def pictures(path: Path) -> list[float]:
    """The times of all that decodes, in order; none where nothing does."""
    try:
        with av.open(str(path)) as container:
            return [round(float(p.pts * p.time_base), 3) for p in container.decode(video=0)]
    except (av.error.FFmpegError, OSError, IndexError):
        return []


def killed(source: Path, out: Path, after: float) -> bool:
    """Runs as a process of its own, killed after so many seconds; whether that came before its end."""
    child = os.fork()
    if child == 0:
        enhance_video(source, out, enhancer=plain(0.004), resume=True)
        os._exit(0)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def kill(folder: Path, kills: int) -> Counter[str]:
    found: Counter[str] = Counter()
    sources = [make(folder / f"source{suffix}") for suffix in SUFFIXES]
    while found["kills"] < kills:
        source = random.choice(sources)
        out, played = folder / f"out{source.suffix}", 0
        while killed(source, out, random.uniform(0.05, 1.2)):
            found["kills"] += 1
            played = max([played, *(len(pictures(part)) for part in folder.glob(".out.part*"))])
            if random.random() < 0.5:
                break
        found["pictures playable after a kill, at most"] = max(found["pictures playable after a kill, at most"], played)
        if not out.exists():
            enhance_video(source, out, enhancer=plain(), resume=True)
        begun, ended = pictures(source), pictures(out)
        # MPEG-TS moves all times by one amount.
        fine = (
            [t - begun[0] for t in begun] == [t - ended[0] for t in ended]
            if source.suffix != ".ts"
            else (len(begun) == len(ended))
        )
        found["completed" if fine else "FAILED to complete"] += 1
        for path in folder.glob("*out*"):
            path.unlink()
    return found


def damage(folder: Path, mutations: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for place in range(mutations):
        suffix = random.choice(SUFFIXES)
        source, out = folder / f"damaged{suffix}", folder / f"damaged_out{suffix}"
        data = bytearray((folder / f"source{suffix}").read_bytes())
        for _ in range(random.choice((1, 10, 100))):
            data[random.randrange(len(data))] = random.randrange(256)
        source.write_bytes(data[: random.choice((len(data), random.randrange(len(data))))])
        signal.alarm(LIMIT)
        try:
            report = enhance_video(source, out, enhancer=plain(), overwrite=True)
            found["damaged: done in part, and said so" if report.damaged else "damaged: done"] += 1
        except RealtimeError as error:
            found["damaged: refused" if "\n" not in str(error) else "FAILED in several lines"] += 1
        except Exception as error:
            found[f"FAILED with {type(error).__name__}"] += 1
            source.rename(folder / f"failed{place}{suffix}")
        signal.alarm(0)
    return found


if __name__ == "__main__":
    kills, mutations, seed = [*map(int, sys.argv[1:]), *(20, 100, 1)[len(sys.argv) - 1 :]]
    random.seed(seed)
    with tempfile.TemporaryDirectory() as name:
        figures = kill(Path(name), kills) + damage(Path(name), mutations)
    for what, count in figures.items():
        print(f"{count:6}  {what}")
    raise SystemExit(any("FAILED" in what for what in figures))
