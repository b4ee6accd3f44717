"""The part file: where an output grows until it is complete, locked against a second writer."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
from pathlib import Path
from types import TracebackType

from realtime.errors import SinkError
from realtime.media.containers import VIDEO_OUTPUT_SUFFIXES, container_for
from realtime.media.file_lock import lock_owner, try_lock

#: Bytes that a file name may have on all usual file systems.
LONGEST_NAME = 255
#: Never through a link, never into a child process; binary and without waiting for a reader where those are choices.
OPEN_FLAGS = os.O_RDWR | os.O_CREAT
for _name in ("O_NOFOLLOW", "O_CLOEXEC", "O_BINARY", "O_NONBLOCK"):
    OPEN_FLAGS |= getattr(os, _name, 0)


def part_path(path: Path, mark: str = "part") -> Path:
    """Where `path` grows until it is complete: hidden, beside it, so that the last step is a rename."""
    name = f".{path.stem}.{mark}{path.suffix}"
    if len(os.fsencode(name)) > LONGEST_NAME:
        digest = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:12]
        stem = os.fsencode(path.stem)[:150].decode("utf-8", "ignore")
        name = f".{stem}-{digest}.{mark}{path.suffix}"
    return path.with_name(name)


def previous_part_path(path: Path) -> Path:
    """Where an interrupted part waits while a new one is made of it."""
    return part_path(path, "part-before")


class PartFile:
    """An exclusive claim on the part file of `path`, from `acquire` to `release`, `move` or `remove`.

    The operating system drops the claim when the process dies. Everything is written through `file`, so that a name
    that is exchanged meanwhile changes nothing. Raises SinkError when another process has the file (naming the process
    where the system tells), or when the name belongs to a link or anything else that is no file of its own.
    """

    def __init__(self, path: Path) -> None:
        self._target, self.path = path, part_path(path)
        self._file: _WholeWrites | None = None

    @property
    def file(self) -> io.FileIO:
        """The open file, for reading and writing; unbuffered."""
        assert self._file is not None, "acquire comes first"
        return self._file

    @property
    def acquired(self) -> bool:
        """Whether the claim holds."""
        return self._file is not None

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return os.fstat(self.file.fileno()).st_size

    def acquire(self) -> None:
        """Creates the file if it is not there, and locks it. Does nothing where that is done."""
        while self._file is None:
            file = self._open()
            try:
                self._check_kind(file)
                if not try_lock(file.fileno()):
                    raise _in_use(self._target, file.fileno())
            except BaseException:
                file.close()
                raise
            self._file = file
            if not self._is_in_place():
                self.release()  # its writer finished and renamed it between the two steps: open the next one

    def check(self) -> None:
        """Raises SinkError unless the file of that name is still the one that was claimed."""
        if not self._is_in_place():
            raise SinkError(f"{self.path} was removed or replaced while it was being written")

    def sync(self) -> None:
        """Forces what was written to the disk. Raises SinkError or OSError."""
        self.check()
        os.fsync(self.file.fileno())

    def move(self, target: Path) -> None:
        """Gives the file another name, atomically, and drops the claim."""
        self.check()
        if os.name == "nt":
            self.release()  # Windows renames no open file
        os.replace(self.path, target)
        self.release()

    def remove(self) -> None:
        """Removes the file, if it is the one that was claimed, and drops the claim."""
        if self._file is None:
            return
        mine = self._is_in_place()
        if os.name == "nt":
            self.release()  # nor does it remove one
        if mine:
            self.path.unlink(missing_ok=True)
        self.release()

    def release(self) -> None:
        """Drops the claim and leaves the file."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def __enter__(self) -> PartFile:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.remove()
        self.release()

    def _open(self) -> _WholeWrites:
        try:
            return _WholeWrites(os.open(self.path, OPEN_FLAGS, 0o666), "r+")
        except OSError as error:
            if error.errno == errno.ELOOP or self.path.is_symlink():
                raise _is_link(self.path) from error
            raise SinkError(f"{self.path} cannot be written: {error.strerror}") from error

    def _check_kind(self, file: io.FileIO) -> None:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise SinkError(f"{self.path} is not a regular file; remove it")
        if about.st_nlink > 1:
            raise SinkError(f"{self.path} is another name of a file, which would be overwritten; remove it")

    def _is_in_place(self) -> bool:
        mine = os.fstat(self.file.fileno())
        try:
            named = os.stat(self.path, follow_symlinks=False)
        except OSError:
            return False
        return (named.st_ino, named.st_dev) == (mine.st_ino, mine.st_dev)


class _WholeWrites(io.FileIO):
    """A file whose `write` writes all or raises: the system may take less, and libav would not notice."""

    def write(self, data: bytes) -> int:  # type: ignore[override]
        written = 0
        while written < len(data):
            written += super().write(memoryview(data)[written:]) or 0
        return written


def check_output(path: Path, overwrite: bool, resume: bool = False) -> None:
    """Raises SinkError unless a file of that name can be made: `overwrite` replaces one that is there, `resume`
    continues the part that an interrupted run left."""
    folder, part = path.parent, part_path(path)
    try:
        if not folder.is_dir():
            raise SinkError(f"the folder {folder} does not exist; create it first")
        if path.is_dir():
            raise SinkError(f"{path} is a folder, not a file")
        if path.exists() and not overwrite:
            raise SinkError(f"{path} exists", remedies={"overwrite=True": "{} replaces it"})
        if part.is_symlink():
            raise _is_link(part)
        if part.is_file() and part.stat().st_size and not (overwrite or resume):
            remedies = {"resume=True": "{} continues it"} if _is_resumable(path) else {}
            remedies |= {"overwrite=True": "{} starts over"}
            raise SinkError(f"{part} is left from an interrupted run", remedies=remedies)
    except OSError as error:  # a name that is too long, a loop of links
        raise SinkError(f"{path} cannot be written: {error.strerror}") from error
    if not os.access(folder, os.W_OK):
        raise SinkError(f"{folder} cannot be written to: no permission")


def _is_resumable(path: Path) -> bool:
    return path.suffix.lower() in VIDEO_OUTPUT_SUFFIXES and container_for(path).resumable


def check_not_in_use(path: Path) -> None:
    """Raises SinkError, with the process, if `path` is being written now."""
    part = part_path(path)
    try:
        descriptor = os.open(part, OPEN_FLAGS & ~os.O_CREAT)
    except OSError:
        return
    try:
        if not try_lock(descriptor):
            raise _in_use(path, descriptor)
    finally:
        os.close(descriptor)


def write_file(path: Path, content: bytes) -> None:
    """Writes a whole file under a part name and renames it. Raises SinkError; then nothing new is left."""
    try:
        with PartFile(path) as part:
            part.file.truncate()
            part.file.write(content)
            part.move(path)
    except OSError as error:
        raise SinkError(f"{path} cannot be written: {error.strerror}") from error


def _is_link(part: Path) -> SinkError:
    return SinkError(f"{part} is a symbolic link, which is not followed; remove it")


def _in_use(path: Path, descriptor: int) -> SinkError:
    return SinkError(f"{path} is being written by {lock_owner(descriptor)}; wait for it, or choose another output")
