"""Files that lie elsewhere: read through a local copy, written under their final name only when they are whole.

Plain paths are used as they are. Addresses with a scheme go through fsspec, which knows S3, Google Cloud, Azure, SFTP,
HTTP and more, each with its own package.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from realtime.cluster.tasks import first_line
from realtime.errors import SettingError, SinkError, SourceError
from realtime.manifest import manifest_path


def is_remote(address: str) -> bool:
    """Whether an address has a scheme, and is no path of this machine."""
    return "://" in address


def absolute(place: str | Path) -> str:
    """A path or an address as all nodes know it."""
    return str(place) if is_remote(str(place)) else str(Path(place).absolute())


class Cache:
    """Copies of files that lie elsewhere, in a folder of its own below `parent` (None: the system's for temporary
    files). The latest source stays until another one comes, since segments of one file follow each other."""

    def __init__(self, parent: str | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="realtime-", dir=parent)
        self._latest: tuple[str, tuple[int, int], Path] | None = None

    def source(self, address: str) -> Path:
        """A path at which a file can be read. A copy has the original's time of change. Raises SourceError."""
        if not is_remote(address):
            return Path(address)
        state = remote_state(address)
        if self._latest is not None and self._latest[:2] == (address, state):
            return self._latest[2]
        self._forget()
        path = Path(tempfile.mkdtemp(dir=self._folder.name)) / PurePosixPath(address).name
        self._latest = address, state, path
        try:
            download(address, path, state)
        except BaseException:
            self._forget()
            raise
        return path

    @contextmanager
    def copies(self, addresses: Sequence[str]) -> Iterator[list[Path]]:
        """Paths at which several files can be read until the block ends. Raises SourceError."""
        with tempfile.TemporaryDirectory(dir=self._folder.name) as name:
            paths = []
            for address in addresses:
                path = Path(name) / PurePosixPath(address).name if is_remote(address) else Path(address)
                if is_remote(address):
                    download(address, path, remote_state(address))
                paths.append(path)
            yield paths

    @contextmanager
    def target(self, address: str) -> Iterator[Path]:
        """A path at which to write a file; if the block succeeds, the file and a manifest are uploaded. Raises
        SinkError."""
        if not is_remote(address):
            yield Path(address)
            return
        with tempfile.TemporaryDirectory(dir=self._folder.name) as name:
            path = Path(name) / PurePosixPath(address).name
            yield path
            for written in (manifest_path(path), path):  # the output last: with it the work is done
                if written.exists():
                    upload(written, f"{address.rpartition('/')[0]}/{written.name}")

    def _forget(self) -> None:
        latest, self._latest = self._latest, None
        if latest is not None:
            shutil.rmtree(latest[2].parent, ignore_errors=True)


def exists(address: str) -> bool:
    """Whether there is a file. Raises SourceError where that cannot be found out."""
    if not is_remote(address):
        return Path(address).exists()
    filesystem, path = _filesystem(address)
    try:
        filesystem.invalidate_cache()
        return bool(filesystem.exists(path))
    except Exception as error:  # each file system raises its own kinds
        raise SourceError(f"{address} cannot be looked for: {first_line(error)}") from error


def listing(address: str) -> list[tuple[str, int, str]]:
    """The files below a remote folder: address, size in bytes and a mark that changes when the file does."""
    filesystem, path = _filesystem(address)
    scheme = address.partition("://")[0]
    try:
        filesystem.invalidate_cache()
        found = filesystem.find(path, detail=True)
    except Exception as error:
        raise SourceError(f"{address} cannot be listed: {first_line(error)}") from error
    marks = ("ETag", "etag", "mtime", "LastModified", "last_modified")
    return [
        (f"{scheme}://{name}", int(about.get("size") or 0), str(next((about[m] for m in marks if m in about), "")))
        for name, about in sorted(found.items())
        if about.get("type") == "file"
    ]


def remote_state(address: str) -> tuple[int, int]:
    """Size and time of change (ns) of a remote file. Raises SourceError."""
    filesystem, remote = _filesystem(address)
    try:
        filesystem.invalidate_cache()
        about = filesystem.info(remote)
    except FileNotFoundError as error:
        raise SourceError(f"{address} does not exist") from error
    except Exception as error:  # each file system raises its own kinds
        raise SourceError(f"{address} cannot be read: {first_line(error)}") from error
    return int(about.get("size") or 0), _changed(about)


def download(address: str, path: Path, state: tuple[int, int]) -> None:
    """Copies a file of that `remote_state` from `address` to `path`, with its time of change. Raises SourceError."""
    (size, changed), free = state, shutil.disk_usage(path.parent).free
    if size > free:
        raise SourceError(f"{address} has {size} bytes, and {path.parent} has room for {free}")
    filesystem, remote = _filesystem(address)
    try:
        filesystem.get_file(remote, str(path))
        os.utime(path, ns=(changed, changed))
    except Exception as error:
        raise SourceError(f"{address} cannot be read: {first_line(error)}") from error


def upload(path: Path, address: str) -> None:
    """Copies a file to `address`: first under a hidden name beside it, which is then moved. Raises SinkError."""
    filesystem, remote = _filesystem(address)
    folder, _, name = remote.rpartition("/")
    unfinished = f"{folder}/.{name}.{uuid.uuid4().hex}.upload"
    try:
        filesystem.makedirs(folder, exist_ok=True)
        filesystem.put_file(str(path), unfinished)
        filesystem.mv(unfinished, remote)
    except Exception as error:
        try:
            filesystem.rm_file(unfinished)
        except Exception:  # the first error is the one to report
            pass
        raise SinkError(f"{address} cannot be written: {first_line(error)}") from error


def remove(addresses: Iterable[str]) -> None:
    """Removes files, as far as they are there and that is allowed."""
    for address in addresses:
        try:
            if is_remote(address):
                filesystem, path = _filesystem(address)
                filesystem.rm_file(path)
            else:
                Path(address).unlink(missing_ok=True)
        except Exception:  # what stays is hidden, and does no harm
            pass


def _changed(about: dict[str, Any]) -> int:
    """When a file was changed, in nanoseconds; of what tells no time a number that changes with the content."""
    for name in ("LastModified", "last_modified", "mtime", "updated", "created"):
        value = about.get(name)
        if isinstance(value, datetime):
            return int(value.timestamp()) * 1_000_000_000
        if isinstance(value, int | float):
            return int(value) * 1_000_000_000
    mark = hashlib.sha256(str(about.get("ETag") or about.get("etag") or about.get("size")).encode())
    return int.from_bytes(mark.digest()[:3], "big") * 1_000_000_000


def _filesystem(address: str) -> tuple[Any, str]:
    try:
        import fsspec
    except ImportError as error:
        raise SettingError(f"{address} needs fsspec: install mbllen-realtime[cluster]") from error
    try:
        filesystem, path = fsspec.core.url_to_fs(address)
    except (ValueError, ImportError) as error:
        raise SettingError(f"{address} cannot be used: {first_line(error)}") from error
    return filesystem, path
