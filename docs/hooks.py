"""MkDocs hooks: pages that are generated so that they cannot disagree with the program.

`reference/commands.md` is the output of ``--help``; the model card and the changelog lie elsewhere in the repository.
"""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
#: Pages that are made of files outside this folder, and pictures that these need.
ELSEWHERE = {
    "model_card.md": "weights/MODEL_CARD.md",
    "changelog.md": "CHANGELOG.md",
    "curve.png": "weights/curve.png",
    "images/before_after.jpg": "samples/before_after.jpg",
}


def commands() -> str:
    """All commands with their options, as ``--help`` prints them 100 columns wide."""
    os.environ["COLUMNS"] = "100"
    from realtime.cli.main import parser

    top = parser()
    (subparsers,) = (a.choices for a in top._actions if isinstance(a, argparse._SubParsersAction))
    pages = [("realtime", top), *((f"realtime {name}", sub) for name, sub in subparsers.items())]
    parts = ["# Commands\n\nThis page is the output of `--help`.\n"]
    parts += [f"## {name}\n\n```text\n{page.format_help()}```\n" for name, page in pages]
    return "\n".join(parts)


def on_files(files: Files, config: Any) -> Files:
    files.append(File.generated(config, "reference/commands.md", content=commands()))
    for target, source in ELSEWHERE.items():
        files.append(File.generated(config, target, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turns links between files of the repository into links between pages."""
    up = "../" * page.file.src_uri.count("/")
    for target, source in ELSEWHERE.items():
        markdown = re.sub(rf"\]\((?:\.\./)*{re.escape(source)}\)", f"]({up}{target})", markdown)
    return re.sub(r"\]\(\.\./docs/", f"]({up}", markdown)
