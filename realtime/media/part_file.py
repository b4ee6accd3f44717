"""The part file: where an output grows until it is complete, locked against a second writer."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from pathlib import Path
from types import TracebackType

from realtime.errors import SinkError

#: Bytes that a file name may have on all usual file systems.
LONGEST_NAME = 255


def part_path(path: Path, mark: str = "part") -> Path:
    """Where `path` grows until it is complete: hidden, beside it, so that the last step is a rename."""
    name = f".{path.stem}.{mark}{path.suffix}"
    if len(os.fsencode(name)) > LONGEST_NAME:
        digest = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:12]
        name = f".{os.fsencode(path.stem)[:150].decode('utf-8', 'ignore')}-{digest}.{mark}{path.suffix}"
    return path.with_name(name)


def previous_part_path(path: Path) -> Path:
    """Where an interrupted part waits while a new one is made of it."""
    return part_path(path, "part-before")


class PartFile:
    """An exclusive claim on the part file of `path`, from `acquire` to `release`.

    The operating system drops the claim when the process dies. Links are not followed. Raises SinkError when another
    process has it (naming the process where the system tells), or the name is taken by something else than a file.
    """

    def __init__(self, path: Path) -> None:
        self.path = part_path(path)
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Creates the file if it is not there, and locks it. Does nothing where that is done."""
        if self._descriptor is not None:
            return
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        try:
            descriptor = os.open(self.path, flags, 0o666)
        except OSError as error:
            if error.errno == errno.ELOOP or self.path.is_symlink():
                raise SinkError(f"{self.path} is a symbolic link, which is not followed; remove it") from error
            raise SinkError(f"{self.path} cannot be written: {error.strerror}") from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise SinkError(f"{self.path} is not a regular file; remove it")
        if not _lock(descriptor):
            owner = _lock_owner(descriptor)
            os.close(descriptor)
            raise SinkError(f"{self.path} is being written by {owner}; wait for it, or choose another output")
        self._descriptor = descriptor

    def check(self) -> None:
        """Raises SinkError unless the file of that name is still the one that was claimed."""
        assert self._descriptor is not None
        mine = os.fstat(self._descriptor)
        try:
            there = os.stat(self.path, follow_symlinks=False)
        except FileNotFoundError:
            there = None
        if there is None or (there.st_ino, there.st_dev) != (mine.st_ino, mine.st_dev):
            raise SinkError(f"{self.path} was removed or replaced while it was being written")

    def sync(self) -> None:
        """Forces what was written to the disk. Raises SinkError or OSError."""
        self.check()
        assert self._descriptor is not None
        os.fsync(self._descriptor)

    def move(self, target: Path) -> None:
        """Gives the file another name, atomically, and releases it."""
        self.check()
        if os.name == "nt":
            self.release()  # Windows renames no open file
        os.replace(self.path, target)
        self.release()

    def release(self) -> None:
        """Drops the claim."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def remove(self) -> None:
        """Removes the file and drops the claim."""
        if os.name == "nt":
            self.release()
        self.path.unlink(missing_ok=True)
        self.release()

    def __enter__(self) -> PartFile:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def is_in_use(path: Path) -> bool:
    """Whether another process writes the part file of `path` now."""
    part = part_path(path)
    if part.is_symlink() or not part.is_file():
        return False
    with part.open("rb") as file:
        return not _lock(file.fileno())


def _lock(descriptor: int) -> bool:
    """Takes an exclusive lock on an open file without waiting; whether it could."""
    try:
        if os.name == "nt":
            import msvcrt

            os.lseek(descriptor, 1 << 62, os.SEEK_SET)  # far behind the content, which stays readable
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # A file system without locks must not keep anybody from writing.
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)
    return True


def _lock_owner(descriptor: int) -> str:
    """Who holds the lock, as far as the system tells: Linux lists locks with processes."""
    inode = os.fstat(descriptor).st_ino
    try:
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        lines = []
    for fields in map(str.split, lines):
        if len(fields) > 5 and fields[1] == "FLOCK" and fields[5].rpartition(":")[2] == str(inode):
            return f"process {fields[4]}"
    return "another process"
