"""Files as they arrive in a folder that a camera writes into."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from realtime.cli.io_pairs import Pair

#: Seconds between two looks. A look costs a listing, and a file is taken at the second look that finds it unchanged.
#: Notices of the system would be quicker, but know nothing of network folders, and a camera's minute is not urgent.
INTERVAL = 5.0


def arrivals(look: Callable[[], list[Pair]], wait: Callable[[float], object] | None = None) -> Iterator[Pair]:
    """Each pair of `look` once its input has stopped growing; again when it has changed since. Never ends by itself."""
    wait = wait or threading.Event().wait
    seen: dict[Path, tuple[int, int]] = {}
    taken: dict[Path, tuple[int, int]] = {}
    while True:
        for pair in look():
            try:
                about = pair.source.stat()
            except OSError:
                continue  # gone between the listing and this
            state = about.st_size, about.st_mtime_ns
            if about.st_size and seen.get(pair.source) == state and taken.get(pair.source) != state:
                taken[pair.source] = state
                yield pair
            seen[pair.source] = state
        wait(INTERVAL)
