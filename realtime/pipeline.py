"""The whole way of a frame: capture -> enhance -> write. Read this first.

A capture thread feeds a bounded channel; the inference worker takes what is there as one batch; the writer runs in
the calling thread, because windows must. A recording beside a window has a channel and a thread of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from threading import Event

from realtime.capture.source import Source
from realtime.channel import Channel
from realtime.crew import Crew
from realtime.enhance.enhancer import Enhancer
from realtime.errors import Finished, SourceError
from realtime.frame import Frame
from realtime.interrupt import on_interrupt
from realtime.output.sink import Sink
from realtime.report import Report, Tally


def run(
    source: Source,
    enhancer: Enhancer,
    sink: Sink,
    *,
    record: Sink | None = None,
    progress: Callable[[Report], None] | None = None,
) -> Report:
    """Enhances every frame of `source` into `sink`, and into `record` if given; answers what happened.

    Files lose no frame: every hand-off waits. A live source drops the oldest frame, at capture only, and the report
    counts it; beside a recording the window skips pictures rather than hold the recording up. The first error of
    any stage is raised as it was, after all threads have ended and unfinished outputs were taken back. Ctrl-C ends
    capture, writes what was captured, closes the outputs properly and then raises KeyboardInterrupt; a live source
    that fails does the same with its SourceError.
    """
    info = source.info
    lost: list[SourceError] = []
    ended, cut = Event(), Event()
    with ExitStack() as stack:
        stack.enter_context(source)
        made = enhancer.prepare(sink.ask(info), rgb=sink.wants_rgb)
        # Two batches in flight keep the worker busy; more would only add delay to live and memory to files.
        room = 2 * enhancer.batch
        captured = Channel[Frame](1 if info.live else room, evict=info.live)
        shown = Channel[Frame](room, evict=info.live and record is not None)
        recorded = Channel[Frame](max(room, 32))
        outputs = [(sink, shown)] if record is None else [(record, recorded), (sink, shown)]
        tally = Tally(info, enhancer, dropped=lambda: captured.dropped, progress=progress)

        def capture() -> None:
            try:
                for frame in source.frames():
                    captured.put(frame)
            except SourceError as error:
                if not info.live:
                    raise
                lost.append(error)  # a camera that was unplugged: what it filmed until then is kept
            ended.set()
            captured.close()

        def enhance() -> None:
            try:
                while frames := captured.take(enhancer.batch):
                    for frame in enhancer.enhance(frames):
                        for _, channel in outputs:
                            channel.put(frame)
            finally:
                for _, channel in outputs:
                    channel.close()

        def write(target: Sink, channel: Channel[Frame]) -> None:
            try:
                while (frames := channel.take(1, target.pulse)) != []:
                    if frames is None:
                        target.idle()
                        continue
                    target.write(frames[0])
                    if target is sink:
                        tally.add(frames[0])
            except Finished:
                channel.cancel()
                stop()

        def stop() -> None:
            if not ended.is_set():
                cut.set()
                for target, _ in outputs:
                    target.cut()
            source.stop()
            captured.close()

        stack.enter_context(on_interrupt(stop))
        for target, _ in outputs:
            stack.enter_context(target)
            target.open(made)
        with Crew(source.stop, captured.cancel, shown.cancel, recorded.cancel) as crew:
            crew.start("capture", capture)
            crew.start("enhance", enhance)
            if record is not None:
                crew.start("record", lambda: write(record, recorded))
            crew.run(lambda: write(sink, shown))
        if cut.is_set():
            tally.report(final=True)  # An interrupt answers nothing; this is how far it came.
    if lost:
        raise lost[0]
    return tally.report(final=True)
