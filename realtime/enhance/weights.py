"""Weights files: where they are, what belongs to them, and whether they are what they claim to be."""

from __future__ import annotations

import json
import os
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from realtime.enhance import guarded_reader
from realtime.enhance.tensors import LARGEST_FILE, check_suffix
from realtime.errors import WeightsError
from realtime.media.checksum import sha256

DEFAULT = "night"
#: Files that belong to a weights file: their entries in the index, and their suffixes beside a file that is not in it.
COMPANIONS = {"fast": ".fast.h5"}


def bundled_folder() -> Path:
    """The folder of bundled weights: beside the package in a checkout, inside it when installed."""
    package = Path(__file__).resolve().parent.parent
    checkout = package.parent / "weights"
    return checkout if (checkout / "index.json").is_file() else package / "weights"


def cache_folder() -> Path:
    """The user's folder for fetched weights and measurements."""
    return user_cache_path("mbllen-realtime", appauthor=False)


def file_path(entry: dict[str, Any]) -> Path:
    """Where the file of an index entry is or would be."""
    return (cache_folder() if "url" in entry else bundled_folder()) / str(entry["file"])


def index() -> dict[str, dict[str, Any]]:
    """The bundled and the published files by name.

    - `file`, `sha256`, `about`; `metered` as in `Weights`.
    - `fast`: the student, with `file` and `sha256`.
    - `url`: of published files only.
    """
    path = bundled_folder() / "index.json"
    try:
        content: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise WeightsError(f"{path} is missing: install the package again") from error
    return content


@dataclass(frozen=True)
class Weights:
    """A weights file that is there.

    `name` is its name in the index, or the file's. `metered`: the network was trained on frames that were exposed
    first, so exposure ``auto`` is the default.
    """

    name: str
    path: Path
    metered: bool

    @property
    def student_path(self) -> Path:
        """Where the fast engine's student of these weights is or would be."""
        return self._companion("fast")

    @property
    def is_known(self) -> bool:
        """Whether this is a file of the index, with its checksum."""
        return self.name in index()

    def _companion(self, kind: str) -> Path:
        entry = index().get(self.name, {}).get(kind)
        return bundled_folder() / str(entry["file"]) if entry else self.path.with_suffix(COMPANIONS[kind])


def find(name: str | Path | None = None) -> Weights:
    """The weights of that name or path; None is the bundled default. Bundled files are checked before use.

    Raises WeightsError for an unknown name, a missing file, a file that is not .h5, or a bundled file whose SHA-256 is
    not the recorded one.
    """
    known = index()
    entry = known.get(str(name or DEFAULT))
    if entry is not None:
        path = file_path(entry)
        if not path.is_file():
            remedy = f"run 'realtime weights fetch {name}'" if "url" in entry else "install the package again"
            raise WeightsError(f"weights {str(name or DEFAULT)!r} are not here: {remedy}")
        verify(path, entry["sha256"])
        return Weights(str(name or DEFAULT), path, bool(entry.get("metered")))
    path = Path(str(name)).expanduser()
    if not path.is_file():
        raise WeightsError(f"weights {str(name)!r} are neither a file nor one of {', '.join(known)}")
    check_suffix(path)
    # 'realtime train' writes this attribute; the published files have none.
    return Weights(path.name, path, bool(guarded_reader.read_attribute(path, "metered")))


def verify(path: Path, expected: str) -> None:
    """Raises WeightsError unless the file's SHA-256 is `expected`."""
    actual = sha256(path)
    if actual != expected:
        raise WeightsError(f"{path} is altered: its SHA-256 is {actual[:12]}…, not {expected[:12]}…")


def fetch(name: str) -> Path:
    """Downloads a published file into `cache_folder` and returns its path; a file that is there and intact is kept.

    Raises WeightsError for a name that cannot be fetched, without a connection, or when the download is not the file
    that was recorded; then no file is left.
    """
    entry = index().get(name, {})
    if "url" not in entry:
        raise WeightsError(f"weights {name!r} cannot be fetched; there are {', '.join(fetchable())}")
    path = file_path(entry)
    if path.is_file() and sha256(path) == entry["sha256"]:
        return path
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(entry["url"], timeout=30) as response:
            part.write_bytes(response.read(LARGEST_FILE))
        verify(part, entry["sha256"])
        os.replace(part, path)
    except (OSError, HTTPException) as error:  # a server may talk something that is no HTTP
        raise WeightsError(
            f"{entry['url']} cannot be fetched ({error}); without a connection, put the file at {path} yourself"
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return path


def fetchable() -> list[str]:
    """Names of the files that `fetch` downloads."""
    return [name for name, entry in index().items() if "url" in entry]
