"""The table of containers."""

from __future__ import annotations

from pathlib import Path

import pytest
import synthetic

from realtime.media.containers import (
    AVI,
    CONTAINERS,
    MATROSKA,
    MOV,
    MP4,
    MPEGTS,
    OTHER,
    VIDEO_OUTPUT_SUFFIXES,
    WEBM,
    Container,
    container_for,
    container_named,
)
from realtime.media.libav import av


@pytest.mark.parametrize("suffix", sorted(VIDEO_OUTPUT_SUFFIXES))
def test_what_is_written_under_a_suffix_is_read_back_as_that_container(suffix: str, tmp_path: Path) -> None:
    codec = "libvpx-vp9" if suffix == ".webm" else "libx264"
    path = synthetic.clip(tmp_path / f"a{suffix}", codec=codec)
    container = container_for(path)
    with av.open(str(path)) as read:
        found = container_named(read.format.name)
    same_demuxer = {MOV.muxer: MP4, WEBM.muxer: MATROSKA}
    assert found == same_demuxer.get(container.muxer, container)


@pytest.mark.parametrize("container", CONTAINERS, ids=lambda container: container.muxer)
def test_muxers_exist(container: Container) -> None:
    assert container_named(container.muxer) is container
    assert av.ContainerFormat(container.muxer, "w").is_output


def test_what_has_no_line_has_the_traits_of_a_common_one() -> None:
    assert container_named("flv") == OTHER
    with pytest.raises(KeyError):
        container_for(Path("a.txt"))


def test_traits_that_the_rest_relies_on() -> None:
    assert [c for c in CONTAINERS if not c.resumable] == [AVI]
    assert [c for c in CONTAINERS if not c.any_tags] == [MPEGTS, AVI]
    assert MPEGTS.clock_bits == 33
