"""How a recording for the matrix is made, by Debian's ffmpeg."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from realtime import EncodingOptions, InputOverrides

#: What is there to be put in, beside a cover picture.
TEXTS = {
    "words.srt": "1\n00:00:00,080 --> 00:00:00,200\nhello\n\n2\n00:00:00,240 --> 00:00:00,400\nworld\n",
    "trip.txt": ";FFMETADATA1\ntitle=Trip\nartist=Front camera\n"
    "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=240\ntitle=one\n"
    "[CHAPTER]\nTIMEBASE=1/1000\nSTART=240\nEND=480\ntitle=two\n",
    "font.ttf": "no font, but an attachment",
    "position.bin": "GPS 47.5 19.0 ".ljust(1024) * 3,
}


@dataclass(frozen=True, eq=False)
class Row:
    """A recording for the matrix.

    - `file`: its name. `about`: what is special about it. `how`: ffmpeg's options behind a test picture.
    - `again`: copies all streams once more, with options before and after the input, divided by an exclamation mark;
      what is copied is of the format `via`.
    - `out`: the output's name where it is not the one that the program chooses.
    - `options`: fields of `EncodingOptions` and `InputOverrides`.
    - `changes`: the cells that are not "kept". `said`: the warnings, by a part of each. `refused`: a part of the error.
    """

    file: str
    about: str
    how: str
    again: str = ""
    via: str = ""
    size: str = "64x48"
    out: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, str] = field(default_factory=dict)
    said: tuple[str, ...] = ()
    refused: str = ""

    @property
    def encoding(self) -> EncodingOptions:
        return EncodingOptions(**{key: self.options[key] for key in ("codec", "pixel_format") if key in self.options})

    @property
    def input(self) -> InputOverrides:
        return InputOverrides(**{key: self.options[key] for key in ("matrix", "hdr") if key in self.options})

    @property
    def given(self) -> str:
        """`options` and `out` as a user gives them."""
        names = {"codec": "--codec", "pixel_format": "--pixel-format", "matrix": "--input-matrix", "hdr": "--hdr as-is"}
        values = [names[key] if value is True else f"{names[key]} {value}" for key, value in self.options.items()]
        return " ".join([*values, f"-o {self.out}"] if self.out else values)

    def make(self, folder: Path) -> Path:
        """Makes the recording in an empty folder of its own."""
        for name, text in TEXTS.items():
            (folder / name).write_text(text)
        ffmpeg(folder, "-f lavfi -i color=red:s=32x32 -frames:v 1 cover.png")
        made = f"copied{self.via or Path(self.file).suffix}" if self.again else self.file
        ffmpeg(folder, f"-f lavfi -i testsrc2=s=64x48:r=25:d=0.48 {self.how} -s {self.size} {made}")
        if self.again:
            before, after = self.again.split("!")
            ffmpeg(folder, f"{before} -i {made} -map 0 -c copy {after} {self.file}")
        return folder / self.file


def ffmpeg(folder: Path, arguments: str) -> None:
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", *arguments.split()]
    subprocess.run(command, check=True, capture_output=True, timeout=60, cwd=folder)
