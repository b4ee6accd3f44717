"""Evidence: what an output was made from, by what and how, with checksums; and the check of such a record."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realtime.errors import SinkError, SourceError
from realtime.media.checksum import sha256
from realtime.media.libav import av
from realtime.media.part_file import LONGEST_NAME, write_file

MANIFEST_KIND = "realtime-manifest-1"
MANIFEST_SUFFIX = ".manifest.json"
#: A manifest is a page of text; a file larger than this is none.
LARGEST_MANIFEST = 1 << 20

#: What `check_manifest` says of a file.
AS_RECORDED, ALTERED, MISSING, NOT_A_FILE = "as recorded", "altered", "missing", "not a regular file"
OUTSIDE = "not checked: it lies outside the manifest's folder"


def manifest_path(output: Path) -> Path:
    """Where the record of an output lies. Raises SinkError when that name is too long."""
    path = output.with_name(output.name + MANIFEST_SUFFIX)
    if len(os.fsencode(path.name)) > LONGEST_NAME:
        raise SinkError(f"the name of {output} is too long to add {MANIFEST_SUFFIX}; give a shorter one")
    return path


def library_versions() -> dict[str, str]:
    """Versions of what decodes and encodes."""
    return {"PyAV": av.__version__} | {name: ".".join(map(str, v)) for name, v in av.library_versions.items()}


def write_manifest(source: Path, output: Path, parameters: dict[str, Any], result: dict[str, Any]) -> Path:
    """Writes the record beside `output` and returns its path. Raises SinkError; then no unfinished file stays."""
    path = manifest_path(output)
    try:
        record = {
            "kind": MANIFEST_KIND,
            "input": _entry(source, path),
            "output": _entry(output, path),
            "parameters": parameters,
            "result": result,
        }
    except OSError as error:
        raise SinkError(f"{path} cannot be written: {error.filename}: {error.strerror}") from error
    # In ASCII with escapes: a name that is no UTF-8 cannot be written otherwise.
    write_file(path, (json.dumps(record, indent=2, default=str) + "\n").encode("ascii"))
    return path


@dataclass(frozen=True)
class CheckedFile:
    """A file that a manifest names (`role`: input, output or weights), and its `state`: one of the constants above."""

    role: str
    path: str
    state: str


def check_manifest(path: Path, weights: Path | None = None, *, anywhere: bool = False) -> Iterator[CheckedFile]:
    """Compares the files that a record names with their checksums.

    Files are looked for relative to the record, so that a folder may be moved as a whole, and only beside or below it:
    a record from somebody else must not make us read other files. `anywhere` lifts that. `weights` is the file that the
    record's weights should be; None leaves them out. Raises SourceError when `path` is no such record.
    """
    record = _read_record(path, weights is not None)
    folder = path.resolve().parent
    for role, (name, checksum) in record.items():
        file = weights if role == "weights" and weights is not None else folder / name
        if role != "weights" and not anywhere and not file.resolve().is_relative_to(folder):
            yield CheckedFile(role, name, OUTSIDE)
            continue
        try:
            if not file.is_file():
                state = NOT_A_FILE if os.path.lexists(file) else MISSING
            else:
                state = AS_RECORDED if sha256(file) == checksum else ALTERED
        except OSError as error:
            state = f"cannot be read: {error.strerror}"
        yield CheckedFile(role, str(file), state)


def _read_record(path: Path, with_weights: bool) -> dict[str, tuple[str, str]]:
    """Name and checksum of each file in a record."""
    try:
        if path.stat().st_size > LARGEST_MANIFEST:
            raise ValueError("too large")
        record = json.loads(path.read_bytes())
        if record["kind"] != MANIFEST_KIND:
            raise ValueError(record["kind"])
        files = {role: (str(record[role]["path"]), str(record[role]["sha256"])) for role in ("input", "output")}
        if with_weights:
            files["weights"] = ("", str(record["parameters"]["weights_sha256"]))
        for name, _ in files.values():
            if "\0" in name:
                raise ValueError("no path")
            os.fsencode(name)  # a ValueError for what can be no path here
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SourceError(f"{path} is no manifest of this program") from error
    return files


def _entry(path: Path, record: Path) -> dict[str, Any]:
    """A file as the record names it: relative to the record where that is possible."""
    try:
        name = os.path.relpath(path, record.parent)
    except ValueError:  # another drive
        name = str(path.resolve())
    return {"path": name, "size": path.stat().st_size, "sha256": sha256(path)}
