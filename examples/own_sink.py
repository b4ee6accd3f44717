"""A sink of your own: every tenth enhanced frame, in one picture.

python examples/own_sink.py [INPUT] [OUTPUT.jpg]
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

import realtime

SAMPLE = Path(__file__).resolve().parents[1] / "samples" / "night_drive.mp4"


class ContactSheet(realtime.Sink):
    """Writes every `step`-th frame into one JPEG, `columns` to a row. A sink needs `write`; frames come as RGB."""

    def __init__(self, path: Path, step: int = 10, columns: int = 3) -> None:
        self.name = str(path)
        self._path, self._step, self._columns = path, step, columns
        self._seen = 0
        self._pictures: list[np.ndarray] = []

    def write(self, frame: realtime.Frame) -> None:
        if self._seen % self._step == 0:
            self._pictures.append(frame.planes[0])
        self._seen += 1

    def close(self) -> None:
        while len(self._pictures) % self._columns:
            self._pictures.append(np.zeros_like(self._pictures[0]))
        rows = [self._pictures[i : i + self._columns] for i in range(0, len(self._pictures), self._columns)]
        sheet = np.vstack([np.hstack(row) for row in rows])
        if not cv2.imwrite(self.name, cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR)):
            raise realtime.SinkError(f"{self.name} cannot be written")


if __name__ == "__main__":
    source = sys.argv[1] if len(sys.argv) > 1 else SAMPLE
    output = Path(sys.argv[2] if len(sys.argv) > 2 else "contact_sheet.jpg")
    report = realtime.run(realtime.open_source(source), realtime.Enhancer(engine="fast"), ContactSheet(output))
    print(f"{output}: from {report.frames} frames")
