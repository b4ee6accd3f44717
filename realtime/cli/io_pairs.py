"""Which file goes where: inputs as the user names them, outputs as the user expects them."""

from __future__ import annotations

import glob
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from realtime.errors import SettingError, SinkError, SourceError
from realtime.sources.base import IMAGES

#: What a folder is searched for, besides images.
VIDEOS = frozenset(
    {".mp4", ".mkv", ".mov", ".m4v", ".avi", ".ts", ".mts", ".m2ts", ".webm", ".mpg", ".3gp", ".wmv", ".flv"}
)
#: Containers that take H.264 with exact timestamps; any other input becomes Matroska, which takes anything.
KEPT = IMAGES | {".mp4", ".mkv", ".mov", ".m4v", ".ts"}
MARK = "_enhanced"


class Pair(NamedTuple):
    """An input and its output."""

    source: Path
    target: Path


def plan(inputs: list[str], output: Path | None, *, recursive: bool = False, lossless: bool = False) -> list[Pair]:
    """Pairs of input and output. With several inputs or a folder, `output` is a folder and is created.

    `recursive` looks into folders of folders and mirrors them in `output`. `lossless` codecs need Matroska. Raises
    SourceError for a folder or pattern that holds nothing, SinkError when a folder cannot be made, and SettingError
    when two inputs would go to one output.
    """
    sources = [found for text in inputs for found in _expand(text, recursive, output)]
    into_folder = output is not None and (len(sources) > 1 or output.is_dir() or any(Path(i).is_dir() for i in inputs))
    pairs = []
    for source, below in sources:
        suffix = source.suffix.lower()
        keep = suffix in IMAGES or (suffix in KEPT and not lossless)
        name = source.stem + (source.suffix if keep else ".mkv")
        if output is None:
            pairs.append(Pair(source, source.with_name(Path(name).stem + MARK + Path(name).suffix)))
        elif not into_folder:
            pairs.append(Pair(source, output))
        else:
            pairs.append(Pair(source, output / below / name))
    # Two recordings of one name, of which one changes its container, are told apart by what they were.
    twice = {target for target, count in Counter(pair.target for pair in pairs).items() if count > 1}
    pairs = [_apart(pair) if pair.target in twice else pair for pair in pairs]
    for target, count in Counter(pair.target for pair in pairs).items():
        if count > 1:
            raise SettingError(f"two inputs would both be written to {target}; enhance them into different folders")
    if into_folder:
        for folder in {pair.target.parent for pair in pairs}:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise SinkError(f"the folder {folder} cannot be created: {error.strerror}") from error
    return pairs


def _expand(text: str, recursive: bool, output: Path | None) -> list[tuple[Path, Path]]:
    """The files that an argument names, each with the folder below it that it lies in."""
    path = Path(text).expanduser()
    if path.is_dir():
        # What an earlier call left beside its input, or in a folder below it, is no input.
        mine = output.resolve() if output is not None else None
        found = [
            (file, file.parent.relative_to(path))
            for file in sorted(path.rglob("*") if recursive else path.iterdir())
            if _wanted(file) and not file.stem.endswith(MARK) and mine not in file.resolve().parents
        ]
        if not found:
            raise SourceError(f"{text} holds no video and no image")
        return found
    if path.exists() or not glob.has_magic(text):
        return [(path, Path())]
    matches = [Path(match) for match in sorted(glob.glob(text, recursive=True)) if _wanted(Path(match))]
    if not matches:
        raise SourceError(f"{text} matches no video and no image")
    return [(match, Path()) for match in matches]


def _wanted(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in IMAGES | VIDEOS and not path.name.startswith(".")


def _apart(pair: Pair) -> Pair:
    """Keeps the suffix of before in a name whose suffix changed: night.avi becomes night.avi.mkv beside night.mkv."""
    if pair.source.suffix.lower() == pair.target.suffix.lower():
        return pair
    return pair._replace(target=pair.target.with_name(pair.target.stem + pair.source.suffix + pair.target.suffix))
