"""Paths as users write them."""

from __future__ import annotations

from pathlib import Path


def expand_user(path: str | Path) -> Path:
    """The path with a leading ``~`` or ``~user`` replaced by the home folder, unless a file has that very name or there
    is no such user."""
    plain = Path(path)
    if plain.exists():
        return plain
    try:
        return plain.expanduser()
    except RuntimeError:
        return plain
