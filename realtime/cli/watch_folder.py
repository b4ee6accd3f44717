"""Files as they arrive in a folder that a camera writes into."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from stat import S_ISREG

from realtime.cli.io_pairs import IoPair

#: Seconds between two listings. A file is taken when two listings in a row find it unchanged. Notifications of the
#: system would be quicker, but do not exist for network folders.
INTERVAL = 5.0


def watch_folder(
    list_pairs: Callable[[], list[IoPair]], wait: Callable[[float], object] | None = None
) -> Iterator[IoPair]:
    """Each pair of `list_pairs` once its input has stopped growing, and again when it has changed since.

    Never ends by itself. `wait` sleeps for some seconds.
    """
    wait = wait or threading.Event().wait
    seen: dict[Path, tuple[int, int]] = {}
    taken: dict[Path, tuple[int, int]] = {}
    while True:
        for pair in list_pairs():
            try:
                about = pair.source.stat()
            except OSError:
                continue  # gone since it was listed
            if not S_ISREG(about.st_mode):
                continue  # a folder stands for itself while it is empty
            state = about.st_size, about.st_mtime_ns
            if about.st_size and seen.get(pair.source) == state and taken.get(pair.source) != state:
                taken[pair.source] = state
                yield pair
            seen[pair.source] = state
        wait(INTERVAL)
