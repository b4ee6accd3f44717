"""``realtime live``: a camera, enhanced, in a window, and recorded if wanted."""

from __future__ import annotations

import argparse
from pathlib import Path

from realtime.cli import options


def add(commands: options.Subparsers) -> None:
    parser = commands.add_parser("live", help="enhance a camera as it happens (q ends)")
    about = "camera number or path, rtsp:// or http:// address, or a file, which plays at its own pace (default: 0)"
    parser.add_argument("source", nargs="?", default="0", metavar="SOURCE", help=about)
    parser.add_argument("--record", type=Path, metavar="FILE", help="write what is shown to a file as well")
    parser.add_argument("--no-window", action="store_true", help="show nothing")
    parser.add_argument("--duration", type=options.seconds, metavar="SECONDS", help="stop after that much")
    parser.add_argument("--overwrite", action="store_true", help="replace a recording that exists")
    options.add_encoder(parser)
    options.add_codec(parser)
    options.add_engine(parser)
    options.add_output(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    from realtime.cli.live_run import play
    from realtime.sinks.base import Discard, Sink
    from realtime.sinks.registry import open_sink
    from realtime.sinks.window import Window, check_display
    from realtime.sources.limited import Limited
    from realtime.sources.registry import open_source

    record: Sink | None = None
    if not chosen.no_window:
        check_display()
    if chosen.record is not None:
        record = open_sink(
            chosen.record,
            overwrite=chosen.overwrite,
            options=dict(chosen.encoder_options or ()),
            **options.encoding(chosen),
        )
    source = open_source(chosen.source, paced=True)
    if chosen.duration is not None:
        source = Limited(source, chosen.duration)
    sink: Sink = Discard() if chosen.no_window else Window(f"realtime: {source.info.name}")
    if chosen.no_window and record is not None:
        sink, record = record, None

    return play("live", chosen, source, sink, record, chosen.record)
