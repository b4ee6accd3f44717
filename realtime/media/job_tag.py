"""The tags that say in an output by which job it was made, in every container that has a place for them."""

from __future__ import annotations

from pathlib import Path

from realtime.media.containers import Container, container_for, container_named
from realtime.media.libav import av, open_file

#: The tag that holds the id of the job that made a file.
JOB_TAG = "realtime_job"
#: How far into a transport stream its table of services begins, at most, in bytes.
SERVICE_TABLE_BYTES = 1 << 16


def container_tags(tags: dict[str, str], container: Container) -> dict[str, str]:
    """`tags` under the names that a container has for them, without what is not Unicode."""
    clean = {name: value.encode("utf-8", "replace").decode() for name, value in tags.items()}
    if container.tag_names is None:
        return clean
    return {target: clean[name] for name, target in container.tag_names.items() if name in clean}


def stores_job(path: Path) -> bool:
    """Whether the container that the suffix of `path` means has a place for the job id."""
    names = container_for(path).tag_names
    return names is None or JOB_TAG in names


def read_job(path: Path) -> str | None:
    """The job id in a file's tags; None where there is none, or the file cannot be read.

    Of a transport stream it is the text in which the id stands.
    """
    try:
        with open_file(path) as container:
            return job_text(path, container) or None
    except (av.error.FFmpegError, OSError, ValueError):
        return None


def job_text(path: Path, container: av.container.InputContainer) -> str:
    """Where a file's job id stands, as text. PyAV does not show a transport stream's service names."""
    if container_named(container.format.name).fixed_packets:
        with path.open("rb") as file:
            return file.read(SERVICE_TABLE_BYTES).decode("latin-1")
    return next((value for name, value in container.metadata.items() if name.lower() == JOB_TAG), "")
