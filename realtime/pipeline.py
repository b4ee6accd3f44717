"""The whole way of a frame: capture -> process -> write. Read this first.

A capture thread feeds a bounded channel; the worker takes what is there as one batch; each output has a channel and a
thread of its own, except that a window is served by the calling thread, because windows must be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from realtime.concurrency import Channel, ThreadGroup, on_interrupt
from realtime.errors import SourceError, StopStreaming
from realtime.frame import RGB, Frame
from realtime.media.pixel_formats import convert
from realtime.processor import Processor
from realtime.report import Report, RunStats
from realtime.sinks.base import Interactive, Sink, StopsEarly
from realtime.sources.base import Source

#: Frames that a recording may lag behind a live picture before capture has to drop some.
RECORDING_BACKLOG = 32


def run(
    source: Source,
    processor: Processor,
    outputs: Sink | Sequence[Sink],
    *,
    skip: int = 0,
    finish_early: bool | None = None,
    progress: Callable[[Report], None] | None = None,
) -> Report:
    """Processes every frame of `source` into all `outputs` and returns what happened.

    Files lose no frame: every hand-over waits. A live source drops the oldest frame, at capture only, and the report
    counts it; an output that `may_drop` skips frames rather than hold the others up. The first `skip` frames only
    advance the processor's state: an earlier run has written them.

    The first error of any stage is raised as it was, after all threads have ended and the outputs were aborted. Ctrl-C
    ends capture and raises KeyboardInterrupt; before that outputs are closed if `finish_early` (default: live sources),
    else aborted, which for a file keeps a part that can be resumed. A live source that fails closes its outputs and
    then raises its SourceError.
    """
    info, sinks = source.info, [outputs] if isinstance(outputs, Sink) else list(outputs)
    finish = info.live if finish_early is None else finish_early
    lost: list[SourceError] = []
    ended = False
    with ExitStack() as stack:
        stack.enter_context(source)
        formats = [sink.format_for(info) for sink in sinks]
        session = processor.session(info, next((f for f in formats if f != RGB), RGB))
        stack.callback(session.close)
        # Two batches in flight keep the worker busy; more would only add delay to live and memory to files.
        depth = 2 * session.batch
        captured = Channel[Frame](1 if info.live else depth, evict=info.live)
        # A window that is too slow skips frames; a recording may lag behind, but gets all that were captured.
        viewers = [info.live and sink.may_drop and len(sinks) > 1 for sink in sinks]
        backlog = max(depth, RECORDING_BACKLOG) if info.live else depth
        channels = [Channel[Frame](depth if viewer else backlog, evict=viewer) for viewer in viewers]
        names = [f"{sink.name} {i + 1}" if i else sink.name for i, sink in enumerate(sinks)]
        drops = {name: (lambda c=channel: c.dropped) for name, channel in zip(names, channels)}
        left = None if info.frames is None else max(info.frames - skip, 0)
        stats = RunStats(replace(info, frames=left), drops, session.describe, lambda: captured.dropped, progress)

        def capture() -> None:
            nonlocal ended
            try:
                for frame in source.frames():
                    captured.put(frame)
            except SourceError as error:
                if not info.live:
                    raise
                lost.append(error)  # what the camera filmed until then is kept
            ended = True
            captured.close()

        def process() -> None:
            left = skip
            try:
                while frames := captured.take(min(session.batch, left or session.batch)):
                    if left:
                        session.skip(frames)
                        left -= len(frames)
                        continue
                    for frame in session.process(frames):
                        for channel in channels:
                            channel.put(frame)
            finally:
                for channel in channels:
                    channel.close()

        def write(index: int) -> None:
            sink, channel, format = sinks[index], channels[index], formats[index]
            window = sink if isinstance(sink, Interactive) else None
            try:
                while (frames := channel.take(1, window.poll_interval if window else None)) != []:
                    for frame in frames or ():
                        sink.write(convert(frame, format))
                        stats.add(names[index], frame)
                    if window:
                        window.poll()
            except StopStreaming:
                channel.cancel()
                stop()

        def stop() -> None:
            for sink in sinks:
                if not ended and isinstance(sink, StopsEarly):
                    sink.stop_early()
            source.stop()
            captured.close(discard=not info.live)

        def cancel() -> None:
            source.stop()
            for channel in (captured, *channels):
                channel.cancel()

        interrupted = stack.enter_context(on_interrupt(stop, cancel))
        for sink, format in zip(sinks, formats):
            stack.enter_context(sink)
            sink.open(replace(info, format=format))
        main = next((i for i, sink in enumerate(sinks) if isinstance(sink, Interactive)), 0)
        with ThreadGroup(cancel) as group:
            group.start("capture", capture)
            group.start("process", process)
            for index in range(len(sinks)):
                if index != main:
                    group.start(f"write-{index}", partial(write, index))
            group.run(lambda: write(main))
        if interrupted() and not finish:
            stats.report(final=True)  # no report is returned, so this is the last word
            raise KeyboardInterrupt
    if interrupted():
        stats.report(final=True)
        raise KeyboardInterrupt
    if lost:
        raise lost[0]
    return stats.report(final=True)
