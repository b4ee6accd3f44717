"""Weights files read as plain tensors.

The layout is that of Keras 2 (``.h5``): an attribute ``layer_names``, and in each layer's group ``weight_names``.
Keras's own loader also opens other files that a file names. Here links, virtual and external datasets are refused, and
names, shapes and values are checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from realtime.errors import WeightsError

Array = npt.NDArray[np.float32]
#: No weights file of these networks is nearly as large.
LARGEST_FILE = 64 << 20
#: Weights are read from files with these suffixes and no others.
SUFFIXES = (".h5", ".hdf5")


def read_tensors(path: Path, shapes: Sequence[tuple[int, ...]], network: str) -> list[Array]:
    """The tensors of a file in its own order, float32. `network` names what was expected in messages.

    Raises WeightsError for a file of another kind, other names or shapes, and values that are not finite.
    """
    check_suffix(path)
    wrong = f"{path} does not hold weights of {network}"
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise WeightsError(f"{wrong}: it is larger than {LARGEST_FILE >> 20} MiB")
        with h5py.File(path, "r") as file:
            datasets = [_dataset(file, layer, name) for layer, name in _names(file)]
            # Before anything is read: a small file may declare a huge tensor.
            if [dataset.shape for dataset in datasets] != list(shapes):
                raise WeightsError(f"{wrong}: it has {len(datasets)} tensors, of other shapes or in another order")
            tensors = [np.asarray(dataset[()], np.float32) for dataset in datasets]
    except WeightsError:
        raise
    except Exception as error:  # h5py raises a dozen kinds for damaged files, none of them documented
        reason = str(error).strip().splitlines()
        raise WeightsError(f"{wrong}: {reason[0] if reason else type(error).__name__}") from error
    if not all(np.isfinite(tensor).all() for tensor in tensors):
        raise WeightsError(f"{wrong}: a value is not a finite number")
    return tensors


def check_suffix(path: Path) -> None:
    """Raises WeightsError unless the path ends as an HDF5 file's does."""
    if path.suffix.lower() not in SUFFIXES:
        raise WeightsError(f"{path} is not an .h5 file; weights are read from no other kind")


def read_attribute(path: Path, name: str) -> Any:
    """An attribute of the whole file; None where there is none, or the file is not HDF5."""
    try:
        with h5py.File(path, "r") as file:
            return file.attrs.get(name)
    except (OSError, RuntimeError, ValueError):
        return None


def _names(file: h5py.File) -> list[tuple[str, str]]:
    """(layer, tensor) names in the order in which the network has them. Raises ValueError unless each layer that has
    tensors has a kernel and a bias."""
    if "layer_names" not in file.attrs:
        raise ValueError("it has no attribute 'layer_names'; 'realtime train' writes files that have")
    names = []
    for layer in map(_text, file.attrs["layer_names"]):
        tensors = [_text(name) for name in _member(file, layer).attrs["weight_names"]]
        if [name.split("/")[-1] for name in tensors] not in ([], ["kernel:0", "bias:0"]):
            raise ValueError(f"layer {layer!r} holds {', '.join(tensors)} instead of a kernel and a bias")
        names += [(layer, name) for name in tensors]
    return names


def _member(parent: Any, name: str) -> Any:
    """A member of a group by its path, no step of which may be a link."""
    for part in name.split("/"):
        if not isinstance(parent.get(part, getlink=True), h5py.HardLink):
            raise ValueError(f"{part!r} is a link or missing")
        parent = parent[part]
    return parent


def _dataset(file: Any, layer: str, name: str) -> Any:
    dataset = _member(_member(file, layer), name)
    if not isinstance(dataset, h5py.Dataset) or dataset.is_virtual or dataset.external:
        raise ValueError(f"{name!r} is no plain dataset")
    if dataset.dtype.kind != "f":
        raise ValueError(f"{name!r} holds no floating point numbers")
    return dataset


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)
