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
from realtime.errors import SourceError
from realtime.frame import Frame
from realtime.outputs import make_outputs, session_format
from realtime.processor import Processor, Refreshes
from realtime.report import Report, RunStats
from realtime.sinks.base import Sink, StopsEarly
from realtime.sources.base import Source


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
        session = processor.session(info, session_format(formats))
        stack.callback(session.close)
        # Two batches in flight keep the worker busy; more would only add delay to live and memory to files.
        depth = 2 * session.batch
        captured = Channel[Frame](1 if info.live else depth, evict=info.live)
        if info.live and isinstance(session, Refreshes):
            session.watch(captured.wake)
        outs = make_outputs(sinks, formats, info, depth)
        left = None if info.frames is None else max(info.frames - skip, 0)
        drops = {out.name: lambda channel=out.channel: channel.dropped for out in outs}
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

        def refresh() -> None:
            again = session.refresh() if isinstance(session, Refreshes) else None
            for out in outs:
                if again is not None and out.sink.may_drop:
                    out.channel.put(again)

        def process() -> None:
            skipped = 0
            try:
                while (frames := captured.take(min(session.batch, skip - skipped or session.batch))) != []:
                    if frames is None:  # woken: what stands still may have to be made anew
                        refresh()
                        continue
                    if skipped < skip:
                        session.skip(frames)
                        skipped += len(frames)
                        continue
                    for frame in session.process(frames):
                        for out in outs:
                            out.channel.put(frame)
            finally:
                for out in outs:
                    out.channel.close()

        def stop() -> None:
            for sink in sinks:
                if not ended and isinstance(sink, StopsEarly):
                    sink.stop_early()
            source.stop()
            captured.close(discard=not info.live)

        def cancel() -> None:
            source.stop()
            for channel in (captured, *(out.channel for out in outs)):
                channel.cancel()

        interrupted = stack.enter_context(on_interrupt(stop, cancel))
        for out in outs:
            stack.enter_context(out.sink)
            out.sink.open(replace(info, format=out.format))
        main = next((out for out in outs if out.is_window), outs[0])
        with ThreadGroup(cancel) as group:
            group.start("capture", capture)
            group.start("process", process)
            for out in outs:
                if out is not main:
                    group.start(f"write {out.name}", partial(out.write_all, stats.add, stop))
            group.run(partial(main.write_all, stats.add, stop))
        if interrupted() and not finish:
            stats.report(final=True)  # no report is returned, so this is the last word
            raise KeyboardInterrupt  # the outputs are aborted
    if interrupted():
        stats.report(final=True)
        raise KeyboardInterrupt
    if lost:
        raise lost[0]
    return stats.report(final=True)
