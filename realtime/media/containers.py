"""What each container can and cannot hold: one table, which reading and writing share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

#: Still pictures that OpenCV reads and writes.
IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})
#: Microseconds of pictures and sound that a crash may take along.
MAX_LOSS = 500_000


@dataclass(frozen=True)
class Container:
    """The traits of one container format.

    Names:
    - `muxer`: libav's name for writing. `demuxer`: one of the names by which libav's demuxer goes.
    - `suffixes`: file names that mean it, the usual one first.

    What it can hold:
    - `tag_names`: which of our tags it has a place for, and its name for each; None is all, under their own names.
    - `rotation`: a display matrix.
    - `cover_attachments`: cover pictures, as attached files.
    - `h264`: the default codec.
    - `b_frames`: pictures that are decoded in another order than they are shown.
    - `frame_times`: a time for each picture. Without them (AVI) a file cannot be resumed, and only decoding times are
      known.
    - `equal_dts`: its muxer takes two packets of a stream with one decoding time.
    - `codec_tags`: four-character codes that players insist on, by codec.
    - `options`: options of the muxer that keep a half-written file playable.

    How it stores packets:
    - `fragments`: as fragments while it grows; an edit list says what is shown.
    - `elements`: as EBML elements side by side (Matroska).
    - `boxes`: as boxes side by side (ISO base media).
    - `fixed_packets`: in pieces of 188 bytes (MPEG-TS).
    - `chunks`: as RIFF chunks side by side (AVI).
    - `full_index`: with an index of all packets, which says how many there must be.
    - `duration_of_last`: the last packet's duration belongs to the picture shown last (MP4), not to the packet's own.
    - `clock_bits`: its clock wraps after so many bits; None is never.
    """

    muxer: str
    demuxer: str
    suffixes: tuple[str, ...]
    tag_names: Mapping[str, str] | None = None
    rotation: bool = True
    cover_attachments: bool = False
    h264: bool = True
    b_frames: bool = True
    frame_times: bool = True
    equal_dts: bool = False
    codec_tags: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    fragments: bool = False
    elements: bool = False
    boxes: bool = False
    fixed_packets: bool = False
    chunks: bool = False
    full_index: bool = False
    duration_of_last: bool = False
    clock_bits: int | None = None

    @property
    def any_tags(self) -> bool:
        """Whether it has a place for tags of any name."""
        return self.tag_names is None

    @property
    def resumable(self) -> bool:
        """Whether an interrupted file can be continued."""
        return self.frame_times


_ISO = {
    "codec_tags": {"hevc": "hvc1"},  # the code by which Apple's players know it
    "fragments": True,
    "boxes": True,
    "full_index": True,
    "duration_of_last": True,
    # Fragments while it grows, an ordinary file with one index once it is complete. The delay lets the first index know
    # where each stream starts.
    "options": {
        "movflags": "hybrid_fragmented+delay_moov+use_metadata_tags",
        "frag_duration": str(MAX_LOSS),
        "use_editlist": "1",
    },
}
_CLUSTERS = {"cluster_time_limit": str(MAX_LOSS // 1000)}
#: Options of every muxer. Sparse streams (subtitles, position data) must not hold the others back for ten seconds.
COMMON_OPTIONS = {"max_interleave_delta": str(MAX_LOSS), "flush_packets": "1"}

MP4 = Container("mp4", "mov", (".mp4", ".m4v"), **_ISO)  # type: ignore[arg-type]
MOV = Container("mov", "mov", (".mov",), **_ISO)  # type: ignore[arg-type]
MATROSKA = Container(
    "matroska", "matroska", (".mkv",), cover_attachments=True, equal_dts=True, elements=True, options=_CLUSTERS
)
WEBM = Container("webm", "webm", (".webm",), h264=False, equal_dts=True, elements=True, options=_CLUSTERS)
MPEGTS = Container(
    "mpegts",
    "mpegts",
    (".ts",),
    tag_names={"enhanced_by": "service_provider", "realtime_job": "service_name"},
    rotation=False,
    fixed_packets=True,
    clock_bits=33,
)
AVI = Container(
    "avi",
    "avi",
    (".avi",),
    tag_names={"enhanced_by": "encoded_by"},
    rotation=False,
    b_frames=False,
    frame_times=False,
    chunks=True,
    full_index=True,
)
#: Containers that can be written.
CONTAINERS = (MP4, MOV, MATROSKA, WEBM, MPEGTS, AVI)
#: Traits of what can only be read and has no line above.
OTHER = Container("", "", ())
PROGRAM_STREAM = Container("", "mpeg", (".mpg",), rotation=False, clock_bits=33)

#: Takes every codec and every kind of stream, and is whole up to its last second whenever the process dies.
SAFEST_SUFFIX = MATROSKA.suffixes[0]
VIDEO_OUTPUT_SUFFIXES = frozenset(suffix for container in CONTAINERS for suffix in container.suffixes)
VIDEO_INPUT_SUFFIXES = VIDEO_OUTPUT_SUFFIXES | {".mts", ".m2ts", ".mpg", ".3gp", ".wmv", ".flv"}


def container_for(path: Path) -> Container:
    """The container that a path's suffix means. Raises KeyError for a suffix outside `VIDEO_OUTPUT_SUFFIXES`."""
    return {suffix: container for container in CONTAINERS for suffix in container.suffixes}[path.suffix.lower()]


def container_named(format_name: str) -> Container:
    """The traits behind libav's name of a muxer or demuxer, such as ``mov,mp4,m4a,3gp,3g2,mj2``."""
    names = format_name.split(",")
    known = (*CONTAINERS, PROGRAM_STREAM)
    written = next((container for container in known if container.muxer and container.muxer == format_name), None)
    return written or next((container for container in known if container.demuxer in names), OTHER)
