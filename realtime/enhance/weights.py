"""Weights files: where they are, what is in them, and whether they are what they claim to be."""

from __future__ import annotations

import hashlib
import json
import os
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realtime.errors import WeightsError

if TYPE_CHECKING:
    import keras

DEFAULT = "night"
#: No weights file of this network is anywhere near as large; a download that is, is something else.
LARGEST_FILE = 64 << 20


def bundled() -> Path:
    """The folder of bundled weights: beside the package in a checkout, inside it when installed."""
    package = Path(__file__).resolve().parent.parent
    checkout = package.parent / "weights"
    return checkout if (checkout / "index.json").is_file() else package / "weights"


def cache() -> Path:
    """The user's folder for fetched weights, as the XDG base directory specification has it."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mbllen-realtime"


def place(entry: dict[str, Any]) -> Path:
    """Where the file of an index entry is, or would be."""
    return (cache() if "url" in entry else bundled()) / entry["file"]


def index() -> dict[str, dict[str, Any]]:
    """The bundled and the published files by name: file, sha256, metered, about, and for published ones url."""
    path = bundled() / "index.json"
    try:
        content: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise WeightsError(f"{path} is missing: install the package again") from error
    return content


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class Weights:
    """A weights file that is there. `metered`: trained behind the meter, so exposure ``auto`` is its default."""

    name: str
    path: Path
    metered: bool

    def model(self) -> keras.Model:
        """The network with these weights. Raises WeightsError when the file holds something else."""

        from realtime.enhance.mbllen import build

        model = build()
        try:
            model.load_weights(self.path)
        except Exception as error:  # h5py and Keras raise a dozen kinds, none of them documented
            raise WeightsError(f"{self.path} does not hold MBLLEN weights: {_first_line(error)}") from error
        return model


def find(name: str | Path | None = None) -> Weights:
    """The weights of that name or path; None is the bundled default. Bundled files are checked before use.

    Raises WeightsError for an unknown name, a missing file, or a bundled file whose SHA-256 is not the recorded one.
    """
    known = index()
    entry = known.get(str(name or DEFAULT))
    if entry is not None:
        path = place(entry)
        if not path.is_file():
            remedy = f"run 'realtime weights fetch {name}'" if "url" in entry else "install the package again"
            raise WeightsError(f"weights {str(name or DEFAULT)!r} are not here: {remedy}")
        verify(path, entry["sha256"])
        return Weights(str(name or DEFAULT), path, bool(entry.get("metered")))
    path = Path(str(name)).expanduser()
    if not path.is_file():
        raise WeightsError(f"weights {str(name)!r} are neither a file nor one of {', '.join(known)}")
    return Weights(path.name, path, _metered(path))


def _metered(path: Path) -> bool:
    """What 'realtime train' wrote into its file; the published files say nothing. `Weights.model` refuses the rest."""
    import h5py

    try:
        with h5py.File(path) as file:
            return bool(file.attrs.get("metered", False))
    except OSError:
        return False


def verify(path: Path, expected: str) -> None:
    """Raises WeightsError unless the file's SHA-256 is `expected`."""
    actual = sha256(path)
    if actual != expected:
        raise WeightsError(f"{path} is altered: its SHA-256 is {actual[:12]}…, not {expected[:12]}…")


def fetch(name: str) -> Path:
    """Downloads a published file into `cache` and answers its path; a file that is there and intact is kept.

    Raises WeightsError for a name that cannot be fetched, without a connection, or when what came is not the file
    that was recorded; then nothing is kept.
    """
    entry = index().get(name, {})
    if "url" not in entry:
        raise WeightsError(f"weights {name!r} cannot be fetched; there are {', '.join(fetchable())}")
    path = place(entry)
    if path.is_file() and sha256(path) == entry["sha256"]:
        return path
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(entry["url"], timeout=30) as answer:
            part.write_bytes(answer.read(LARGEST_FILE))
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
    return [name for name, entry in index().items() if "url" in entry]


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
