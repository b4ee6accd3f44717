"""Which file goes where: inputs as the user names them, outputs as the user expects them."""

from __future__ import annotations

import glob
from pathlib import Path

from realtime.capture.source import IMAGES
from realtime.errors import SettingError, SinkError, SourceError

#: What a folder is searched for, besides images.
VIDEOS = frozenset({".mp4", ".mkv", ".mov", ".m4v", ".avi", ".ts", ".mts", ".webm", ".mpg", ".3gp", ".wmv", ".flv"})
#: Containers that take H.264 with exact timestamps; any other input becomes Matroska, which takes anything.
KEPT = IMAGES | {".mp4", ".mkv", ".mov", ".m4v", ".ts"}
MARK = "_enhanced"


def plan(inputs: list[str], output: Path | None) -> list[tuple[Path, Path]]:
    """Pairs of input and output. With several inputs or a folder, `output` is a folder and is created.

    Raises SourceError for a folder or pattern that holds nothing, SinkError when the folder cannot be made, and
    SettingError when two inputs would go to one output.
    """
    sources = [path for text in inputs for path in _expand(text)]
    into_folder = output is not None and (len(sources) > 1 or output.is_dir() or any(Path(i).is_dir() for i in inputs))
    if output is not None and into_folder:
        try:
            output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SinkError(f"the folder {output} cannot be created: {error.strerror}") from error
    pairs = []
    for source in sources:
        suffix = source.suffix if source.suffix.lower() in KEPT else ".mkv"
        if output is None:
            pairs.append((source, source.with_name(source.stem + MARK + suffix)))
        else:
            pairs.append((source, output / (source.stem + suffix) if into_folder else output))
    targets = [target for _, target in pairs]
    for target in targets:
        if targets.count(target) > 1:
            raise SettingError(f"two inputs would both be written to {target}; enhance them into different folders")
    return pairs


def _expand(text: str) -> list[Path]:
    path = Path(text).expanduser()
    if path.is_dir():
        # What an earlier call left beside its input is no input.
        found = [p for p in sorted(path.iterdir()) if _wanted(p) and not p.stem.endswith(MARK)]
        if not found:
            raise SourceError(f"{text} holds no video and no image")
        return found
    if path.exists() or not glob.has_magic(text):
        return [path]
    matches = [Path(match) for match in sorted(glob.glob(text, recursive=True)) if _wanted(Path(match))]
    if not matches:
        raise SourceError(f"{text} matches no video and no image")
    return matches


def _wanted(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in IMAGES | VIDEOS and not path.name.startswith(".")
