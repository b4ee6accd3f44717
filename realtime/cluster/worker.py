"""A worker: one process somewhere in the cluster that loads the network once and takes one file after another."""

from __future__ import annotations

import platform
import threading
from pathlib import Path
from typing import Any

from realtime.api import enhance_video
from realtime.cluster.storage import is_remote, staged
from realtime.cluster.tasks import FileResult, FileTask, WorkerSettings, versions
from realtime.errors import RealtimeError
from realtime.report import Report


class Worker:
    """Enhances files. Ray runs it as an actor with two threads: `frames` answers while `enhance` works."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._enhancer: Any = None
        self._lock = threading.Lock()
        self._frames = 0

    def versions(self) -> dict[str, str]:
        """Versions of what decides how files come out, and the node's name."""
        return versions() | {"node": platform.node()}

    def frames(self) -> int:
        """Frames of the present file that are done."""
        return self._frames

    def enhance(self, task: FileTask) -> FileResult:
        """Enhances one file; errors of this package become the result's."""
        self._frames = 0
        node = platform.node()
        try:
            if not is_remote(task.source) and not Path(task.source).exists():
                return FileResult(
                    task, node, error=f"node {node} does not see {task.source}; use a path that all nodes see"
                )
            cache = None if self._settings.cache is None else Path(self._settings.cache)
            with staged(task.source, task.target, cache) as (source, target):
                report = enhance_video(
                    source,
                    target,
                    enhancer=self._shared_enhancer,
                    input=task.input,
                    encoding=task.encoding,
                    overwrite=task.overwrite,
                    resume=task.resume,
                    manifest=task.manifest,
                    progress=self._progress,
                )
            return FileResult(task, node, report)
        except (RealtimeError, OSError) as error:
            return FileResult(task, node, error=f"{error} (on node {node})")
        except Exception as error:  # one file must not cost the others
            return FileResult(task, node, error=f"unexpected {type(error).__name__}: {error} (on node {node})")

    def _progress(self, report: Report) -> None:
        self._frames = report.frames

    def _shared_enhancer(self) -> Any:
        with self._lock:
            if self._enhancer is None:
                from realtime.enhance.enhancer import Enhancer

                self._enhancer = Enhancer(self._settings.enhance)
            return self._enhancer
