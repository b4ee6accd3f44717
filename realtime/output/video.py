"""Video files, encoded by PyAV: H.264 with the source's size, timestamps, colour tags, sound and subtitles."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

from realtime.errors import SettingError, SinkError
from realtime.frame import Frame, StreamInfo
from realtime.media import av
from realtime.output.copied import CopiedStreams
from realtime.output.picture import encodable
from realtime.output.presets import PRESETS
from realtime.output.sink import Sink, part_of

#: Numeric colour tags, ISO/IEC 23091-2.
MATRIX_TAGS = {"bt601": 6, "bt709": 1, "bt2020": 9}
LIMITED, FULL = 1, 2


class VideoOutput(Sink):
    """Writes H.264 beside the final name and renames when complete; after a failure nothing is left.

    `crf` 0..51 (0 is lossless) and `preset` are x264's. Odd sizes get one more row or column, a copy of the last:
    4:2:0 has no odd ones.
    """

    wants_rgb = False

    def __init__(self, path: Path, crf: int = 18, preset: str = "veryfast") -> None:
        if not 0 <= crf <= 51:
            raise SettingError(f"crf {crf} is outside 0..51")
        if preset not in PRESETS:
            raise SettingError(f"preset {preset!r} is not one of {', '.join(PRESETS)}")
        self._path, self._part = path, part_of(path)
        self._options = {"crf": str(crf), "preset": preset}
        self._container: av.container.OutputContainer | None = None

    def open(self, info: StreamInfo) -> None:
        # Set here and not by the caller: a recording beside a window gets RGB and is converted on its way in.
        matrix = info.format.matrix if info.format.model == "yuv" else "bt709" if info.height >= 720 else "bt601"
        full = info.format.model == "yuv" and info.format.full_range
        try:
            container = av.open(str(self._part), "w")
            stream = container.add_stream("libx264", rate=info.rate or Fraction(25), options=self._options)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise SinkError(f"{self._path} cannot be written: {error}") from error
        self._container, self._stream = container, stream
        codec = stream.codec_context
        codec.width, codec.height = info.width + info.width % 2, info.height + info.height % 2
        codec.pix_fmt = "yuv420p"
        codec.time_base = info.time_base
        codec.colorspace, codec.color_range = MATRIX_TAGS[matrix], FULL if full else LIMITED
        codec.color_primaries, codec.color_trc = info.tags
        self._tags = codec.colorspace, codec.color_range
        self._copied = CopiedStreams(container, info)

    def write(self, frame: Frame) -> None:
        picture = encodable(frame, *self._tags)
        self._copied.write_until(frame.seconds)
        self._mux(self._stream.encode(picture))

    def close(self) -> None:
        if self._container is None:
            return
        try:
            self._mux(self._stream.encode(None))
            self._copied.write_until(None)
            self._container.close()
            os.replace(self._part, self._path)
        except (av.error.FFmpegError, OSError) as error:
            self.abort()
            raise SinkError(f"{self._path} cannot be finished: {error}") from error
        finally:
            self._copied.close()
            self._container = None

    def abort(self) -> None:
        if self._container is None:
            return
        self._copied.close()
        try:
            self._container.close()
        except (av.error.FFmpegError, OSError):
            pass  # The failure that led here is the one to hear about.
        self._container = None
        self._part.unlink(missing_ok=True)

    def _mux(self, packets: list[av.Packet]) -> None:
        assert self._container is not None
        try:
            self._container.mux(packets)
        except (av.error.FFmpegError, OSError) as error:
            raise SinkError(f"{self._path} cannot be written: {error}") from error
