"""Containers: which a suffix means, and the options that keep a half-written file playable."""

from __future__ import annotations

from pathlib import Path

from realtime.media.libav import av

MP4 = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov"}
FORMATS = MP4 | {".mkv": "matroska", ".webm": "webm", ".ts": "mpegts", ".avi": "avi"}
#: Microseconds of sound or pictures that a crash may take along.
AT_RISK = 500_000


def open_output(path: Path, suffix: str) -> av.container.OutputContainer:
    """Opens a container for writing that is readable up to its last half second whenever the process dies."""
    options = {
        # Sparse streams (subtitles, position data) must not hold the others back for the usual ten seconds.
        "max_interleave_delta": str(AT_RISK),
        "flush_packets": "1",
    }
    if suffix in MP4:
        options |= {
            # Fragments while it grows, an ordinary file with one index once it is complete. The delay lets the first
            # index know where each stream starts.
            "movflags": "hybrid_fragmented+delay_moov+use_metadata_tags",
            "frag_duration": str(AT_RISK),
            "use_editlist": "1",
        }
    elif suffix in (".mkv", ".webm"):
        options["cluster_time_limit"] = str(AT_RISK // 1000)
    return av.open(f"file:{path}", "w", format=FORMATS[suffix], container_options=options)
