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

KIND = "realtime-manifest-1"
BLOCK = 1 << 20


def manifest_of(output: Path) -> Path:
    """Where the record of an output lies."""
    return output.with_name(output.name + ".manifest.json")


def sha256(path: Path) -> str:
    """The checksum of a file of any size, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def job_of(source: Path, parameters: dict[str, Any]) -> str:
    """A name for this work on this input: equal only if a run could be continued by another."""
    about = source.stat()
    content = [source.name, about.st_size, about.st_mtime_ns, parameters]
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:32]


def libraries() -> dict[str, str]:
    """Versions of what decodes and encodes."""
    return {"PyAV": av.__version__} | {name: ".".join(map(str, v)) for name, v in av.library_versions.items()}


def write_manifest(source: Path, output: Path, parameters: dict[str, Any], result: dict[str, Any]) -> Path:
    """Writes the record beside `output` and answers its path. Raises SinkError."""
    place = manifest_of(output)
    record = {
        "kind": KIND,
        "input": _file(source, place),
        "output": _file(output, place),
        "parameters": parameters,
        "result": result,
    }
    part = place.with_name(f".{place.name}.part")
    try:
        part.write_text(json.dumps(record, indent=2, default=str) + "\n", "utf-8")
        os.replace(part, place)
    except OSError as error:
        raise SinkError(f"{place} cannot be written: {error.strerror}") from error
    return place


def check_manifest(path: Path, weights: Path | None = None) -> Iterator[tuple[str, str, str]]:
    """Compares the files that a record names with their checksums: (which, path, "as recorded" or what differs).

    Paths are looked for beside the record first, so that a folder may be moved as a whole. `weights` is the file that
    the record's weights should be; None leaves them out. Raises SourceError when `path` is no such record.
    """
    try:
        record = json.loads(path.read_text("utf-8"))
        if record["kind"] != KIND:
            raise ValueError(record["kind"])
        files = {which: (str(record[which]["path"]), str(record[which]["sha256"])) for which in ("input", "output")}
        if weights is not None:
            files["weights"] = (str(weights), str(record["parameters"]["weights_sha256"]))
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError(f"{path} is no manifest of this program") from error
    for which, (name, expected) in files.items():
        place = path.parent / name
        if not place.is_file():
            yield which, str(place), "missing"
        else:
            yield which, str(place), "as recorded" if sha256(place) == expected else "altered"


def _file(path: Path, record: Path) -> dict[str, Any]:
    """A file as the record names it: relative to the record where that is possible."""
    try:
        name = os.path.relpath(path, record.parent)
    except ValueError:  # another drive
        name = str(path.resolve())
    return {"path": name, "size": path.stat().st_size, "sha256": sha256(path)}
