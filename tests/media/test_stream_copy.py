"""What goes beside the pictures; whole recordings are compared in `tests/recordings`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ffmpeg_tools import FRAME, decoding_errors, make_recording, packet_times
from iso_mutations import boxes
from media_mutations import record
from plain import Plain

from realtime import StreamInfo, enhance_video
from realtime.media.libav import av
from realtime.media.stream_copy import StreamCopier


class FailingMuxer:
    """An output whose muxer refuses every packet."""

    format = av.ContainerFormat("mpegts")

    def __init__(self, error: Exception) -> None:
        self._error = error

    def mux(self, packet: Any) -> None:
        raise self._error


@pytest.mark.parametrize(
    "refused",
    [
        av.error.InvalidDataError(1094995529, "AAC packet too short"),
        av.error.PatchWelcomeError(1163346256, "composition offset out of range"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_damaged_sound_does_not_cost_the_pictures_and_a_full_disk_does(refused: Exception) -> None:
    info = StreamInfo(64, 48)
    StreamCopier(FailingMuxer(refused), info).mux(av.Packet(b"x"))
    assert (info.diagnostics.counts["skipped_packets"], info.diagnostics.damaged) == (1, True)
    with pytest.raises(OSError, match="No space"):
        StreamCopier(FailingMuxer(OSError(28, "No space left on device")), info).mux(av.Packet(b"x"))


@pytest.mark.needs("ffmpeg", "ffprobe")
def test_the_last_sound_without_its_header_does_not_cost_the_end_of_a_transport_stream(tmp_path: Path) -> None:
    """libav's muxer notices when it writes its queue, which then is lost."""
    source, damaged = make_recording(tmp_path / "a.ts", seconds=2), tmp_path / "b.ts"
    with av.open(str(source)) as reading, av.open(str(damaged), "w") as writing:
        streams = {s.index: writing.add_stream_from_template(s, opaque=True) for s in reading.streams}
        packets = [packet for packet in reading.demux() if packet.size]
        last = [packet for packet in packets if packet.stream.type == "audio"][-1]
        for packet in packets:
            packet.stream = streams[packet.stream.index]
            writing.mux(packet)
    data = damaged.read_bytes()
    header = bytes(last)[:7]
    assert data.count(header) >= 1
    where = data.rindex(header)
    damaged.write_bytes(data[:where] + bytes([header[0] ^ 0x0F]) + data[where + 1 :])
    report = enhance_video(damaged, tmp_path / "out.ts", enhancer=Plain())
    assert report.frames == 50
    assert report.damaged


@pytest.mark.needs("ffmpeg", "ffprobe")
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize(
    ("box", "which", "field"),
    [("tfhd", 3, 16), ("trun", -1, 12), ("trun", -1, 28), ("trun", 3, 0), ("trun", -1, 0)],
    ids=["length of all", "length of a packet", "length of another", "sizes as lengths", "of the last"],
)
def test_lengths_and_delays_of_sound_that_no_muxer_takes(
    box: str, which: int, field: int, suffix: str, tmp_path: Path
) -> None:
    data = bytearray(record(tmp_path, "fragments.mp4").read_bytes())
    at = [at for kind, at, _ in boxes(bytes(data)) if kind == box.encode()][which] + 8 + field
    data[at : at + 4] = ((1 << 32) - 8874).to_bytes(4, "big")
    (tmp_path / "damaged.mp4").write_bytes(data)
    report = enhance_video(tmp_path / "damaged.mp4", tmp_path / f"out{suffix}", enhancer=Plain())
    assert report.frames == len(packet_times(tmp_path / f"out{suffix}", "v:0")) == 150
    assert report.warnings


@pytest.mark.needs("ffmpeg", "ffprobe")
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("offset", ["0", "95440"], ids=["from zero", "across the wrap of the clock"])
def test_sound_of_a_transport_stream_goes_into_other_containers(suffix: str, offset: str, tmp_path: Path) -> None:
    source = make_recording(tmp_path / "a.ts", "-output_ts_offset", offset, "-mpegts_copyts", "1", seconds=6)
    enhance_video(source, tmp_path / f"out{suffix}", enhancer=Plain())
    assert decoding_errors(tmp_path / f"out{suffix}") == ""
    before, after = (
        [packet_times(path, kind) for kind in ("v:0", "a:0")] for path in (source, tmp_path / f"out{suffix}")
    )
    assert [len(found) for found in after] == [len(found) for found in before]
    assert abs((after[1][0] - after[0][0]) - (before[1][0] - before[0][0])) < FRAME


@pytest.mark.needs("ffmpeg", "ffprobe")
@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_sound_whose_header_is_damaged_does_not_make_the_output_unreadable(suffix: str, tmp_path: Path) -> None:
    data = bytearray(record(tmp_path, "a.webm").read_bytes())
    data[data.index(b"OpusHead") + 9] = 0  # channels
    (tmp_path / "damaged.webm").write_bytes(data)
    report = enhance_video(tmp_path / "damaged.webm", tmp_path / f"out{suffix}", enhancer=Plain())
    assert report.damaged
    assert "the header of stream 1 (audio) is damaged" in report.warnings
    assert len(packet_times(tmp_path / f"out{suffix}", "v:0")) == report.frames == 150
