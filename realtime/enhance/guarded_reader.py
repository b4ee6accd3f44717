"""Reads weights files: one of unknown origin in a process of its own, within limits of time and memory.

The HDF5 library has no limits: in a damaged file it may search for ever, ask for all memory, or crash.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from realtime.enhance import tensors
from realtime.errors import WeightsError

#: Seconds, and bytes of address space, that reading a file may take: a hundred times what usual files take.
LIMIT_SECONDS, LIMIT_BYTES = 30.0, 4 << 30
#: What the process that reads runs. It limits itself before it loads anything.
_PROGRAM = """
import sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
except (ImportError, OSError, ValueError):
    pass  # a system without such limits; that of time remains
from realtime.enhance.guarded_reader import answer
answer(sys.argv[2], sys.stdin.read())
"""
#: Exit code with which that process refuses a file; its message is on stderr.
_REFUSED = 3


def read_tensors(
    path: Path, shapes: Sequence[tuple[int, ...]], network: str, known: bool = False
) -> list[tensors.Array]:
    """As `tensors.read_tensors`, within limits unless the file is `known`, its checksum having been compared. Raises
    WeightsError, also where a limit is met."""
    if known:
        return tensors.read_tensors(path, shapes, network)
    with np.load(io.BytesIO(_ask("tensors", path, shapes, network)), allow_pickle=False) as found:
        return [found[f"arr_{index}"] for index in range(len(shapes))]


def read_attribute(path: Path, name: str, known: bool = False) -> Any:
    """As `tensors.read_attribute`, for text and numbers, within limits unless the file is `known`. Raises WeightsError
    where one is met."""
    if known:
        return tensors.read_attribute(path, name)
    return json.loads(_ask("attribute", path, name))


def answer(kind: str, request: str) -> None:
    """What the process that reads does: writes to stdout what was asked for, and ends with `_REFUSED` if it cannot."""
    path, *arguments = json.loads(request)
    try:
        if kind == "tensors":
            shapes, network = arguments
            data = io.BytesIO()
            np.savez(data, *tensors.read_tensors(Path(path), [tuple(shape) for shape in shapes], network))
            content = data.getvalue()
        else:
            value = tensors.read_attribute(Path(path), *arguments)
            plain = value.item() if isinstance(value, np.generic) else value
            content = json.dumps(plain if isinstance(plain, (str, int, float)) else None).encode()
    except WeightsError as error:
        sys.stderr.write(str(error))
        raise SystemExit(_REFUSED) from None
    sys.stdout.buffer.write(content)


def _ask(kind: str, path: Path, *arguments: Any) -> bytes:
    """What `answer` writes, in a process of its own."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "OPENBLAS_NUM_THREADS": "1",  # each thread reserves memory
    }
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM, str(LIMIT_BYTES), kind],
            input=json.dumps([os.path.abspath(path), *arguments]).encode(),
            capture_output=True,
            timeout=LIMIT_SECONDS,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        raise WeightsError(f"{path} cannot be read as weights: it takes longer than {LIMIT_SECONDS:g} s") from None
    if done.returncode == _REFUSED:
        raise WeightsError(done.stderr.decode(errors="replace"))
    if done.returncode:
        raise WeightsError(f"{path} cannot be read as weights: the HDF5 library fails on it")
    return done.stdout
