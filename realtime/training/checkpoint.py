"""Checkpoints and weights files, written so that a failure leaves the last good one.

A checkpoint is one .npz: network, moving average, optimizer and numbers. A new one is complete before it takes the name
of the old one, which stays as ``.previous``.
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


def save(path: Path, numbers: dict[str, float], **groups: Arrays) -> None:
    """Writes groups of arrays, and numbers. Raises TrainingError, e.g. on a full disk; `path` is then as it was."""
    arrays: dict[str, Any] = {
        f"{group}/{index:04d}": array for group, members in groups.items() for index, array in enumerate(members)
    }
    arrays |= {f"numbers/{name}": np.array(value) for name, value in numbers.items()}
    temporary = path.with_name(path.name + ".new")
    try:
        with temporary.open("wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            os.replace(path, _previous(path))
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise TrainingError(f"cannot write the checkpoint {path}: {error}; the last good one is still there") from error


def restore(path: Path) -> tuple[dict[str, float], dict[str, Arrays]] | None:
    """Numbers and groups that `save` wrote, from `path` or, if that is damaged, from the one before.

    None where there is no checkpoint yet. Raises TrainingError when both are damaged.
    """
    candidates = [candidate for candidate in (path, _previous(path)) if candidate.exists()]
    for candidate in candidates:
        try:
            return _read(candidate)
        except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile):
            continue
    if candidates:
        raise TrainingError(f"{path} is damaged, and so is the one before it; remove them to start anew")
    return None


def _previous(path: Path) -> Path:
    return path.with_name(path.name + ".previous")


def _read(path: Path) -> tuple[dict[str, float], dict[str, Arrays]]:
    numbers: dict[str, float] = {}
    groups: dict[str, Arrays] = {}
    with np.load(path) as arrays:
        for key in sorted(arrays.files):
            group, _, name = key.partition("/")
            if group == "numbers":
                numbers[name] = float(arrays[key])
            else:
                groups.setdefault(group, []).append(arrays[key])
    return numbers, groups


def check_shapes(path: Path, arrays: Arrays, expected: Arrays) -> None:
    """Raises TrainingError unless the arrays have the shapes of `expected`."""
    found, wanted = [a.shape for a in arrays], [a.shape for a in expected]
    if found != wanted:
        differences = (pair for pair in zip(found, wanted, strict=False) if pair[0] != pair[1])
        one, other = next(differences, (len(found), len(wanted)))
        raise TrainingError(f"{path} belongs to another network: it holds {one}, not {other}; use another folder")


def export(path: Path, network: keras.Model, **attributes: bool) -> None:
    """Writes weights as the published files have them: legacy .h5, which ``load_weights`` of Keras 2 and 3 reads.

    `attributes` become attributes of the file. Raises TrainingError when it cannot be written.
    """
    temporary = path.with_name(path.name + ".new")
    layers = [layer for layer in network.layers if layer.weights]
    try:
        with h5py.File(temporary, "w") as file:
            file.attrs["layer_names"] = [layer.name.encode() for layer in layers]
            file.attrs["backend"], file.attrs["keras_version"] = b"tensorflow", b"2.2.4"
            file.attrs.update(attributes)
            for layer in layers:
                names = [f"{layer.name}/{kind}:0" for kind in ("kernel", "bias")]
                group = file.create_group(layer.name)
                group.attrs["weight_names"] = [name.encode() for name in names]
                for name, value in zip(names, layer.get_weights(), strict=True):
                    group.create_dataset(name, data=value.astype(np.float32))
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise TrainingError(f"cannot write the weights {path}: {error}") from error
