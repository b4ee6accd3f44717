"""Which file goes where on a cluster: paths and fsspec addresses, once or as they arrive."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path, PurePosixPath
from stat import S_ISREG
from time import monotonic

from realtime.cli.io_pairs import MARK, MEDIA_SUFFIXES, IoPair, output_name, resolve_arguments
from realtime.cli.watch_folder import INTERVAL
from realtime.cluster.storage import absolute, exists, is_remote, listing
from realtime.errors import RealtimeError, SettingError, SourceError

#: A folder that is not there, in whose place a remote one stands.
STAND_IN = "/.realtime-remote-output"


@dataclass(frozen=True)
class ClusterPair:
    """An input and its output, each a path or an address; `problem` is why this input cannot be enhanced, whatever
    happens to the others. `state` changes when the input does; None where there is none."""

    source: str
    target: str | None
    problem: Exception | None = None
    state: tuple[int, str] | None = None
    new_folder: bool = False

    def prepare(self) -> tuple[str, str]:
        """Input and output as all nodes know them; creates the output's folder. Raises the `problem`, SourceError or
        SinkError."""
        if self.problem is not None or self.target is None:
            raise self.problem or SettingError(f"{self.source} has no output")
        source, target = absolute(self.source), absolute(self.target)
        if not is_remote(source) and not Path(source).exists():
            raise SourceError(f"{self.source} does not exist")
        if self.new_folder and not is_remote(target):
            IoPair(Path(source), Path(target), new_folder=True).prepare()
        return source, target


def list_pairs(args: argparse.Namespace) -> Iterator[ClusterPair]:
    """The pairs that the arguments of ``realtime enhance`` mean. Raises as `resolve_io` does.

    Remote inputs need an output, remote or not, which is a folder unless it has the suffix of a file.
    """
    output = args.output
    local = [text for text in args.inputs if not is_remote(text)]
    if output is None and len(local) < len(args.inputs):
        raise SettingError("remote inputs need a place for their outputs; give it with -o")
    found = [_local(args, local, output)] if local else []
    found += [_remote(args, address, output) for address in args.inputs if is_remote(address)]
    taken: dict[str, str] = {}
    for pair in chain.from_iterable(found):
        if pair.target is not None and taken.setdefault(pair.target, pair.source) != pair.source:
            text = f"{taken[pair.target]} and {pair.source} would both be written to {pair.target}"
            pair = replace(pair, problem=SettingError(f"{text}; use different output folders"))
        yield pair


def watch_pairs(args: argparse.Namespace) -> Iterator[ClusterPair | None]:
    """Each pair once its input has stopped growing, and again when it has changed since; None while there is nothing
    new. Never ends by itself."""
    seen: dict[str, tuple[int, str]] = {}
    taken: dict[str, tuple[int, str]] = {}
    while True:
        listed = monotonic()
        for pair in list_pairs(args):
            if pair.state is None or not pair.state[0]:
                continue
            if seen.get(pair.source) == pair.state != taken.get(pair.source):
                taken[pair.source] = pair.state
                yield pair
            seen[pair.source] = pair.state
        while monotonic() - listed < INTERVAL:
            yield None


def _local(args: argparse.Namespace, inputs: list[str], output: str | None) -> Iterator[ClusterPair]:
    remote = output if output is not None and is_remote(output) else None
    # For a remote output the names are those that a local folder would hold.
    folder = output if remote is None else STAND_IN
    if output is not None and (remote is not None or len(args.inputs) > 1):
        folder = f"{folder}/"
    plan = resolve_arguments(args, inputs, folder)
    for pair in plan.pairs:
        target = None if pair.target is None else str(pair.target)
        if remote is not None and target is not None:
            single = len(plan.pairs) == len(args.inputs) == 1 and _names_file(remote)
            target = remote if single else remote.rstrip("/") + target.removeprefix(STAND_IN)
        state = None  # for what is gone since it was listed, was never there, or is an empty folder
        with suppress(OSError):
            about = pair.source.stat()
            if S_ISREG(about.st_mode):
                state = about.st_size, str(about.st_mtime_ns)
        yield ClusterPair(str(pair.source), target, pair.problem, state, pair.new_folder)


def _remote(args: argparse.Namespace, address: str, output: str) -> Iterator[ClusterPair]:
    """The files at an address: one, or those of a folder."""
    single = False
    try:
        if _names_file(address):
            if not exists(address):
                raise SourceError(f"{address} does not exist")
            found: list[tuple[str, int, str]] = [(address, 0, "")]
            base, single = address.rpartition("/")[0], len(args.inputs) == 1 and _names_file(output)
        else:
            found = listing(address)
            base = _folder(address, [name for name, _, _ in found])
    except RealtimeError as error:
        yield ClusterPair(address, None, error)
        return
    media = [file for file in found if _is_media(file[0], base, args.recursive)]
    if not media:
        yield ClusterPair(address, None, SourceError(f"{address} holds no video and no image"))
    for name, size, mark in media:
        below = PurePosixPath(name.removeprefix(base).lstrip("/"))
        stem, suffix = output_name(below, args.codec == "ffv1")
        target = output if single else f"{output.rstrip('/')}/{below.with_name(stem + suffix)}"
        yield ClusterPair(name, target, None, (size, mark), new_folder=not single)


def _folder(address: str, names: list[str]) -> str:
    """The address of a folder as the files below it spell it: some file systems add a slash."""
    path = address.partition("://")[2].strip("/")
    return next((name[: name.index(path) + len(path)] for name in names if path in name), address)


def _is_media(name: str, base: str, recursive: bool) -> bool:
    below = PurePosixPath(name.removeprefix(base).lstrip("/"))
    hidden = any(part.startswith(".") for part in below.parts) or below.stem.endswith(MARK)
    return below.suffix.lower() in MEDIA_SUFFIXES and not hidden and (recursive or len(below.parts) == 1)


def _names_file(output: str) -> bool:
    return PurePosixPath(output).suffix.lower() in MEDIA_SUFFIXES
