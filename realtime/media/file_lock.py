"""An exclusive lock on an open file, which the operating system drops when the process dies."""

from __future__ import annotations

import errno
import os
from pathlib import Path

#: Where Windows locks: far behind the content, which stays readable.
LOCKED_BYTE = 1 << 62


def try_lock(descriptor: int) -> bool:
    """Locks an open file without waiting; False when somebody else has it locked."""
    try:
        if os.name == "nt":
            import msvcrt

            os.lseek(descriptor, LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
            os.lseek(descriptor, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # A file system without locks must not keep anybody from writing.
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)
    return True


def lock_owner(descriptor: int) -> str:
    """Who has the file locked, as far as the system tells: Linux lists locks with their processes."""
    inode = os.fstat(descriptor).st_ino
    try:
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        lines = []
    for fields in map(str.split, lines):
        if len(fields) > 5 and fields[1] == "FLOCK" and fields[5].rpartition(":")[2] == str(inode):
            return f"process {fields[4]}"
    return "another process"
