"""A page on which people judge by looking: for each case the input, each method's output and the truth side by side."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from realtime.errors import TrainingError

Bytes = npt.NDArray[Any]

SHEET_JPEG_QUALITY = 92
_HEAD = """<!DOCTYPE html><meta charset="utf-8"><title>Contact sheet</title>
<style>body{background:#181818;color:#ddd;font:14px sans-serif}section{display:flex;flex-wrap:wrap;gap:6px}
figure{margin:0}img{width:min(640px,46vw)}figcaption{padding:2px 0 8px}</style>
"""


class ContactSheet:
    """Writes pictures and ``index.html`` into a folder. Raises TrainingError when it cannot."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._body: list[str] = []

    def add(self, title: str, pictures: Mapping[str, Bytes]) -> None:
        """Adds a row of captioned pictures, uint8 RGB (H, W, 3); the page is complete after each."""
        row = len(self._body)
        figures = []
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for column, (caption, picture) in enumerate(pictures.items()):
                name = f"{row:03d}-{column:02d}.jpg"
                bgr = np.ascontiguousarray(picture[..., ::-1])
                packed = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, SHEET_JPEG_QUALITY])[1]
                (self._folder / name).write_bytes(packed.tobytes())
                figures.append(f'<figure><img src="{name}"><figcaption>{escape(caption)}</figcaption></figure>')
            self._body.append(f"<h2>{escape(title)}</h2><section>{''.join(figures)}</section>\n")
            (self._folder / "index.html").write_text(_HEAD + "".join(self._body), "utf-8")
        except OSError as error:
            raise TrainingError(f"cannot write the contact sheet {self._folder}: {error}") from error
