"""Files one after another: one that fails does not keep the others from being done."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from realtime.cli import options
from realtime.cli.io_pairs import IoPair
from realtime.cli.results import ProgressListener, ResultCollector, progress_bar
from realtime.errors import SettingError
from realtime.existing import is_done
from realtime.media.containers import VIDEO_OUTPUT_SUFFIXES, container_for

if TYPE_CHECKING:
    from realtime.enhance.enhancer import Enhancer
    from realtime.report import Report


class Batch:
    """Enhances pairs of files with the settings in the arguments of ``realtime enhance``. Raises SettingError."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._enhancing = options.enhance_options(args)
        self._encoding = options.encoding_options(args)
        self._overrides = options.input_overrides(args)
        self._results = ResultCollector("enhance", args)
        self._enhancer: Enhancer | None = None
        self._enhancer_error: Exception | None = None

    def run(self, pairs: Iterable[IoPair], total: int | None) -> int:
        """Enhances all `pairs`, `total` in number (None: nobody knows), and returns the exit code.

        After an interrupt raises KeyboardInterrupt that says what is left and how to go on.
        """
        count = 0
        try:
            for index, pair in enumerate(pairs):
                count += 1
                with progress_bar(pair.source.name, self._args, index, total or 1) as listener:
                    self._enhance(pair, listener, total != 1)
                if self._enhancer_error is not None:
                    break  # it would fail for all others as well
        except KeyboardInterrupt:
            self._results.finish(interrupted=True)
            raise
        self._results.finish()
        single_usage = count == 1 and isinstance(self._results.last_error, SettingError)
        return 2 if single_usage and not self._args.watch else self._results.exit_code

    def _enhance(self, pair: IoPair, listener: ProgressListener, several: bool) -> None:
        """Enhances one file, unless its output is up to date, and adds what became of it to the results."""
        try:
            target = pair.prepare()
            settings = self._enhancing, self._encoding, self._overrides
            if self._args.skip_existing and is_done(pair.source, target, *settings):
                self._results.skipped += 1
                return
            report = self._enhance_video(pair.source, target, listener)
        except KeyboardInterrupt:
            self._results.add(pair.source, pair.target, listener, interrupted=True)
            raise KeyboardInterrupt(self._what_is_left(pair.target, listener, several)) from None
        except Exception as error:  # also one that nobody expected: the other files are still to be done
            self._results.add(pair.source, pair.target, listener, error=error)
        else:
            self._results.add(pair.source, target, listener, report)

    def _enhance_video(self, source: Path, target: Path, listener: ProgressListener) -> Report:
        from realtime.api import enhance_video

        return enhance_video(
            source,
            target,
            enhancer=self._make_enhancer,
            encoding=self._encoding,
            input=self._overrides,
            overwrite=self._args.overwrite or self._args.skip_existing,
            resume=self._args.resume,
            keep_partial=self._args.keep_partial,
            manifest=self._args.manifest,
            progress=listener,
            on_message=listener.on_message,
        )

    def _make_enhancer(self) -> Enhancer:
        """One enhancer for all files, made when the first of them proved usable."""
        if self._enhancer is None:
            try:
                self._enhancer = options.make_enhancer(self._args)
            except Exception as error:
                self._enhancer_error = error
                raise
        return self._enhancer

    def _what_is_left(self, target: Path | None, listener: ProgressListener, several: bool) -> str:
        """What an interrupt left of the file it met, and the command that goes on."""
        from realtime.media.part_file import part_path

        frames = listener.last.frames if listener.last else 0
        if target is None or target.suffix.lower() not in VIDEO_OUTPUT_SUFFIXES:
            return "nothing was written"
        if self._args.keep_partial and target.exists() and frames:
            return f"{target} is playable, with {frames} frames of this run"
        part = part_path(target)
        if not part.exists():
            return "nothing was written"
        if not container_for(target).resumable:
            return f"{part} holds {frames} frames; {target.suffix} files cannot be resumed"
        again = [word for word in self._args.arguments if word not in ("--overwrite", "--resume", "--skip-existing")]
        again.append("--resume")
        if several or self._args.overwrite or self._args.skip_existing:
            again.append("--skip-existing")
        return f"{part} keeps what was done; go on with: {shlex.join(['realtime', *again])}"
