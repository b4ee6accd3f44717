"""Which file goes where: inputs as the user names them, outputs as the user expects them."""

from __future__ import annotations

import argparse
import glob
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from realtime.cli.terminal import print_line
from realtime.errors import RealtimeError, SettingError, SinkError, SourceError
from realtime.media.containers import CONTAINERS, IMAGE_SUFFIXES, SAFEST_SUFFIX, VIDEO_INPUT_SUFFIXES
from realtime.media.paths import expand_user

#: Suffixes of containers that take H.264 with exact timestamps; any other input becomes Matroska.
KEPT_SUFFIXES = frozenset(suffix for kind in CONTAINERS if kind.h264 and kind.frame_times for suffix in kind.suffixes)
MEDIA_SUFFIXES = IMAGE_SUFFIXES | VIDEO_INPUT_SUFFIXES
#: Ends the stem of an output that lies beside its input.
MARK = "_enhanced"


@dataclass(frozen=True)
class IoPair:
    """An input and its output; `problem` is why this input cannot be enhanced, whatever happens to the others.

    `new_folder`: the output's folder may have to be created.
    """

    source: Path
    target: Path | None
    problem: RealtimeError | None = None
    new_folder: bool = False

    def prepare(self) -> Path:
        """Creates the output's folder and returns the output. Raises the `problem`, or SinkError."""
        if self.problem is not None or self.target is None:
            raise self.problem or SettingError(f"{self.source} has no output")
        if self.new_folder:
            try:
                self.target.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise SinkError(f"the folder {self.target.parent} cannot be created: {error.strerror}") from error
        return self.target


@dataclass
class IoPlan:
    """What to enhance, and inputs that are left out because they are results of others."""

    pairs: list[IoPair] = field(default_factory=list)
    left_out: list[Path] = field(default_factory=list)


def resolve_io(inputs: list[str], output: str | None, *, recursive: bool = False, lossless: bool = False) -> IoPlan:
    """Pairs of input and output. With several inputs or a folder, `output` is a folder.

    `recursive` looks into folders of folders and mirrors them in `output`. `lossless` codecs need Matroska. An input
    whose container changes keeps its suffix in the name, so that the name does not depend on what lies beside it:
    ``night.avi`` becomes ``night.avi.mkv``. Raises SettingError when `output` names a file but must be a folder.
    """
    plan = IoPlan()
    folder = None if output is None else _path(output)
    found = [entry for text in inputs for entry in _expand(text, recursive, folder, plan)]
    found = _without_results(found, plan)
    several = len(found) > 1 or any(os.path.isdir(_path(text)) for text in inputs)
    into_folder = folder is not None and (several or os.path.isdir(folder) or str(output).endswith(("/", os.sep)))
    if folder is not None and into_folder and not os.path.isdir(folder):
        if folder.suffix.lower() in MEDIA_SUFFIXES:
            count = f"{len(found)} inputs" if len(found) > 1 else "a folder as input"
            raise SettingError(f"-o {output} names a file, and there are {count}; name a folder")
        if os.path.exists(folder):
            raise SinkError(f"-o {output} is a file; several inputs need a folder")
    taken: dict[Path, Path] = {}
    for entry in found:
        pair = entry if entry.problem else _with_target(entry, folder, into_folder, lossless)
        target = pair.target
        if target is not None and pair.problem is None and taken.setdefault(target, pair.source) is not pair.source:
            text = f"{taken[target]} and {pair.source} would both be written to {target}; use different output folders"
            pair = replace(pair, problem=SettingError(text))
        plan.pairs.append(pair)
    return plan


def resolve_arguments(args: argparse.Namespace, inputs: list[str], output: str | None) -> IoPlan:
    """`resolve_io` with the options of ``enhance``. Says which inputs are left out, unless that would be said again."""
    plan = resolve_io(inputs, output, recursive=args.recursive, lossless=args.codec == "ffv1")
    if not args.watch and not args.quiet:
        for path in plan.left_out:
            print_line(f"realtime: {path}: left out, it is the result of another input", error=True)
    return plan


def output_name(source: PurePath, lossless: bool) -> tuple[str, str]:
    """Stem and suffix of the output for an input of that name."""
    suffix = source.suffix.lower()
    same = suffix in IMAGE_SUFFIXES or (suffix in KEPT_SUFFIXES and not lossless)
    return (source.stem, source.suffix) if same else (source.name, SAFEST_SUFFIX)


def _with_target(pair: IoPair, output: Path | None, into_folder: bool, lossless: bool) -> IoPair:
    """The pair with its output; until then `target` is the folder below the input's in which it was found."""
    source, below = pair.source, pair.target or Path()
    stem, new_suffix = output_name(source, lossless)
    if output is None:
        return replace(pair, target=source.with_name(f"{stem}{MARK}{new_suffix}"))
    if into_folder:
        return replace(pair, target=output / below / f"{stem}{new_suffix}", new_folder=True)
    kinds = ["an image" if s.lower() in IMAGE_SUFFIXES else "a video" for s in (source.suffix, output.suffix)]
    if kinds[0] != kinds[1]:
        text = f"{source} is {kinds[0]}, and {output} would be {kinds[1]}; choose an output of the same kind"
        return replace(pair, target=output, problem=SettingError(text))
    return replace(pair, target=output)


def _expand(text: str, recursive: bool, output: Path | None, plan: IoPlan) -> Iterator[IoPair]:
    """The files that an argument names; `target` is the folder below it that each lies in."""
    if "://" in text and not Path(text).exists():
        about = (
            "is an address; 'realtime live ADDRESS --record FILE' enhances and records a stream, --ray a bucket's files"
        )
        yield IoPair(Path(text), None, SourceError(f"{text} {about}"))
        return
    path = _path(text)
    try:
        if path.is_dir():
            yield from _in_folder(text, path, recursive, output)
        elif path.exists() or not glob.has_magic(text):
            yield IoPair(path, Path())
        else:
            yield from _matching(text, plan)
    except OSError as error:
        yield IoPair(path, None, SourceError(f"{text} cannot be read: {error.strerror}"))


def _in_folder(text: str, path: Path, recursive: bool, output: Path | None) -> Iterator[IoPair]:
    # What an earlier call left beside its input, or in a folder below it, is no input.
    own = output.resolve() if output is not None else None
    inside = sorted(path.rglob("*") if recursive else path.iterdir())
    media = [file for file in inside if _is_media(file) and own not in file.resolve().parents]
    files = [file for file in media if not file.stem.endswith(MARK)]
    for file in files:
        below = file.parent.relative_to(path)
        yield IoPair(file, below)
    if not files:
        deeper = not recursive and any(_is_media(file) for file in path.rglob("*"))
        hint = "; folders below it do: -r takes them too" if deeper else ""
        results = f" but {len(media)} results of earlier calls" if media else ""
        yield IoPair(path, None, SourceError(f"{text} holds no video and no image{results}{hint}"))


def _matching(text: str, plan: IoPlan) -> Iterator[IoPair]:
    matches = [Path(match) for match in sorted(glob.glob(os.path.expanduser(text), recursive=True))]
    media = [match for match in matches if _is_media(match)]
    for file in media:
        if file.stem.endswith(MARK):
            plan.left_out.append(file)
        else:
            yield IoPair(file, Path())
    if not media:
        yield IoPair(Path(text), None, SourceError(f"{text} matches no video and no image"))


def _without_results(found: list[IoPair], plan: IoPlan) -> list[IoPair]:
    """Without files that are the result of another input: the shell expands ``n*.mp4`` to both."""
    stems = {(pair.source.parent, name) for pair in found for name in (pair.source.stem, pair.source.name)}
    results = {
        pair.source
        for pair in found
        if pair.source.stem.endswith(MARK) and (pair.source.parent, pair.source.stem.removesuffix(MARK)) in stems
    }
    plan.left_out += sorted(results)
    return [pair for pair in found if pair.source not in results]


def _path(text: str) -> Path:
    """The path that an argument means, also where it can be none: opening it says why."""
    try:
        return expand_user(text)
    except OSError:
        return Path(text)


def _is_media(path: Path) -> bool:
    return path.suffix.lower() in MEDIA_SUFFIXES and not path.name.startswith(".") and path.is_file()
