"""Video files: written to a part file and renamed when they are complete."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from realtime.config import EncodingOptions
from realtime.errors import SettingError, SinkError
from realtime.frame import Frame, PixelFormat, StreamInfo
from realtime.media.completeness import check_written
from realtime.media.containers import container_for
from realtime.media.encode import encoder_name, output_format, reduction
from realtime.media.encoders import try_encoder
from realtime.media.libav import av
from realtime.media.packet_scan import SourceTimes
from realtime.media.part_file import PartFile, check_output, previous_part_path
from realtime.media.partial import KeptPart, find_kept_part, holds_frames
from realtime.media.video_writer import VideoWriter
from realtime.sinks.base import Sink

#: Seconds between two moments at which everything written is forced to the disk: what a power cut may take.
SYNC_SECONDS = 1.0


class VideoFileSink(Sink):
    """Writes a video file with the other streams of the source's file.

    The part file beside the final name is playable at any time, and no other process can write it meanwhile. `abort`
    keeps it if it holds frames, so that a later run can `resume`. After `stop_early` the file ends with its last frame.
    Raises SinkError when the hardware encoder that was asked for does not work.
    """

    def __init__(
        self, path: Path, options: EncodingOptions | None = None, *, overwrite: bool = False, resume: bool = False
    ) -> None:
        self.name = str(path)
        self._path, self._options, self._overwrite, self._resume = path, options or EncodingOptions(), overwrite, resume
        self._part = PartFile(path)
        self._tags: dict[str, str] = {}
        self._kept: KeptPart | None = None
        self._writer: VideoWriter | None = None
        self._started = self._stopped_early = False
        name = encoder_name(self._options)
        if self._options.hwaccel and (problem := try_encoder(name)):
            raise SinkError(f"{name} {problem}", remedies={"hwaccel": "leave {} out to encode in software"})

    def set_metadata(self, tags: dict[str, str]) -> None:
        """Tags for the file to carry, before `open`: how it came to be."""
        self._tags = dict(tags)

    def resume(self, job_id: str, info: StreamInfo, source_times: SourceTimes) -> int:
        """How many frames an interrupted run of the same job left; they are kept and need not be written again.

        To be called before `open`. What is damaged of them is not kept, which is a warning in ``info.diagnostics``.
        Raises SinkError when all that is left belongs to another job, or when another process is writing.
        """
        self._part.acquire()
        kept = find_kept_part(self._path, job_id)
        if kept is None:
            if self._part.size:
                info.diagnostics.warn("nothing that an interrupted run left can be continued; starts over")
            return 0
        if dropped := kept.check(source_times):
            info.diagnostics.warn(f"{dropped} frames of the interrupted run are damaged and are done again")
        if kept.frames:
            if kept.path == self._part.path:  # out of the way of the new part
                kept.path = previous_part_path(self._path)
                self._part.move(kept.path)
                self._part.acquire()
            self._kept = kept
        return kept.frames

    def format_for(self, info: StreamInfo) -> PixelFormat:
        if text := reduction(self._options, info):
            info.diagnostics.warn(text)
        return output_format(self._options, info)

    def open(self, info: StreamInfo) -> None:
        self._refuse_own_input(info)
        self._info, self._synced = info, monotonic()
        format = info.format if info.format.model != "rgb" else output_format(self._options, info)
        self._part.acquire()
        try:
            check_output(self._path, self._overwrite, self._resume)
        except SinkError:
            self.abort()
            raise
        with self._translate_errors("written"):
            if self._kept is None:
                previous_part_path(self._path).unlink(missing_ok=True)
            self._part.file.truncate(0)
            self._started = True
            self._writer = VideoWriter(self._part.file, self._path, info, format, self._options, self._tags)

    def write(self, frame: Frame) -> None:
        assert self._writer is not None
        if (frame.width, frame.height) != (self._info.width, self._info.height):
            raise SinkError(
                f"{self._path} has frames of {self._info.width}x{self._info.height}, and one of "
                f"{frame.width}x{frame.height} came; resize it first"
            )
        with self._translate_errors("written"):
            if self._kept is not None:
                kept, self._kept = self._kept, None
                self._writer.mux(kept.packets(frame.pts * frame.time_base))
            self._writer.encode(frame)
            if monotonic() - self._synced > SYNC_SECONDS:
                self._synced = monotonic()
                self._part.sync()

    def write_packets(self, packets: Iterable[av.Packet]) -> None:
        """Writes frames that were encoded elsewhere with the same options, in place of frames to encode."""
        assert self._writer is not None
        with self._translate_errors("written"):
            self._writer.mux(packets)

    def stop_early(self) -> None:
        """The next frames are the last; sound behind them is not written."""
        self._stopped_early = True

    def close(self) -> None:
        if self._writer is None:
            self.abort()
            return
        with self._translate_errors("finished"):
            self._writer.flush()
            if self._stopped_early and not self._writer.frames:
                self.abort()  # no frame came: what an interrupted run left stays
                return
            if self._kept is not None:
                raise SinkError(f"{self._info.name} ended before the {self._kept.frames} frames that were kept of it")
            self._writer.finish(self._stopped_early)
            self._part.sync()
            check_written(self._part.path, self._writer.frames)
            if self._path.exists() and not self._overwrite:
                raise SinkError(f"{self._path} has appeared meanwhile, and is not replaced")
            self._part.move(self._path)
            previous_part_path(self._path).unlink(missing_ok=True)
        self._writer = None

    def abort(self) -> None:
        """Ends the part file so that it can be played and resumed; removes it if it holds no frame."""
        writer, self._writer = self._writer, None
        if writer is not None:
            try:
                writer.flush()
            except (av.error.FFmpegError, OSError, ValueError):
                pass  # the failure that led here is the one to report
            writer.close()
            try:
                self._part.sync()
            except (OSError, SinkError):
                pass  # likewise
        if not self._part.acquired:
            return
        holds_own = writer is not None and self._kept is None and holds_frames(self._part.path)
        holds_other = not self._started and self._part.size > 0  # an interrupted run's
        if holds_own or holds_other:
            self._part.release()
        else:
            self._part.remove()

    def _refuse_own_input(self, info: StreamInfo) -> None:
        source = info.path or Path(info.name)  # a file that is played as a live source has only its name
        if self._path.exists() and source.exists() and self._path.samefile(source):
            raise SettingError(f"{self._path} is the input; writing over it would destroy it")

    @contextmanager
    def _translate_errors(self, verb: str) -> Iterator[None]:
        """Turns an error into a SinkError that says what is kept, after closing everything."""
        try:
            yield
        except SettingError:
            self.abort()
            raise
        except (av.error.FFmpegError, OSError, ValueError, SinkError) as error:
            self.abort()
            known = error if isinstance(error, SinkError) else None
            text = known.problem if known else f"{self._path} cannot be {verb}: {_reason(error)}"
            remedies = dict(known.remedies) if known else {}
            if self._part.path.exists():
                text += f"; what was written is kept in {self._part.path}"
                if container_for(self._path).resumable:
                    remedies["resume=True"] = "{} continues it"
            raise SinkError(text, remedies=remedies) from error


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).rstrip(".")
