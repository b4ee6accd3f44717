"""Training and validation files: which there are, which may be trained on, which are held out, and their pictures."""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterable, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from zlib import crc32

import cv2
import numpy as np
import numpy.typing as npt

from realtime.errors import TrainingError
from realtime.media.containers import IMAGE_SUFFIXES, VIDEO_INPUT_SUFFIXES
from realtime.media.libav import av, open_file

log = logging.getLogger(__name__)
Floats = npt.NDArray[Any]

#: A table of this name says where the files below its folder come from and what they may be used for. Tab-separated,
#: with at least the columns `file` (path relative to the table) and `use`.
SOURCES_NAME = "SOURCES.tsv"
#: The value of `use` that allows training.
USE_FOR_TRAINING = "train"
#: Share of the files that is held out for validation.
HELD_OUT_SHARE = 0.12


def find_files(folders: Iterable[Path]) -> list[Path]:
    """All images and clips below `folders`, sorted. Raises TrainingError if there are none."""
    folders = list(folders)
    for folder in folders:
        if not folder.is_dir():
            raise TrainingError(f"{folder} is not a folder; name one that holds images or clips")
    suffixes = IMAGE_SUFFIXES | VIDEO_INPUT_SUFFIXES
    files = sorted({f for folder in folders for f in folder.rglob("*") if f.suffix.lower() in suffixes})
    if not files:
        names = ", ".join(str(folder) for folder in folders)
        raise TrainingError(f"no images or clips below {names}; looked for {', '.join(sorted(suffixes))}")
    return files


def find_training_files(folders: Iterable[Path]) -> list[Path]:
    """As `find_files`, without the files that a `SOURCES_NAME` does not allow for training.

    The table in the nearest folder above a file counts. What it does not list is not allowed. The log says how many
    files were left out. Raises TrainingError when none is left, or for a table without the columns.
    """
    files = find_files(folders)
    tables: dict[Path, dict[Path, str] | None] = {}
    allowed: list[Path] = []
    left_out: list[Path] = []
    for file in files:
        table = _nearest_table(file.resolve().parent, tables)
        use = USE_FOR_TRAINING if table is None else table.get(file.resolve(), "not listed")
        (allowed if use == USE_FOR_TRAINING else left_out).append(file)
    if left_out:
        log.warning(
            f"{len(left_out)} of {len(files)} files are left out: {SOURCES_NAME} does not list them with use "
            f"'{USE_FOR_TRAINING}' (the first is {left_out[0]})"
        )
    if not allowed:
        raise TrainingError(f"{SOURCES_NAME} allows none of the {len(files)} files for training")
    return allowed


def _nearest_table(folder: Path, tables: dict[Path, dict[Path, str] | None]) -> dict[Path, str] | None:
    """The uses by absolute path that the nearest table at or above `folder` states; None without a table."""
    if folder not in tables:
        path = folder / SOURCES_NAME
        if path.is_file():
            tables[folder] = _read_table(path)
        else:
            tables[folder] = None if folder == folder.parent else _nearest_table(folder.parent, tables)
    return tables[folder]


def _read_table(path: Path) -> dict[Path, str]:
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        if missing := {"file", "use"} - set(reader.fieldnames or ()):
            raise TrainingError(f"{path} has no column {', '.join(sorted(missing))}; it needs file and use")
        return {(path.parent / row["file"]).resolve(): row["use"].strip() for row in reader}


def split(files: Sequence[Path], hold_out: Sequence[str] = ()) -> tuple[list[Path], list[Path]]:
    """(training, held out). The checksum of a file's name decides, so adding files moves none to the other side.

    `hold_out` are glob patterns of names that are held out in any case.
    """

    def is_held_out(file: Path) -> bool:
        share = crc32(file.stem.encode()) % 1000 / 1000
        return share < HELD_OUT_SHARE or any(fnmatch(file.name, pattern) for pattern in hold_out)

    held_out = {file for file in files if is_held_out(file)}
    return [f for f in files if f not in held_out], [f for f in files if f in held_out]


def training_files(folders: Sequence[Path], hold_out: Sequence[str]) -> tuple[list[Path], list[Path]]:
    """Files to train on and to validate on, which are the same where no file is held out. Raises TrainingError."""
    training, held_out = split(find_training_files(folders), hold_out)
    if not training:
        raise TrainingError("every file is held out; give more files, or hold out fewer")
    return training, held_out or training


def read_image(path: Path) -> Floats:
    """The picture in a file, float32 RGB (H, W, 3) in 0..1. Raises TrainingError."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise TrainingError(f"{path} is not a readable image; remove or repair it")
    return picture[..., ::-1].astype(np.float32) / 255


def read_clip(path: Path, count: int, start: float = 0.0, skip: int = 0) -> list[Floats]:
    """`count` consecutive frames, float32 RGB (H, W, 3) in 0..1.

    Reading begins at the key frame before `start` (0..1 of the length), `skip` frames further. A clip that ends early
    repeats its last frame. Raises TrainingError.
    """
    frames: list[Floats] = []
    try:
        with open_file(path) as container:
            stream = container.streams.video[0]
            stream.thread_count = 1
            container.seek(int(start * (container.duration or 0)))
            for index, frame in enumerate(container.decode(stream)):
                if index >= skip:
                    frames.append(frame.to_ndarray(format="rgb24").astype(np.float32) / 255)
                if len(frames) == count:
                    break
    except (OSError, IndexError, av.error.FFmpegError) as error:
        raise TrainingError(f"{path} is not a readable clip ({error}); remove or repair it") from error
    if not frames and (skip or start):
        return read_clip(path, count)
    if not frames:
        raise TrainingError(f"{path} holds no frames; remove it")
    return frames + [frames[-1]] * (count - len(frames))
