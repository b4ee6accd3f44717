"""Training states and weight files on disk, written so that a failure leaves the last good one.

A state is one .npz: network, moving average, optimizer and progress. The new file is complete before it takes the old
one's name, and the old one stays as ``.previous``.
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from realtime.enhance.keras_loader import keras
from realtime.errors import TrainingError

Arrays = list[npt.NDArray[Any]]


def save(path: Path, progress: dict[str, float], **groups: Arrays) -> None:
    """Write groups of arrays and numbers. Raises `TrainingError`, e.g. on a full disk; ``path`` is then as it was."""
    flat: dict[str, Any] = {
        f"{name}/{index:04d}": array for name, arrays in groups.items() for index, array in enumerate(arrays)
    }
    flat |= {f"progress/{name}": np.array(value) for name, value in progress.items()}
    fresh = path.with_name(path.name + ".new")
    try:
        with fresh.open("wb") as file:
            np.savez(file, **flat)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            os.replace(path, path.with_name(path.name + ".previous"))
        os.replace(fresh, path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise TrainingError(f"cannot write the checkpoint {path}: {error}; the last good one is still there") from error


def restore(path: Path) -> tuple[dict[str, float], dict[str, Arrays]] | None:
    """What `save` wrote, from ``path`` or, if that is damaged, from the one before; None where there is none yet."""
    candidates = [c for c in (path, path.with_name(path.name + ".previous")) if c.exists()]
    for candidate in candidates:
        try:
            with np.load(candidate) as held:
                groups: dict[str, Arrays] = {}
                progress = {}
                for key in sorted(held.files):
                    name, _, rest = key.partition("/")
                    if name == "progress":
                        progress[rest] = float(held[key])
                    else:
                        groups.setdefault(name, []).append(held[key])
                return progress, groups
        except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile):
            continue
    if candidates:
        raise TrainingError(f"{path} is damaged, and so is the one before it; move them away to start anew")
    return None


def check(path: Path, held: Arrays, wanted: Arrays) -> None:
    """Raises `TrainingError` unless the arrays have the wanted shapes."""
    shapes, expected = [a.shape for a in held], [a.shape for a in wanted]
    if shapes != expected:
        pairs = zip(shapes, expected, strict=False)
        is_, due = next((pair for pair in pairs if pair[0] != pair[1]), (len(shapes), len(expected)))
        raise TrainingError(f"{path} belongs to another network: it holds {is_} where {due} is due; use another folder")


def export(path: Path, network: keras.Model, **marks: bool) -> None:
    """Write the weights as the published files are: legacy .h5, which ``load_weights`` of Keras 2 and 3 reads.

    ``marks`` become attributes of the file.
    """
    fresh = path.with_name(path.name + ".new")
    layers = [layer for layer in network.layers if layer.weights]
    try:
        with h5py.File(fresh, "w") as file:
            file.attrs["layer_names"] = [layer.name.encode() for layer in layers]
            file.attrs["backend"], file.attrs["keras_version"] = b"tensorflow", b"2.2.4"
            file.attrs.update(marks)
            for layer in layers:
                names = [f"{layer.name}/{kind}:0" for kind in ("kernel", "bias")]
                group = file.create_group(layer.name)
                group.attrs["weight_names"] = [name.encode() for name in names]
                for name, value in zip(names, layer.get_weights(), strict=True):
                    group.create_dataset(name, data=value.astype(np.float32))
        os.replace(fresh, path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise TrainingError(f"cannot write the weights {path}: {error}") from error
