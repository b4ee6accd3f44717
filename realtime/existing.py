"""Whether an output that exists is what this call would make."""

from __future__ import annotations

from pathlib import Path

from realtime.config import EncodingOptions, EnhanceOptions, InputOverrides
from realtime.errors import SinkError
from realtime.media.containers import VIDEO_OUTPUT_SUFFIXES


def is_done(
    source: Path, target: Path, enhance: EnhanceOptions, encoding: EncodingOptions, overrides: InputOverrides
) -> bool:
    """Whether `target` is the whole result of `source` with these options; False where there is none.

    Raises SinkError for a video that this program did not make, which is not ours to replace.
    """
    from realtime.api import is_up_to_date

    if not target.exists():
        return False
    if is_up_to_date(source, target, enhancer=enhance, encoding=encoding, input=overrides):
        return True
    if _is_foreign(target):
        remedies = {"overwrite=True": "{} replaces it"}
        raise SinkError(f"{target} exists and was not made by this program", remedies=remedies)
    return False


def _is_foreign(target: Path) -> bool:
    """Whether a video does not carry the tag that this program's outputs carry, where the container has it."""
    from realtime.media.job_tag import read_job, stores_job
    from realtime.media.partial import holds_frames

    if target.suffix.lower() not in VIDEO_OUTPUT_SUFFIXES or not stores_job(target):
        return False
    return read_job(target) is None and holds_frames(target)
