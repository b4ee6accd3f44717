"""``realtime enhance``: files in, enhanced files out."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from realtime.cli import options
from realtime.cli.results import Outcome, Watch, watching
from realtime.errors import RealtimeError, SettingError, SourceError

if TYPE_CHECKING:
    from realtime.cli.io_pairs import Pair
    from realtime.enhance.enhancer import Enhancer
    from realtime.report import Report

log = logging.getLogger("realtime")
EPILOG = "With several inputs, or a folder, OUT is a folder; it is created, and the names are kept."


def add(commands: options.Subparsers) -> None:
    parser = commands.add_parser("enhance", help="enhance video files and images", epilog=EPILOG)
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="files, folders, glob patterns")
    parser.add_argument("-o", "--output", type=Path, metavar="OUT", help="default: NAME_enhanced.EXT beside the input")
    parser.add_argument("-r", "--recursive", action="store_true", help="folders in folders, mirrored in OUT")
    parser.add_argument("--watch", action="store_true", help="wait for files to arrive in the folders; Ctrl-C ends")
    there = parser.add_mutually_exclusive_group()
    there.add_argument("--overwrite", action="store_true", help="replace outputs that exist")
    there.add_argument(
        "--skip-existing", action="store_true", help="leave inputs alone whose output is there and as long"
    )
    parser.add_argument("--resume", action="store_true", help="continue what an interrupted run left unfinished")
    parser.add_argument("--manifest", action="store_true", help="write a record with checksums beside each output")
    parser.add_argument("--start", type=options.seconds, metavar="SECONDS", help="skip what is before")
    parser.add_argument("--duration", type=options.seconds, metavar="SECONDS", help="stop after that much")
    options.add_encoder(parser)
    options.add_codec(parser)
    options.add_reading(parser)
    options.add_engine(parser)
    options.add_output(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    outcome = Outcome("enhance", chosen)
    enhancer = cache(lambda: options.make_enhancer(chosen))
    if chosen.watch:
        chosen.skip_existing, chosen.resume = not chosen.overwrite, True
        return _all(chosen, outcome, enhancer, _wanted(chosen, _watched(chosen), outcome), 1)
    pairs = list(_wanted(chosen, _plan(chosen), outcome))
    code = _all(chosen, outcome, enhancer, pairs, len(pairs))
    return 2 if len(pairs) == 1 and isinstance(outcome.last_error, SettingError) else code


def _all(
    chosen: argparse.Namespace,
    outcome: Outcome,
    enhancer: Callable[[], Enhancer],
    pairs: Iterable[Pair],
    count: int,
) -> int:
    """Enhances one after another; one that fails does not keep the others from being done."""
    try:
        for place, pair in enumerate(pairs):
            with watching(pair.source.name, chosen, place, count) as watch:
                try:
                    report = _one(chosen, pair, enhancer, watch)
                except RealtimeError as error:
                    outcome.add(pair.source, pair.target, watch.last, error)
                except KeyboardInterrupt:
                    outcome.add(pair.source, pair.target, watch.last, interrupted=True)
                    frames = watch.last.frames if watch.last else 0
                    kept = f"{pair.target} is playable, with {frames} frames of this run"
                    raise KeyboardInterrupt(kept if frames else "nothing was written") from None
                else:
                    outcome.add(pair.source, pair.target, report)
    except KeyboardInterrupt:
        outcome.finish(interrupted=True)
        raise
    outcome.finish()
    return 1 if outcome.last_error or outcome.damaged else 0


def _one(chosen: argparse.Namespace, pair: Pair, enhancer: Callable[[], Enhancer], watch: Watch) -> Report:
    from realtime.api import enhance_video

    return enhance_video(
        pair.source,
        pair.target,
        enhancer=enhancer,
        start=chosen.start,
        duration=chosen.duration,
        reading=options.reading(chosen),
        overwrite=chosen.overwrite or (chosen.skip_existing and pair.target.exists()),
        resume=chosen.resume,
        manifest=chosen.manifest,
        encoder_options=dict(chosen.encoder_options or ()),
        progress=watch,
        **options.encoding(chosen),
    )


def _plan(chosen: argparse.Namespace) -> list[Pair]:
    from realtime.cli.io_pairs import plan

    return plan(chosen.inputs, chosen.output, recursive=chosen.recursive, lossless=chosen.codec == "ffv1")


def _watched(chosen: argparse.Namespace) -> Iterable[Pair]:
    from realtime.cli.watch_folder import arrivals

    folders = [name for name in chosen.inputs if Path(name).is_dir()]
    if folders != chosen.inputs:
        raise SettingError("--watch waits at folders; give it nothing else")

    def look() -> list[Pair]:
        try:
            return _plan(chosen)
        except SourceError:
            return []  # Nothing there yet.

    return arrivals(look)


def _wanted(chosen: argparse.Namespace, pairs: Iterable[Pair], outcome: Outcome) -> Iterator[Pair]:
    """Without those that --skip-existing leaves alone: whose output is there, and not just a part of it."""
    from realtime.media.time_range import reaches
    from realtime.sources.base import IMAGES

    for pair in pairs:
        source, target = pair
        if not chosen.skip_existing or not target.exists():
            yield pair
        elif target.suffix.lower() not in IMAGES and not reaches(target, source, chosen.start, chosen.duration):
            log.warning("%s is shorter than %s, or cannot be read, and is made anew", target, source)
            yield pair
        else:
            outcome.skipped += 1
