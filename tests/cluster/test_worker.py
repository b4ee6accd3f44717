"""What a worker makes of a task, without Ray: results and errors, here and in a bucket of a real S3 server."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from doubles import Counting
from synthetic import clip, read_clip, regular

from realtime import EngineInfo, EnhanceOptions, SinkError, SourceError, StreamInfo
from realtime.cluster.storage import Cache, listing
from realtime.cluster.tasks import FileTask, Result, WorkerSettings, on_node
from realtime.cluster.worker import Worker
from realtime.enhance.weights import find
from realtime.media.part_file import PartFile, part_path

RATE, SECONDS, PARTS = 25, 31, 12
IDENTITY = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}


class PlainWorker(Worker):
    """Enhances nothing, but goes all the way."""

    def _enhancer(self, options: Any) -> Any:
        return Named()


class Named(Counting):
    """Says of itself what an `Enhancer` says."""

    options = EnhanceOptions()
    weights = find(None)

    def plan(self, info: StreamInfo) -> EngineInfo:
        return EngineInfo("fast", "cpu", "float32")


@pytest.fixture
def worker(tmp_path: Path) -> PlainWorker:
    cache = tmp_path / "cache"
    cache.mkdir()
    return PlainWorker(WorkerSettings(cache=str(cache)))


def whole(worker: Worker, task: FileTask) -> Result:
    """A task from its beginning to the joined file, as the driver leads it."""
    result = worker.enhance(task)
    if result.plan is None:
        return result
    reports = []
    for number in range(result.plan.count):
        part = worker.segment(task, result.plan, number)
        assert part.error is None
        reports += [part.report] if part.report is not None else []
    return worker.join(task, result.plan, reports)


def test_a_file_and_a_second_time(worker: Worker, tmp_path: Path) -> None:
    source, target = clip(tmp_path / "in.mp4"), tmp_path / "out.mp4"
    first = worker.enhance(FileTask(str(source), str(target), manifest=True))
    assert first.error is None
    assert first.report is not None
    assert first.report.frames == 8
    assert target.with_name("out.mp4.manifest.json").exists()
    again = worker.enhance(FileTask(str(source), str(target)))
    assert isinstance(again.error, SinkError)
    assert again.error.remedies == {"overwrite=True": "{} replaces it"}
    assert worker.enhance(FileTask(str(source), str(target), overwrite=True)).report is not None


def test_a_path_that_a_node_does_not_see_is_said_with_its_name(worker: Worker, tmp_path: Path) -> None:
    result = worker.enhance(FileTask(str(tmp_path / "none.mp4"), str(tmp_path / "out.mp4")))
    assert result.error is not None
    assert str(on_node(result.error, "n7")).endswith(
        "none.mp4 does not exist here; all nodes must see it at this path (on node n7)"
    )


def test_a_full_disk_is_said_with_the_name_of_the_node(
    worker: Worker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = clip(tmp_path / "in.mp4"), tmp_path / "out.mp4"

    def full(self: PartFile) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(PartFile, "sync", full)
    result = worker.enhance(FileTask(str(source), str(target)))
    assert result.error is not None
    text = str(on_node(result.error, "n7"))
    assert "No space left on device" in text
    assert "(on node n7)" in text
    assert not target.exists()


def test_errors_travel(worker: Worker, tmp_path: Path) -> None:
    import pickle

    result = worker.enhance(FileTask(str(tmp_path / "none.mp4"), str(tmp_path / "out.mp4")))
    assert str(pickle.loads(pickle.dumps(result)).error) == str(result.error)


def test_an_output_that_somebody_else_is_writing_stays_theirs(worker: Worker, tmp_path: Path) -> None:
    source, target = clip(tmp_path / "in.mp4"), tmp_path / "out.mp4"
    with PartFile(target):
        result = worker.enhance(FileTask(str(source), str(target), overwrite=True))
    assert "is being written by" in str(result.error)
    assert not target.exists()


def test_a_file_that_changes_while_it_is_read(worker: Worker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = clip(tmp_path / "in.mp4"), tmp_path / "out.mp4"

    class Changing(Counting):
        def close(self) -> None:
            os.utime(source, (1, 1))

    monkeypatch.setattr(worker, "_enhancer", lambda options: Changing())
    result = worker.enhance(FileTask(str(source), str(target)))
    assert isinstance(result.error, SourceError)
    assert "changed while it was read" in str(result.error)


def test_segments_that_are_there_are_not_done_again(worker: Worker, tmp_path: Path) -> None:
    source, target = clip(tmp_path / "in.mp4", count=RATE * SECONDS, rate=RATE), tmp_path / "out.mp4"
    task = FileTask(str(source), str(target), segment_seconds=PARTS)
    plan = worker.enhance(task).plan
    assert plan is not None
    assert worker.segment(task, plan, 1).report is not None
    assert worker.segment(task, plan, 1).skipped
    # A driver that was killed plans again, and finds it.
    result = whole(worker, FileTask(str(source), str(target), segment_seconds=PARTS, resume=True))
    assert result.report is not None
    assert result.report.frames == RATE * SECONDS
    assert read_clip(target)[0] == regular(1)[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "in.mp4", "out.mp4"]


def test_what_a_run_without_segments_began_is_continued_without(worker: Worker, tmp_path: Path) -> None:
    source, target = clip(tmp_path / "in.mp4", count=RATE * SECONDS, rate=RATE), tmp_path / "out.mp4"
    part_path(target).touch()
    task = FileTask(str(source), str(target), segment_seconds=PARTS, resume=True)
    assert worker.enhance(task).plan is None


@pytest.fixture(scope="module")
def store_thread() -> None:
    """Starts the thread that all stores share, and that lives as long as the process: no test leaves it behind."""
    pytest.importorskip("fsspec.asyn", reason="the extra 'cluster' is not installed").get_loop()


@pytest.fixture
def bucket(store_thread: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An address in a bucket of an S3 server on this machine; it stops asking who one is after a few requests."""
    pytest.importorskip("moto.server", reason="moto is not installed; the extra 'dev' brings it")
    pytest.importorskip("s3fs", reason="s3fs is not installed; the extra 'dev' brings it")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    for name, value in {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if not probe.connect_ex(("127.0.0.1", port)):
                    break
            time.sleep(0.1)
        import fsspec.asyn
        import s3fs

        threads = ThreadPoolExecutor()
        fsspec.asyn.get_loop().set_default_executor(threads)
        s3fs.S3FileSystem.clear_instance_cache()
        s3fs.S3FileSystem().mkdir("night")
        yield "s3://night"
        s3fs.S3FileSystem.clear_instance_cache()
        threads.shutdown()
    finally:
        server.kill()
        server.wait()


def test_from_a_bucket_into_a_bucket(bucket: str, worker: Worker, tmp_path: Path) -> None:
    import s3fs

    store = s3fs.S3FileSystem()
    short, long = clip(tmp_path / "short.mp4"), clip(tmp_path / "long.mp4", count=RATE * SECONDS, rate=RATE)
    for path in (short, long):
        store.put_file(str(path), f"night/in/{path.name}")
    assert [(name, size) for name, size, _ in listing(f"{bucket}/in")] == [
        (f"{bucket}/in/{path.name}", path.stat().st_size) for path in (long, short)
    ]
    tasks = [
        FileTask(f"{bucket}/in/{name}.mp4", f"{bucket}/out/{name}.mp4", manifest=True, segment_seconds=PARTS)
        for name in ("short", "long")
    ]
    for task, count in zip(tasks, (8, RATE * SECONDS)):
        result = whole(worker, task)
        assert result.error is None
        assert result.report is not None
        store.get_file(task.target.removeprefix("s3://"), str(tmp_path / "got.mp4"))
        assert len(read_clip(tmp_path / "got.mp4")) == count
    names = sorted(name for name, _, _ in listing(f"{bucket}/out"))
    written = ("long.mp4", "long.mp4.manifest.json", "short.mp4", "short.mp4.manifest.json")
    assert names == [f"{bucket}/out/{name}" for name in written], "segments and unfinished uploads are gone"
    # A second time: refused, skipped, replaced.
    assert "exists" in str(worker.enhance(tasks[0]).error)
    assert worker.enhance(FileTask(tasks[0].source, tasks[0].target, skip_existing=True, overwrite=True)).skipped
    assert worker.enhance(FileTask(tasks[0].source, tasks[0].target, overwrite=True)).report is not None
    store.put_file(str(long), "night/in/short.mp4")
    changed = worker.enhance(FileTask(tasks[0].source, tasks[0].target, skip_existing=True, overwrite=True))
    assert not changed.skipped, "its source is another one now"


def test_a_bucket_without_permission_is_one_line(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import s3fs

    s3fs.S3FileSystem().pipe_file("night/in.mp4", b"dark")
    # From now on only the requests of users that the server knows are answered.
    endpoint = os.environ["AWS_ENDPOINT_URL"]
    text = {"Content-Type": "text/plain"}
    reset = urllib.request.Request(f"{endpoint}/moto-api/reset-auth", data=b"0", headers=text, method="POST")
    with urllib.request.urlopen(reset) as answer:
        assert answer.status == 200
    with pytest.raises(SourceError, match=r"s3://night/in\.mp4 cannot be read: .*") as caught:
        Cache(str(tmp_path)).source(f"{bucket}/in.mp4")
    assert "\n" not in str(caught.value)
    with (
        pytest.raises(SinkError, match=r"s3://night/out\.mp4 cannot be written: .*"),
        Cache(str(tmp_path)).target(f"{bucket}/out.mp4") as target,
    ):
        target.write_bytes(b"bright")
