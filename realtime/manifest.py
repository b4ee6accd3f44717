"""Evidence: what an output was made from, by what and how, with checksums; and the check of such a record."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from realtime.errors import SinkError, SourceError
from realtime.media.libav import av
from realtime.media.part_file import PartFile

MANIFEST_KIND = "realtime-manifest-1"
MANIFEST_SUFFIX = ".manifest.json"
#: A manifest is a page of text; a file larger than this is none.
LARGEST_MANIFEST = 1 << 20
READ_BYTES = 1 << 20


def manifest_path(output: Path) -> Path:
    """Where the record of an output lies."""
    return output.with_name(output.name + MANIFEST_SUFFIX)


def sha256(path: Path) -> str:
    """The checksum of a file of any size, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


def job_id(source: Path, parameters: dict[str, Any]) -> str:
    """Names this work on this input: equal only if one run could continue the other."""
    about = source.stat()
    content = [source.name, about.st_size, about.st_mtime_ns, parameters]
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:32]


def library_versions() -> dict[str, str]:
    """Versions of what decodes and encodes."""
    return {"PyAV": av.__version__} | {name: ".".join(map(str, v)) for name, v in av.library_versions.items()}


def write_manifest(source: Path, output: Path, parameters: dict[str, Any], result: dict[str, Any]) -> Path:
    """Writes the record beside `output` and returns its path. Raises SinkError; then no unfinished file stays."""
    path = manifest_path(output)
    record = {
        "kind": MANIFEST_KIND,
        "input": _entry(source, path),
        "output": _entry(output, path),
        "parameters": parameters,
        "result": result,
    }
    part = PartFile(path)
    part.acquire()
    try:
        # Escapes, since a name that is no UTF-8 cannot be written otherwise.
        part.path.write_text(json.dumps(record, indent=2, default=str) + "\n", "ascii")
        part.move(path)
    except OSError as error:
        part.remove()
        raise SinkError(f"{path} cannot be written: {error.strerror}") from error
    return path


def check_manifest(path: Path, weights: Path | None = None, anywhere: bool = False) -> Iterator[tuple[str, str, str]]:
    """Compares the files that a record names with their checksums: (which, path, "as recorded" or what differs).

    Files are looked for relative to the record, so that a folder may be moved as a whole, and only beside or below it:
    a record from somebody else must not make us read other files. `anywhere` lifts that. `weights` is the file that the
    record's weights should be; None leaves them out. Raises SourceError when `path` is no such record.
    """
    files = _read_record(path, weights)
    folder = path.resolve().parent
    for which, (name, expected) in files.items():
        file = folder / name
        if which != "weights" and not anywhere and not file.resolve().is_relative_to(folder):
            yield which, name, "not checked, because it lies outside the manifest's folder"
        elif not file.is_file():
            yield which, str(file), "missing" if not os.path.lexists(file) else "not a regular file"
        else:
            yield which, str(file), "as recorded" if sha256(file) == expected else "altered"


def _read_record(path: Path, weights: Path | None) -> dict[str, tuple[str, str]]:
    try:
        if path.stat().st_size > LARGEST_MANIFEST:
            raise ValueError("too large")
        record = json.loads(path.read_text("utf-8"))
        if record["kind"] != MANIFEST_KIND:
            raise ValueError(record["kind"])
        files = {which: (str(record[which]["path"]), str(record[which]["sha256"])) for which in ("input", "output")}
        if any("\0" in name for name, _ in files.values()):
            raise ValueError("a path with a zero byte")
        if weights is not None:
            files["weights"] = (str(weights.resolve()), str(record["parameters"]["weights_sha256"]))
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
