"""What ``preview`` and ``live`` share: a live source into a window and other outputs, and how it went."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from realtime.cli import options
from realtime.cli.results import ProgressListener, ResultCollector, progress_bar
from realtime.cli.terminal import error_line
from realtime.errors import RealtimeError, SettingError, SourceLost

if TYPE_CHECKING:
    from realtime.config import EnhanceOptions
    from realtime.control import Control, Playback
    from realtime.events import Event, EventBus
    from realtime.frame import StreamInfo
    from realtime.processor import Processor
    from realtime.report import Report
    from realtime.sinks.base import Sink
    from realtime.sinks.recording import Recording
    from realtime.sources.base import Source

#: Seconds between two events about dropped frames at least.
DROPS_INTERVAL = 1.0


def run_live(command: str, args: argparse.Namespace, source: Source, playback: Playback | None = None) -> int:
    """Runs the pipeline until it ends; returns the exit code."""
    from realtime.control import Control, ControlState
    from realtime.pipeline import run

    results = ResultCollector(command, args)
    lines = getattr(args, "json_lines", False)
    if lines and args.json:
        raise SettingError("--json and --json-lines would mix on stdout; give one of them")
    # Closed in any case: a camera's light must not stay on.
    with closing(source), progress_bar(source.info.name, args) as listener:
        source.info.diagnostics.subscribe(listener.on_message)
        if lines:
            source.info.events.subscribe(_print_event)
        wanted = options.enhance_options(args)
        control = Control(ControlState(strength=wanted.strength, exposure=wanted.exposure, engine=wanted.engine))
        outputs = _outputs(args, source, control, playback)
        progress = _progress(listener, outputs, source.info.events)
        report, error, interrupted = None, None, False
        try:
            report = run(source, _processor(args, wanted, control, source.info), outputs, progress=progress)
        except KeyboardInterrupt:
            interrupted = True
        except RealtimeError as failure:
            error = failure
        report = report or listener.last
        figures = {field: getattr(report, field, None) for field in ("frames", "dropped", "seconds", "latency_ms")}
        source.info.events.publish(
            "closed", interrupted=interrupted, error=error and error_line(error, args), **figures
        )
    recording = _recording_of(outputs)
    # A recording that could not be opened left no file.
    recorded = None if recording is None else recording.path
    output = str(recorded) if recorded is not None and recorded.exists() else None
    results.add(source.info.name, output, listener, report, error, interrupted)
    results.finish(interrupted=interrupted)
    if interrupted:
        raise KeyboardInterrupt
    if error is not None:
        return exit_code_of(error)
    # Damage on the way from a camera is no failure of the program; in a file it is, as is a recording that ended early.
    damaged = results.damaged and playback is not None
    return 1 if damaged or (recording is not None and recording.failure is not None) else 0


def exit_code_of(error: RealtimeError) -> int:
    """As for other commands: 2 wrong usage, 3 a source that was lost, 1 anything else."""
    return 2 if isinstance(error, SettingError) else 3 if isinstance(error, SourceLost) else 1


def _processor(args: argparse.Namespace, wanted: EnhanceOptions, control: Control, info: StreamInfo) -> Processor:
    """The enhancer; if TensorFlow has to load, exposure alone meanwhile, where these weights work behind it."""
    from realtime.enhance.autoselect import loads_tensorflow
    from realtime.enhance.exposure.memory import denoise_frames
    from realtime.enhance.quick_start import QuickStart

    def make() -> Processor:
        return options.make_enhancer(args).with_control(control)

    if wanted.exposure == "off" or wanted.weights is not None or not loads_tensorflow(wanted, info):
        return make()
    return QuickStart(make, control, denoise_frames(wanted.denoise, True))


def _outputs(args: argparse.Namespace, source: Source, control: Control, playback: Playback | None) -> list[Sink]:
    """The sinks that the options ask for; what shows the picture comes first, as its delay is reported."""
    from realtime.enhance.engines.registry import engine_names
    from realtime.sinks.base import Discard

    recording = _recording(args)
    outputs: list[Sink] = []
    if not getattr(args, "no_window", False):
        outputs.append(_window(args, source, control, playback, recording))
    if address := getattr(args, "serve", None):
        from realtime.sinks.page import Page
        from realtime.sinks.page.access import parse_address

        outputs.append(Page(*parse_address(address), control, args.token, engine_names()[1:]))
    if getattr(args, "virtual_camera", False):
        from realtime.sinks.virtual_camera import VirtualCamera

        outputs.append(VirtualCamera())
    if recording is not None:
        outputs.append(recording)
    return outputs or [Discard()]


def _window(
    args: argparse.Namespace, source: Source, control: Control, playback: Playback | None, recording: Recording | None
) -> Sink:
    from realtime.enhance.engines.registry import engine_names
    from realtime.sinks.viewer import Actions, Viewer
    from realtime.sinks.window import Window

    names = engine_names()[1:]

    def next_engine() -> str:
        asked, report = control.state.engine, viewer.report
        current = report.engine if asked not in names and report is not None else asked
        name = names[(names.index(current) + 1) % len(names)] if current in names else names[0]
        control.update(engine=name)
        return ""  # the session says when it is there

    def toggle_recording() -> str:
        assert recording is not None
        return "recording" if recording.toggle() else "recording stopped"

    actions = Actions(next_engine=next_engine, toggle_recording=toggle_recording if recording else None)
    viewer = Viewer(control, source.info.link, playback, actions)
    return Window(viewer, f"realtime: {source.info.name}")


def _recording(args: argparse.Namespace) -> Recording | None:
    """The recording, started or not yet; None where the command has none, or nothing could start it."""
    if not hasattr(args, "record") or (args.record is None and args.no_window):
        return None
    from realtime.errors import SinkError
    from realtime.media.containers import SAFEST_SUFFIX, VIDEO_OUTPUT_SUFFIXES, container_for
    from realtime.sinks.recording import Recording, dated_path
    from realtime.sinks.registry import open_sink

    encoding, chosen = options.encoding_options(args), args.record
    every = None if args.record_every is None else args.record_every * 60
    folder = Path() if chosen is None else chosen if chosen.is_dir() or not chosen.suffix else chosen.parent
    if not folder.is_dir():
        raise SinkError(f"the folder {folder} does not exist; create it first")
    named = chosen is not None and chosen != folder
    single = named and every is None
    suffix, stem = (chosen.suffix, chosen.stem) if named else (SAFEST_SUFFIX, "")
    is_video = suffix.lower() in VIDEO_OUTPUT_SUFFIXES
    if args.strict and is_video and not container_for(Path(f"a{suffix}")).frame_times:
        kind = suffix.removeprefix(".").upper()
        raise SettingError(f"{kind} holds no time for each frame, which --strict refuses; record to .mkv")
    if single:
        open_sink(chosen, encoding, overwrite=args.overwrite)  # what is wrong with it is an error now

    def make(number: int) -> tuple[Path, Sink]:
        # First the file that was named; with a date when recording is started again, or in pieces from the beginning.
        path = chosen if single and not number else dated_path(folder, suffix, stem=stem)
        return path, open_sink(path, encoding, overwrite=args.overwrite)

    return Recording(make, every, active=chosen is not None)


def _recording_of(outputs: list[Sink]) -> Recording | None:
    from realtime.sinks.recording import Recording

    return next((output for output in outputs if isinstance(output, Recording)), None)


def _progress(listener: ProgressListener, outputs: list[Sink], events: EventBus) -> Callable[[Report], None]:
    """Passes reports on to the progress bar and to what shows figures; new drops become events."""
    shown = [output.set_status for output in outputs if hasattr(output, "set_status")]
    reported, at = 0, 0.0

    def progress(report: Report) -> None:
        nonlocal reported, at
        listener(report)
        for set_status in shown:
            set_status(report)
        if report.dropped > reported and report.seconds >= at + DROPS_INTERVAL:
            events.publish("dropped", frames=report.dropped - reported, total=report.dropped)
            reported, at = report.dropped, report.seconds

    return progress


def _print_event(event: Event) -> None:
    print(json.dumps(event.as_json()), flush=True, file=sys.stdout)
