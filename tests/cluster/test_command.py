"""``realtime enhance --ray`` on a real Ray of this machine: what comes out is what comes out without it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from synthetic import clip, read_clip

from realtime.media.libav import av

RATE = 25
OPTIONS = ["--engine", "exact", "--precision", "float32", "--device", "cpu", "--exposure", "off", "--manifest"]
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0123456789abcdef" * 4}
IN_SEGMENTS = ("in.mp4", "-o", "with.mp4", "--ray", "--parts", "12", "--cpus-per-worker", "1")
#: Fields of ``--json`` that differ from run to run: with several threads encoders do not repeat themselves to the byte.
VARYING = ("seconds", "fps", "output_bytes")

pytestmark = pytest.mark.timeout(500)


@pytest.fixture(autouse=True)
def needs_ray() -> None:
    pytest.importorskip("ray", reason="the extra 'cluster' is not installed")


def command(*words: str, folder: Path, weights: Path, **variables: str) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-m", "realtime", "enhance", *words, *OPTIONS, "--weights", str(weights), "--json"]
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(arguments, cwd=folder, env=os.environ | variables, text=True, **pipes)


def finished(process: subprocess.Popen[str]) -> tuple[int, dict[str, Any], list[str]]:
    """Exit code, results by input, and the lines on stderr, all without what varies."""
    output, errors = process.communicate(timeout=400)
    results = {result.pop("input"): result for result in json.loads(output)["results"]}
    for result in results.values():
        for name in VARYING:
            result.pop(name)
        result["outputs"] = [output["frames"] for output in result["outputs"]]
        result["output"] = result["output"] and Path(result["output"]).name
        result["error"] = result["error"] and Path(result["error"]).name
    return process.returncode, results, [line.split(" frames in ")[0] for line in errors.splitlines()]


def manifest(path: Path) -> Any:
    return json.loads(path.with_name(path.name + ".manifest.json").read_text())["parameters"]


def times(path: Path) -> list[Any]:
    with av.open(str(path)) as container:
        return sorted((p.stream.index, p.pts, p.dts) for p in container.demux() if p.size)


def descendants(pid: int) -> Iterator[int]:
    """Processes that a process has started, and those that they have."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has ended
        if parent == pid:
            child = int(stat.parent.name)
            yield child
            yield from descendants(child)


def is_worker(pid: int) -> bool:
    try:
        return b"ray::Worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def test_the_same_files_come_out(tmp_path: Path, weights: Path) -> None:
    (tmp_path / "in").mkdir()
    clip(tmp_path / "in" / "a.mp4", sound=True)
    clip(tmp_path / "in" / "b.mkv", count=20)
    (tmp_path / "in" / "bad.mp4").write_bytes(b"no video")
    alone = finished(command("in", "-o", "alone", folder=tmp_path, weights=weights))
    with_ray = finished(command("in", "-o", "with", "--ray", "--workers", "1", folder=tmp_path, weights=weights))
    assert with_ray[0] == alone[0] == 1
    assert with_ray[1] == alone[1]
    # Nothing of Ray's own reaches the terminal.
    names = [line.replace("with/", "alone/").replace(f"{tmp_path}/", "") for line in with_ray[2]]
    assert sorted(names) == sorted(alone[2])
    for name in ("a.mp4", "b.mkv"):
        assert manifest(tmp_path / "with" / name) == manifest(tmp_path / "alone" / name)
        assert times(tmp_path / "with" / name) == times(tmp_path / "alone" / name)
        assert read_clip(tmp_path / "with" / name) == read_clip(tmp_path / "alone" / name)


def wait_for(condition: Callable[[], object], process: subprocess.Popen[Any]) -> None:
    deadline = time.monotonic() + 240
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def running_ray() -> Iterator[tuple[str, str]]:
    """The addresses of a Ray that was started by hand and wants a token: for members, and for clients."""
    ports = []
    with socket.socket() as one, socket.socket() as two:
        for unused in (one, two):
            unused.bind(("127.0.0.1", 0))
            ports.append(unused.getsockname()[1])
    # Not pytest's folder: its name is too long for the sockets that Ray makes in it.
    with tempfile.TemporaryDirectory() as folder:
        arguments = [f"--port={ports[0]}", f"--ray-client-server-port={ports[1]}", f"--temp-dir={folder}"]
        arguments += ["--num-cpus=1", "--include-dashboard=false", "--disable-usage-stats", "--block"]
        head = subprocess.Popen(
            [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", *arguments],
            env=os.environ | TOKEN,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            for port in ports:
                wait_for(partial(answers, port), head)
            yield f"127.0.0.1:{ports[0]}", f"ray://127.0.0.1:{ports[1]}"
        finally:
            head.terminate()
            head.wait(60)


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def test_a_cluster_that_wants_a_token_is_joined_in_both_ways(
    tmp_path: Path, weights: Path, running_ray: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clip(tmp_path / "in.mp4", count=10)
    for number, address in enumerate(running_ray):
        words = ("in.mp4", "-o", f"{number}.mp4", "--ray", address, "--cpus-per-worker", "1")
        code, results, lines = finished(command(*words, folder=tmp_path, weights=weights, **TOKEN))
        assert code == 0, lines
        assert results["in.mp4"]["frames"] == len(read_clip(tmp_path / f"{number}.mp4")) == 10
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)  # Ray sets it in a process that starts one
    words = ("in.mp4", "-o", "2.mp4", "--ray", running_ray[0], "--cpus-per-worker", "1")
    _, errors = command(*words, folder=tmp_path, weights=weights).communicate(timeout=100)
    (line,) = errors.splitlines()
    assert line.startswith(f"realtime: the Ray cluster at {running_ray[0]} cannot be joined: ")
    assert line.endswith("; if it wants a token, set RAY_AUTH_MODE=token")
    nowhere = TOKEN | {"RAY_AUTH_TOKEN": "", "RAY_AUTH_TOKEN_PATH": "", "HOME": str(tmp_path)}
    _, errors = command(*words, folder=tmp_path, weights=weights, **nowhere).communicate(timeout=100)
    (line,) = errors.splitlines()
    assert line.endswith("wants a token: put it into ~/.ray/auth_token or RAY_AUTH_TOKEN")


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds the worker's process in /proc")
def test_a_worker_that_is_killed_costs_its_segment_a_second_try(tmp_path: Path, weights: Path) -> None:
    clip(tmp_path / "in.mp4", count=31 * RATE, rate=RATE, sound=True)
    assert finished(command("in.mp4", "-o", "alone.mp4", folder=tmp_path, weights=weights))[0] == 0
    process = command(*IN_SEGMENTS, folder=tmp_path, weights=weights)
    try:
        wait_for(lambda: list(tmp_path.glob("..with.segment-*.part.mp4")), process)
        workers = [pid for pid in descendants(process.pid) if is_worker(pid)]
        assert workers
        os.kill(workers[0], signal.SIGKILL)
        assert not (tmp_path / "with.mp4").exists()
        code, results, lines = finished(process)
    finally:
        process.kill()
    assert code == 0, lines
    assert results["in.mp4"]["frames"] == 31 * RATE
    assert times(tmp_path / "with.mp4") == times(tmp_path / "alone.mp4")
    assert len(read_clip(tmp_path / "with.mp4")) == 31 * RATE
    assert manifest(tmp_path / "with.mp4") == manifest(tmp_path / "alone.mp4")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds the command's processes in /proc")
def test_a_command_that_is_killed_goes_on_with_resume(tmp_path: Path, weights: Path) -> None:
    clip(tmp_path / "in.mp4", count=31 * RATE, rate=RATE, sound=True)
    assert finished(command("in.mp4", "-o", "alone.mp4", folder=tmp_path, weights=weights))[0] == 0
    process = command(*IN_SEGMENTS, folder=tmp_path, weights=weights)
    try:
        wait_for(lambda: list(tmp_path.glob(".with.segment-*.mp4")), process)
        begun = [*descendants(process.pid)]
        done = {path: path.stat().st_mtime_ns for path in tmp_path.glob(".with.segment-*.mp4")}
    finally:
        process.kill()
    process.communicate()
    assert not (tmp_path / "with.mp4").exists()
    deadline = time.monotonic() + 60
    while any(is_worker(pid) for pid in begun):
        assert time.monotonic() < deadline, "workers outlive the command"
        time.sleep(0.05)
    resumed = command(*IN_SEGMENTS, "--resume", "--skip-existing", folder=tmp_path, weights=weights)
    wait_for(lambda: list(tmp_path.glob("..with.segment-*.part.mp4")), resumed)
    assert {path: path.stat().st_mtime_ns for path in done if path.exists()} == done, "finished segments are kept"
    code, results, lines = finished(resumed)
    assert code == 0, lines
    assert results["in.mp4"]["frames"] == 31 * RATE
    assert times(tmp_path / "with.mp4") == times(tmp_path / "alone.mp4")
    assert len(read_clip(tmp_path / "with.mp4")) == 31 * RATE
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
