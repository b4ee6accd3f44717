"""``realtime live``: a camera, enhanced as it happens: shown, recorded, served to browsers, handed to a video call."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from realtime.cli import options
from realtime.cli.arguments import positive_number, seconds, size
from realtime.config import LIVE_PRESET
from realtime.errors import SettingError, redacted_address

if TYPE_CHECKING:
    from realtime.control import Playback
    from realtime.sources.base import Source

ABOUT = "camera number, path or name; rtsp://, http:// or udp:// address; or a file at its own pace (default: 0)"


def add(commands: options.Subparsers) -> None:
    parser = commands.add_parser("live", help="enhance a camera as it happens (h in the window lists the keys)")
    parser.add_argument("source", nargs="?", metavar="SOURCE", help=ABOUT)
    options.add_source_file(parser)
    parser.add_argument("--no-window", action="store_true", help="show nothing on this machine")
    parser.add_argument("--serve", metavar="[HOST:]PORT", help="a page with the picture, for browsers")
    parser.add_argument("--token", help="the page's password (default: a random one if HOST is not this machine)")
    parser.add_argument("--virtual-camera", action="store_true", help="a camera that video calls can choose")
    parser.add_argument("--duration", type=seconds, metavar="SECONDS", help="stop after this time")
    parser.add_argument(
        "--give-up-after", type=seconds, metavar="SECONDS", help="end if the source stays lost for this time"
    )
    parser.add_argument(
        "--json-lines", action="store_true", help="print each event as a JSON object on a line of its own"
    )
    group = parser.add_argument_group("source")
    group.add_argument("--size", type=size, metavar="WxH", help="ask the camera for it")
    group.add_argument("--fps", type=positive_number, metavar="N", help="ask the camera for it")
    group.add_argument("--fourcc", metavar="CODE", help="ask the camera for it: MJPG, YUYV, ...")
    group.add_argument("--loop", action="store_true", help="start a file over at its end")
    group = parser.add_argument_group("recording")
    group.add_argument("--record", type=Path, metavar="FILE|FOLDER", help="record from the start")
    group.add_argument("--record-every", type=positive_number, metavar="MINUTES", help="a new file every so often")
    group.add_argument("--overwrite", action="store_true", help="replace a recording that exists")
    options.add_quality_options(parser, LIVE_PRESET)
    options.add_encoding_options(parser)
    options.add_input_options(parser)
    options.add_enhance_options(parser)
    options.add_report_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from realtime.cli.live_run import run_live
    from realtime.control import Playback

    if args.max_size_ratio is not None:
        raise SettingError("--max-size-ratio compares with the input's size, which a live source has not")
    if args.record_every is not None and args.no_window and args.record is None:
        raise SettingError("--record-every needs --record FOLDER here: without a window no key starts a recording")
    if args.token is not None and args.serve is None:
        raise SettingError("--token is for the page of --serve")
    address = options.source_address(args)
    if args.record is not None and Path(address).exists() and args.record.exists() and args.record.samefile(address):
        raise SettingError(f"{args.record} is the input; recording over it would destroy it")
    playback = Playback()
    source = open_live(address, args, playback)
    return run_live("live", args, source, playback if playback.length is not None else None)


def open_live(address: str, args: argparse.Namespace, playback: Playback) -> Source:
    """The source: a camera or stream that is opened again when it is lost, or a file that plays at its own pace."""
    from realtime.sources.limited import Limited
    from realtime.sources.reconnecting import Reconnecting
    from realtime.sources.registry import is_camera, open_source

    given = [f"--{name}" for name in ("size", "fps", "fourcc") if getattr(args, name) is not None]
    if given and not is_camera(address) and ("://" in address or Path(address).exists()):
        kind = "stream, which comes as it is" if "://" in address else "file, which is played as it is"
        raise SettingError(
            f"{' and '.join(given)} ask a camera of this machine; {redacted_address(address)} is a {kind}"
        )
    overrides = replace(options.input_overrides(args), size=args.size, rate=args.fps, fourcc=args.fourcc)

    def connect() -> Source:
        return open_source(address, overrides, paced=True, loop=args.loop, playback=playback)

    source = connect()
    if playback.length is None:  # no file
        connections = iter([source])
        source = Reconnecting(lambda: next(connections, None) or connect(), args.give_up_after)
    return source if args.duration is None else Limited(source, args.duration)
