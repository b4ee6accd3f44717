"""Files that lie elsewhere: read through a local copy, written under their final name only when they are whole.

Plain paths are used as they are. Addresses with a scheme go through fsspec, which knows S3, Google Cloud, Azure, SFTP,
HTTP and more, each with its own package.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from realtime.errors import SettingError, SinkError, SourceError, redacted


def is_remote(address: str) -> bool:
    """Whether an address has a scheme, and is no path of this machine."""
    return "://" in address


@contextmanager
def staged(source: str, target: str, cache: Path | None = None) -> Iterator[tuple[Path, Path]]:
    """Local paths for a source and its target; remote ones are copied here and, if the block succeeds, back.

    The upload goes to a name beside the final one and is moved when it is complete. `cache` is where copies lie (None:
    the system's folder for temporary files); they are removed in the end. Raises SourceError or SinkError.
    """
    with tempfile.TemporaryDirectory(prefix="realtime-", dir=cache) as name:
        folder = Path(name)
        here = _download(source, folder) if is_remote(source) else Path(source)
        if not is_remote(target):
            yield here, Path(target)
            return
        local = folder / "output" / PurePosixPath(target).name
        local.parent.mkdir()
        yield here, local
        for path in sorted(local.parent.iterdir()):  # the manifest lies beside the output
            if not path.name.startswith("."):
                _upload(path, target.rpartition("/")[0] + "/" + path.name)


def exists(address: str) -> bool:
    """Whether there is a file. Raises SourceError where that cannot be found out."""
    if not is_remote(address):
        return Path(address).exists()
    filesystem, path = _filesystem(address)
    try:
        return bool(filesystem.exists(path))
    except Exception as error:  # each file system raises its own kinds
        raise SourceError(f"{redacted(address)} cannot be looked for: {_line(error)}") from error


def listing(address: str) -> list[tuple[str, int, str]]:
    """The files below a remote folder: address, size in bytes and a mark that changes when the file does."""
    filesystem, path = _filesystem(address)
    scheme = address.partition("://")[0]
    try:
        filesystem.invalidate_cache()
        found = filesystem.find(path, detail=True)
    except Exception as error:
        raise SourceError(f"{redacted(address)} cannot be listed: {_line(error)}") from error
    marks = ("ETag", "etag", "mtime", "LastModified", "last_modified")
    return [
        (f"{scheme}://{name}", int(about.get("size") or 0), str(next((about[m] for m in marks if m in about), "")))
        for name, about in sorted(found.items())
        if about.get("type") == "file"
    ]


def _download(source: str, folder: Path) -> Path:
    filesystem, path = _filesystem(source)
    local = folder / PurePosixPath(path).name
    try:
        size = int(filesystem.size(path) or 0)
        if size > shutil.disk_usage(folder).free:
            raise SourceError(f"{redacted(source)} has {size} bytes, and {folder} has no room for a copy")
        filesystem.get_file(path, str(local))
    except SourceError:
        raise
    except FileNotFoundError as error:
        raise SourceError(f"{redacted(source)} does not exist") from error
    except Exception as error:
        raise SourceError(f"{redacted(source)} cannot be read: {_line(error)}") from error
    return local


def _upload(path: Path, target: str) -> None:
    filesystem, remote = _filesystem(target)
    folder, _, name = remote.rpartition("/")
    unfinished = f"{folder}/.{name}.upload" if folder else f".{name}.upload"
    try:
        filesystem.makedirs(folder, exist_ok=True)
        filesystem.put_file(str(path), unfinished)
        filesystem.mv(unfinished, remote)
    except Exception as error:
        raise SinkError(f"{redacted(target)} cannot be written: {_line(error)}") from error


def _filesystem(address: str) -> tuple[Any, str]:
    try:
        import fsspec
    except ImportError as error:
        raise SettingError(f"{redacted(address)} needs fsspec: install mbllen-realtime[cluster]") from error
    try:
        filesystem, path = fsspec.core.url_to_fs(address)
    except (ValueError, ImportError) as error:
        raise SettingError(f"{redacted(address)} cannot be used: {_line(error)}") from error
    return filesystem, path


def _line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return redacted(text[0]) if text else type(error).__name__
