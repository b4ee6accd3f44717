"""Tables on the terminal, in plain columns."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from realtime.cli.terminal import clean, write

#: Columns that a table may take where no terminal limits it: a log, a pipe.
UNLIMITED = 1000


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, error: bool = False) -> None:
    """Prints rows under their columns' names, to stdout or with `error` to stderr. None is an empty cell."""
    import io

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    stream = sys.stderr if error else sys.stdout
    table = Table(box=None, pad_edge=False, show_edge=False)
    for index, name in enumerate(columns):
        numeric = all(isinstance(row[index], int | float | None) for row in rows)
        table.add_column(Text(clean(name)), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else clean(str(cell))) for cell in row))
    text = io.StringIO()
    Console(file=text, width=None if stream.isatty() else UNLIMITED, no_color=True).print(table)
    write("".join(line.rstrip() + "\n" for line in text.getvalue().splitlines()), error=error)
