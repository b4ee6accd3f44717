"""Video files: written to a part file and renamed when they are complete."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from time import monotonic

from realtime.config import EncodingOptions
from realtime.errors import SinkError
from realtime.frame import Frame, PixelFormat, StreamInfo
from realtime.media.containers import container_for
from realtime.media.encode import encoder_name, output_format, reduction
from realtime.media.encoders import try_encoder
from realtime.media.libav import av
from realtime.media.opening import reason
from realtime.media.part_file import PartFile, previous_part_path
from realtime.media.partial import KeptPart, container_metadata, find_kept_part
from realtime.media.video_writer import VideoWriter
from realtime.sinks.base import Sink

#: Seconds between two moments at which everything written is forced to the disk: what a power cut may take.
SYNC_SECONDS = 1.0


class VideoFileSink(Sink):
    """Writes a video file with the other streams of the source's file.

    The part file beside the final name is playable at any time. `abort` keeps it, flushed, if it holds frames, so that
    `resume` can continue it; with `keep_partial` it gets the final name instead, as far as it goes, if the stream was
    ended on request. Raises SinkError when the hardware encoder that was asked for does not work.
    """

    def __init__(self, path: Path, options: EncodingOptions | None = None, keep_partial: bool = False) -> None:
        self.name = str(path)
        self._path, self._options, self._keep_partial = path, options or EncodingOptions(), keep_partial
        self._part = PartFile(path)
        self._tags: dict[str, str] = {}
        self._kept: KeptPart | None = None
        self._writer: VideoWriter | None = None
        self._stopped_early = False
        self._broken = False
        name = encoder_name(self._options)
        if self._options.hwaccel and (problem := try_encoder(name)):
            raise SinkError(f"{name} {problem}; leave hwaccel out to encode in software")

    def set_metadata(self, tags: dict[str, str]) -> None:
        """Tags for the file to carry, before `open`: how it came to be."""
        self._tags = dict(tags)

    def resume(self, job_id: str, source_times: Callable[[], Sequence[Fraction]]) -> int:
        """How many frames an interrupted run of the same job left that can be kept; they are not written again.

        `source_times` returns the times of the source's frames in seconds. Raises SinkError when the part belongs to
        another job or is being written.
        """
        with self._part:
            kept = find_kept_part(self._path, job_id, source_times())
            if kept is not None and kept.frames and kept.path == self._part.path:
                self._part.move(previous_part_path(self._path))  # out of the way of the new one
                kept.path = previous_part_path(self._path)
            elif not self._part.path.stat().st_size:
                self._part.remove()
        if kept is not None and kept.frames:
            self._kept = kept
        return 0 if self._kept is None else self._kept.frames

    def format_for(self, info: StreamInfo) -> PixelFormat:
        if text := reduction(self._options, info):
            info.diagnostics.warn(text)
        return output_format(self._options, info)

    def open(self, info: StreamInfo) -> None:
        self._synced = monotonic()
        tags = container_metadata(self._tags, self._path)
        format = info.format if info.format.model != "rgb" else output_format(self._options, info)
        try:
            with self._translate_errors("written"):
                self._part.acquire()
                self._writer = VideoWriter(self._part.path, self._path, info, format, self._options, tags)
                self._part.check()
        except BaseException:
            self._discard_empty()
            raise

    def write(self, frame: Frame) -> None:
        assert self._writer is not None
        with self._translate_errors("written"):
            if self._kept is not None:
                kept, self._kept = self._kept, None
                self._writer.mux(kept.packets(frame.pts * frame.time_base))
            self._writer.encode(frame)
            if monotonic() - self._synced > SYNC_SECONDS:
                self._synced = monotonic()
                self._part.sync()

    def stop_early(self) -> None:
        """The next frames are the last; sound behind them is not written."""
        self._stopped_early = True

    def close(self) -> None:
        if self._writer is None:
            return
        with self._translate_errors("finished"):
            self._writer.flush()
            if self._stopped_early and not self._writer.frames:
                self.abort()  # a file of nothing is none
                return
            self._writer.finish(self._stopped_early)
            self._part.sync()
            self._part.move(self._path)
            previous_part_path(self._path).unlink(missing_ok=True)
        self._writer = None

    def abort(self) -> None:
        writer, self._writer = self._writer, None
        if writer is None:
            self._discard_empty()
            return
        try:
            if not self._broken:
                writer.flush()
        except (av.error.FFmpegError, OSError):
            self._broken = True
        if self._keep_partial and self._stopped_early and writer.frames and not self._broken:
            self._writer = writer
            with self._translate_errors("finished"):
                writer.finish(stopped_early=True)
                self._part.sync()
                self._part.move(self._path)
            self._writer = None
            return
        writer.close()
        if writer.frames and not self._kept:
            self._part.release()
        else:
            self._discard_empty()

    def _discard_empty(self) -> None:
        """Removes the part file of a run that wrote nothing; what an earlier run left stays."""
        self._part.remove()

    @contextmanager
    def _translate_errors(self, verb: str) -> Iterator[None]:
        """Turns a library's error into a SinkError that says what is kept, after closing everything."""
        try:
            yield
        except (av.error.FFmpegError, OSError) as error:
            frames = self._writer.frames if self._writer else 0
            self._broken = True
            self.abort()
            kept = ""
            if frames and os.path.lexists(self._part.path):
                kept = f"; what was written is kept in {self._part.path}"
                kept += ", resume continues it" if container_for(self._path).resumable else ""
            raise SinkError(f"{self._path} cannot be {verb}: {reason(error)}{kept}") from error
        except SinkError:
            self._broken = True
            self.abort()
            raise
