"""``realtime enhance``: files in, enhanced files out."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable

from realtime.cli import options
from realtime.cli.arguments import seconds
from realtime.cli.cluster_batch import add_cluster_options, cluster_only, run_on_cluster
from realtime.errors import SettingError

EPILOG = "With several inputs, or a folder, OUT is a folder; it is created, and the names are kept."


def add(commands: options.Subparsers) -> None:
    parser = commands.add_parser("enhance", help="enhance video files and images", epilog=EPILOG)
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="files, folders, glob patterns")
    parser.add_argument("-o", "--output", metavar="OUT", help="default: NAME_enhanced.EXT beside the input")
    parser.add_argument("-r", "--recursive", action="store_true", help="folders in folders, mirrored in OUT")
    parser.add_argument("--watch", action="store_true", help="wait for files to arrive in the folders; Ctrl-C ends")
    existing = parser.add_mutually_exclusive_group()
    existing.add_argument("--overwrite", action="store_true", help="replace outputs that exist")
    about = "skip inputs whose output is whole and was made of them with these options; replace it otherwise"
    existing.add_argument("--skip-existing", action="store_true", help=about)
    parser.add_argument("--resume", action="store_true", help="continue what an interrupted run left unfinished")
    about = "after an interrupt give the short file its final name, instead of a part that --resume continues"
    parser.add_argument("--keep-partial", action="store_true", help=about)
    about = "print a line for each damaged place of the inputs: when, and what is wrong or missing"
    parser.add_argument("--list-damage", action="store_true", help=about)
    parser.add_argument("--manifest", action="store_true", help="write a record with checksums beside each output")
    parser.add_argument("--start", type=seconds, metavar="TIME", help="begin there: seconds, or 1:30.5")
    parser.add_argument("--duration", type=seconds, metavar="TIME", help="stop after this time")
    options.add_quality_options(parser)
    options.add_encoding_options(parser)
    options.add_input_options(parser)
    options.add_enhance_options(parser)
    add_cluster_options(parser)
    options.add_report_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from realtime.cli.batch import Batch
    from realtime.cli.io_pairs import IoPair, resolve_arguments
    from realtime.cli.watch_folder import watch_folder

    def list_pairs() -> list[IoPair]:
        return resolve_arguments(args, args.inputs, args.output).pairs

    if args.ray is None and (given := cluster_only(args)):
        raise SettingError(f"{given} is for clusters; add --ray")
    if args.watch:
        remote_allowed = args.ray is not None
        if any(not os.path.isdir(name) and not ("://" in name and remote_allowed) for name in args.inputs):
            raise SettingError("--watch waits at folders; give it nothing else")
        args.skip_existing, args.resume = not args.overwrite, True
    if args.ray is not None:
        return run_on_cluster(args)
    pairs: Iterable[IoPair]
    if args.watch:
        pairs, total = watch_folder(list_pairs), None
    else:
        listed = list_pairs()
        pairs, total = listed, len(listed)
    return Batch(args).run(pairs, total)
