"""Writes the matrix into the document: python tests/recordings/table.py [FILE]."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from matrix import COLUMNS, KEPT, Found, enhance
from recipe import Row
from rows import ROWS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "recordings.md"
HEADING = "## The matrix"
MARK = "✓"
TITLES = {
    "times": "pictures, times",
    "sound": "sound, in sync",
    "data": "data, attachments",
    "tags": "chapters, tags",
    "shape": "size, turn, pixels, fields",
    "samples": "samples",
}


def lines(find: Callable[[Row], Found]) -> Iterator[str]:
    """The table, and below it what the program said."""
    yield f"| recording | what it is | given | {' | '.join(TITLES.get(c, c) for c in COLUMNS)} | said |"
    yield "| --- " * (len(COLUMNS) + 4) + "|"
    notes: list[str] = []
    for row in ROWS:
        found = find(row)
        if found.refused:
            cells = ["refused"] + [""] * (len(COLUMNS) - 1)
        else:
            cells = [MARK if cell == KEPT else cell for cell in found.cells.values()]
        numbers = []
        for sentence in filter(None, (*found.said, found.refused)):
            notes += [sentence] if sentence not in notes else []
            numbers.append(str(notes.index(sentence) + 1))
        given = f"`{row.given}`" if row.given else ""
        yield f"| {row.file} | {row.about} | {given} | {' | '.join(cells)} | {', '.join(numbers)} |"
    yield ""
    for number, sentence in enumerate(notes, 1):
        yield f"{number}. {sentence}"


def document(find: Callable[[Row], Found], text: str) -> str:
    """`text` with the table of what `find` finds in place of the one in it, to the next heading."""
    before, _, rest = text.partition(HEADING)
    about, _, _ = rest.partition("\n| recording")
    return f"{before}{HEADING}{about}\n" + "\n".join(lines(find)) + "\n"


if __name__ == "__main__":
    from realtime import Enhancer

    plain = Enhancer(strength=0.0, engine="exact", exposure="off", device="cpu")

    def found(row: Row) -> Found:
        with tempfile.TemporaryDirectory() as folder:
            return enhance(row, Path(folder), plain)

    place = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCUMENT
    place.write_text(document(found, place.read_text("utf-8")), "utf-8")
