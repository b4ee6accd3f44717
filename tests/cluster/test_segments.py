"""A file that was cut, enhanced in segments and joined is the file that one run makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from doubles import Counting
from synthetic import clip, read_clip

from realtime import EncodingOptions, Frame, InputOverrides, SourceError, enhance_video
from realtime.cluster.segments import (
    SETTLE_SECONDS,
    any_segments,
    enhance_segment,
    join_segments,
    plan_segments,
    segment_path,
)
from realtime.cluster.tasks import FileTask, Plan
from realtime.media.job_tag import read_job
from realtime.media.libav import av

RATE, SECONDS, PARTS = 25, 31, 12


def cut(source: Path, target: Path, processor: Any, **options: Any) -> tuple[FileTask, Plan]:
    task = FileTask(str(source), str(target), segment_seconds=PARTS, **options)
    plan = plan_segments(task, source, target, lambda: processor)
    assert plan is not None
    return task, plan


def in_segments(source: Path, target: Path, processor: Any, **options: Any) -> Plan:
    """Enhances `source` in segments, the last one first, into `target`."""
    task, plan = cut(source, target, processor, **options)
    paths = [segment_path(target, plan, number) for number in range(plan.count)]
    reports = [
        enhance_segment(task, plan, number, source, paths[number], processor, lambda _: None, lambda _: None)
        for number in reversed(range(plan.count))
    ]
    report = join_segments(task, plan, source, target, paths, reports, lambda _: None)
    assert report.frames == len(plan.index.times)
    return plan


def described(path: Path) -> dict[str, Any]:
    """What must be equal in two files: streams, tags, and when each packet is due."""
    with av.open(str(path)) as container:
        streams = [
            (s.type, s.codec_context.name, s.time_base, s.start_time, s.duration, s.codec_context.extradata, s.metadata)
            for s in container.streams
        ]
        video = container.streams.video[0].codec_context
        colors = video.color_range, video.colorspace, video.color_primaries, video.color_trc, video.pix_fmt
        times: dict[int, list[Any]] = {}
        for packet in container.demux():
            if packet.size:
                about = (packet.pts, packet.duration) if packet.stream.type == "video" else (packet.pts, bytes(packet))
                times.setdefault(packet.stream.index, []).append(about)
        shown = times[container.streams.video[0].index]
        shown.sort()
        # In MP4 the frame that is decoded last lasts until the end, and which one that is is the encoder's choice.
        shown[-2:] = [(time, None) for time, _ in shown[-2:]]
        return {"streams": streams, "tags": dict(container.metadata), "colors": colors, "times": times}


def decoding_times(path: Path) -> list[int | None]:
    with av.open(str(path)) as container:
        return [packet.dts for packet in container.demux(video=0) if packet.size]


@pytest.mark.parametrize(
    ("suffix", "encoding"),
    [
        (".mp4", EncodingOptions()),
        (".mov", EncodingOptions(preset="ultrafast")),
        (".mkv", EncodingOptions()),
        (".ts", EncodingOptions()),
        (".mp4", EncodingOptions(codec="hevc", preset="ultrafast")),
        (".mp4", EncodingOptions(codec="av1", preset="ultrafast")),
        (".mkv", EncodingOptions(codec="vp9", preset="ultrafast")),
        (".mkv", EncodingOptions(codec="ffv1")),
        (".mp4", EncodingOptions(max_size_ratio=2)),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.codec} {value.preset} {value.max_size_ratio}",
)
def test_joined_segments_are_as_one_run(suffix: str, encoding: EncodingOptions, tmp_path: Path) -> None:
    source = clip(tmp_path / f"in{suffix}", count=RATE * SECONDS, rate=RATE, sound=True)
    alone, joined = tmp_path / f"alone{suffix}", tmp_path / f"joined{suffix}"
    enhance_video(source, alone, enhancer=Counting(), encoding=encoding)
    plan = in_segments(source, joined, Counting(), encoding=encoding)
    assert plan.count > 1
    assert described(joined) == described(alone)
    if encoding.codec != "vp9":  # whose hidden frames are counted otherwise
        assert decoding_times(joined) == decoding_times(alone)
    wanted = read_clip(alone)
    assert len(wanted) == RATE * SECONDS
    assert read_clip(joined) == wanted
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".") and "part" in path.name] == []


def test_irregular_times_and_durations_stay(tmp_path: Path) -> None:
    times = [index * 40 + (index * 7) % 13 for index in range(RATE * SECONDS)]
    source = clip(tmp_path / "in.mp4", count=len(times), times=times, time_base=Fraction(1, 1000))
    alone, joined = tmp_path / "alone.mp4", tmp_path / "joined.mp4"
    enhance_video(source, alone, enhancer=Counting())
    in_segments(source, joined, Counting())
    assert described(joined) == described(alone)


def test_each_frame_is_processed_once_after_the_session_has_settled(tmp_path: Path) -> None:
    source = clip(tmp_path / "in.mp4", count=RATE * SECONDS, rate=RATE)
    processor = Counting()
    plan = in_segments(source, tmp_path / "out.mp4", processor)
    settled = [[time for time in seen if time.startswith("skipped")] for seen in reversed(processor.seen)]
    processed = [time for seen in reversed(processor.seen) for time in seen if not time.startswith("skipped")]
    assert settled[0] == []
    for number in range(1, plan.count):
        assert len(settled[number]) == SETTLE_SECONDS * RATE
    assert len(processed) == RATE * SECONDS


def test_an_interrupted_segment_is_continued(tmp_path: Path) -> None:
    source, target = clip(tmp_path / "in.mp4", count=RATE * SECONDS, rate=RATE), tmp_path / "out.mp4"
    task, plan = cut(source, target, Counting())
    path = segment_path(target, plan, 1)

    class Failing(Counting):
        def process(self, frames: Sequence[Frame]) -> list[Frame]:
            if len(self.seen[-1]) > SETTLE_SECONDS * RATE + 6 * RATE:
                raise RuntimeError("killed")
            return super().process(frames)

    def once(processor: Counting) -> None:
        enhance_segment(task, plan, 1, source, path, processor, lambda _: None, lambda _: None)

    with pytest.raises(RuntimeError, match="killed"):
        once(Failing())
    assert not path.exists()
    second = Counting()
    once(second)
    again = [time for time in second.seen[0] if not time.startswith("skipped")]
    assert 0 < len(again) < len(plan.times(1)), "what the first try had encoded is kept"
    assert [time for time, _ in read_clip(path)] == [
        (time - plan.cuts[0]) * plan.index.time_base for time in plan.times(1)
    ]


@pytest.mark.parametrize("part", [{"start": 2.0}, {"duration": 25.0}])
def test_parts_of_files_and_short_files_are_not_cut(part: dict[str, float], tmp_path: Path) -> None:
    source, target = clip(tmp_path / "in.mp4", count=RATE * SECONDS, rate=RATE), tmp_path / "out.mp4"
    task = FileTask(str(source), str(target), InputOverrides(**part), segment_seconds=PARTS)  # type: ignore[arg-type]
    assert plan_segments(task, source, target, Counting) is None
    task = FileTask(str(source), str(target), segment_seconds=SECONDS * 0.9)
    assert plan_segments(task, source, target, Counting) is None


def test_damaged_files_are_not_cut(tmp_path: Path) -> None:
    source, target = clip(tmp_path / "in.ts", count=RATE * SECONDS, rate=RATE), tmp_path / "out.ts"
    data = source.read_bytes()
    source.write_bytes(data[: len(data) // 2] + bytes(5000) + data[len(data) // 2 + 5000 :])
    task = FileTask(str(source), str(target), segment_seconds=PARTS)
    assert plan_segments(task, source, target, Counting) is None


def test_a_file_that_changes_is_not_joined(tmp_path: Path) -> None:
    source, target = clip(tmp_path / "in.mp4", count=RATE * SECONDS, rate=RATE), tmp_path / "out.mp4"
    task, plan = cut(source, target, Counting())
    paths = [segment_path(target, plan, number) for number in range(plan.count)]
    for number, path in enumerate(paths):
        enhance_segment(task, plan, number, source, path, Counting(), lambda _: None, lambda _: None)
    clip(source, count=RATE * SECONDS + 1, rate=RATE)
    with pytest.raises(SourceError, match="has changed since it was cut"):
        join_segments(task, plan, source, target, paths, [], lambda _: None)
    assert not target.exists()


def test_segments_of_another_job_have_other_names(tmp_path: Path) -> None:
    source, target = clip(tmp_path / "in.mp4", count=RATE * SECONDS, rate=RATE), tmp_path / "out [1].mp4"
    _, plan = cut(source, target, Counting())
    other = replace(plan, job=replace(plan.job, id="other"))
    paths = {segment_path(target, plan, 0), segment_path(target, other, 0), segment_path(target, plan, 1)}
    assert len(paths) == 3
    for path in paths:
        path.touch()
    assert set(any_segments(target)) == paths


def test_the_joined_file_is_known_as_done(tmp_path: Path) -> None:
    source, target = clip(tmp_path / "in.mp4", count=RATE * SECONDS, rate=RATE), tmp_path / "out.mp4"
    plan = in_segments(source, target, Counting(), manifest=True)
    assert read_job(target) == plan.job.id
    assert target.with_name("out.mp4.manifest.json").exists()
